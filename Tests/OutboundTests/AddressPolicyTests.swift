import Testing

@testable import Outbound

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
        "2002:7f00:1::", "2002:808:808::", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1"
    ])
    func `an address that is not public is refused`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!AddressPolicy.isPublic(address))
        #expect(try !AddressPolicy().permits(address, host: "example.com", port: 443))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.0.1",
        "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"
    ])
    func `a public address is permitted`(text: String) throws {
        #expect(try AddressPolicy().permits(#require(IPAddress(text)), host: "example.com", port: 443))
    }

    @Test func `the operator allows addresses, blocks, names and suffixes, each with its port`() throws {
        let policy = try AddressPolicy(environment: [
            "AIAS_OUTBOUND_ALLOW": "127.0.0.1:9001, 10.1.0.0/16:*,[::1]:80,mail.lan:25,*.corp.lan:443"
        ])
        func permits(_ address: String, _ host: String, _ port: Int) throws -> Bool {
            policy.permits(try #require(IPAddress(address)), host: host, port: port)
        }
        #expect(try permits("127.0.0.1", "localhost", 9001))
        #expect(try !permits("127.0.0.1", "localhost", 9002))
        #expect(try !permits("127.0.0.2", "localhost", 9001))
        #expect(try permits("10.1.255.255", "x", 1))
        #expect(try !permits("10.2.0.0", "x", 1))
        #expect(try permits("::1", "localhost", 80))
        #expect(try permits("192.168.0.9", "mail.lan", 25))
        #expect(try !permits("192.168.0.9", "mail.lan", 26))
        #expect(try permits("192.168.0.9", "a.corp.lan", 443))
        #expect(try !permits("192.168.0.9", "evilcorp.lan", 443))
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:port", "127.0.0.1:70000", ":80", "10.0.0.0/99:80", "http://x:80"])
    func `a malformed entry of the operator's list is an error`(pattern: String) {
        #expect(throws: OutboundError.self) { try AddressPolicy(allowing: [pattern]) }
    }
}
