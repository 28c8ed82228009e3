import Kernel
import Testing

@testable import Gateway
@testable import HTTPSurface

/// Whom `AIAS_TRUSTED_PROXIES` believes, and what follows for who calls.
@Suite struct TrustedProxyTests {
    struct Unset: Error {}

    private static func isProxy(_ setting: String) throws -> @Sendable (String) -> Bool {
        guard let isProxy = try PlatformConfiguration(environment: ["AIAS_TRUSTED_PROXIES": setting]).isProxy else { throw Unset() }
        return isProxy
    }

    static let calls: [(String, [String], String)] = [
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"), ("127.0.0.1", ["1.1.1.1"], "1.1.1.1"), ("127.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["6.6.6.6", "1.1.1.1", "10.1.2.3"], "1.1.1.1"), ("127.0.0.1", ["10.1.2.3, 6.6.6.6, 192.168.0.9"], "192.168.0.9"),
        ("::1", ["2001:db8::1"], "2001:db8::1"), ("::ffff:10.1.2.3", ["1.1.1.1"], "1.1.1.1"),
        ("fd00::7", ["2001:db8::1, fd00:1::2"], "2001:db8::1"), ("fe00::7", ["1.1.1.1"], "fe00::7"), ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.1", "::1"], "10.0.0.1"), ("127.0.0.1", ["1.1.1.1, 127.0.0.1:8080"], "1.1.1.1"),
        ("127.0.0.2", ["1.1.1.1"], "127.0.0.2")
    ]

    @Test(arguments: calls) func `who calls is the nearest one that is no proxy of ours`(peer: String, fields: [String], client: String) throws {
        let isProxy = try Self.isProxy("127.0.0.1, ::1,10.0.0.0/8,fd00::/8")
        #expect(Surface.client(behind: peer, fields, isProxy) == client)
    }

    @Test func `without the setting nobody is believed, and one that makes no sense is refused`() throws {
        #expect(throws: Unset.self) { _ = try Self.isProxy("") }
        for wrong in ["proxy.lan", "10.0.0.0/40", "10.0.0.1;10.0.0.2", "*"] {
            #expect(throws: Refusal.self) { _ = try Self.isProxy(wrong) }
        }
    }
}
