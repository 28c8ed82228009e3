import Foundation
import Kernel
import NIOHTTP1
import Testing
import TestKit

@testable import Outbound

@Suite(.timeLimit(.minutes(4))) struct ProxyTests {
    private let resolver = Resolver { host in
        let addresses = ["service.test": "127.0.0.1", "proxy.test": "127.0.0.1", "inner.test": "10.0.0.1"]
        return try [#require(addresses[host].flatMap { IPAddress($0) })]
    }

    private func request(_ url: String, _ proxy: String) throws -> OutboundRequest {
        var request = OutboundRequest(url: url)
        request.proxy = try OutboundProxy(proxy)
        return request
    }

    @Test func `a proxy is asked for the checked address, and the server's certificate is still that of its name`() async throws {
        try await TestServer.with(tls: true) { _ in
            .answer(body: Array("through".utf8))
        } _: { server in
            try await TestProxy.with(target: server.port) { proxy in
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver, trusting: TestCertificate.certificate) { outbound in
                    let url = "https://service.test:\(server.port)/"
                    let response = try await outbound.send(request(url, "http://u:p@proxy.test:\(proxy.port)"))
                    #expect(response.body == Array("through".utf8))
                    let head = try #require(proxy.heads.first?.lowercased())
                    #expect(head.hasPrefix("connect 127.0.0.1:\(server.port) http/1.1\r\n"))
                    #expect(head.contains("proxy-authorization: basic dtpw"))
                    let seen = try #require(server.requests.first)
                    #expect(seen.headers["host"] == ["service.test:\(server.port)"] && seen.headers["proxy-authorization"].isEmpty)
                    // The same without the proxy is another connection.
                    _ = try await outbound.send(.init(url: url))
                    #expect(proxy.heads.count == 1 && server.requests.count == 2)
                }
            }
        }
    }

    @Test func `neither the proxy nor what lies behind it may have a forbidden address`() async throws {
        try await TestServer.with { _ in
            .answer()
        } _: { server in
            try await TestProxy.with(target: server.port) { proxy in
                try await withOutbound(allowing: ["127.0.0.1:\(proxy.port)"], resolver: resolver) { outbound in
                    let url = "http://inner.test/"
                    #expect(await code { _ = try await outbound.send(request(url, "proxy.test:\(proxy.port)")) } == .forbiddenAddress)
                }
                try await withOutbound(allowing: ["127.0.0.1:\(server.port)"], resolver: resolver) { outbound in
                    let url = "http://service.test:\(server.port)/"
                    #expect(await code { _ = try await outbound.send(request(url, "proxy.test:\(proxy.port)")) } == .forbiddenAddress)
                }
                #expect(proxy.heads.isEmpty && server.requests.isEmpty)
            }
        }
    }

    @Test(arguments: [(403, OutboundError.Code.unreachable), (407, OutboundError.Code.invalidRequest)])
    func `a proxy that opens no connection is said to`(status: Int, expected: OutboundError.Code) async throws {
        try await TestServer.with { _ in
            .answer()
        } _: { server in
            try await TestProxy.with(target: server.port, status: status) { proxy in
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver) { outbound in
                    let url = "http://service.test:\(server.port)/"
                    #expect(await code { _ = try await outbound.send(request(url, "proxy.test:\(proxy.port)")) } == expected)
                    #expect(server.requests.isEmpty)
                }
            }
        }
    }

    @Test func `a SOCKS proxy is asked for the checked address as well`() async throws {
        try await TestServer.with(tls: true) { _ in
            .answer(body: Array("through".utf8))
        } _: { server in
            try await TestProxy.withSOCKS(target: server.port) { proxy in
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver, trusting: TestCertificate.certificate) { outbound in
                    let response = try await outbound.send(request("https://service.test:\(server.port)/", "socks5://proxy.test:\(proxy.port)"))
                    #expect(response.body == Array("through".utf8))
                    #expect(proxy.heads == ["127.0.0.1:\(server.port)"])
                    #expect(server.requests.first?.headers["host"] == ["service.test:\(server.port)"])
                }
                try await withOutbound(allowing: ["127.0.0.1:\(proxy.port)"], resolver: resolver) { outbound in
                    let address = "socks5://proxy.test:\(proxy.port)"
                    #expect(await code { _ = try await outbound.send(request("http://inner.test/", address)) } == .forbiddenAddress)
                }
                #expect(proxy.heads.count == 1)
            }
        }
    }

    @Test(arguments: [(UInt8(0), UInt8(5), OutboundError.Code.unreachable), (UInt8(2), UInt8(0), OutboundError.Code.invalidRequest)])
    func `a SOCKS proxy that opens no connection is said to`(method: UInt8, reply: UInt8, expected: OutboundError.Code) async throws {
        try await TestServer.with { _ in
            .answer()
        } _: { server in
            try await TestProxy.withSOCKS(target: server.port, method: method, reply: reply) { proxy in
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver) { outbound in
                    let url = "http://service.test:\(server.port)/"
                    #expect(await code { _ = try await outbound.send(request(url, "socks5://proxy.test:\(proxy.port)")) } == expected)
                    #expect(server.requests.isEmpty)
                }
            }
        }
    }

    @Test func `a proxy is written as an address with or without its scheme`() throws {
        #expect(try OutboundProxy("http://p.test:3128") == OutboundProxy("p.test:3128"))
        let proxy = try OutboundProxy("us%40er:p:w@P.test")
        #expect(proxy.host == "p.test" && proxy.port == 80 && proxy.user == "us@er" && proxy.password == "p:w")
        #expect(!proxy.isSOCKS)
        for (text, port) in [("socks5://p.test", 1_080), ("socks://p.test:80", 80), ("SOCKS5H://p.test:443", 443)] {
            let socks = try OutboundProxy(text)
            #expect(socks.isSOCKS && socks.host == "p.test" && socks.port == port)
        }
        for text in ["https://p.test", "socks5://u:p@p.test:1080", "socks4://p.test", "p.test:0", ""] {
            #expect(throws: OutboundError.self) { try OutboundProxy(text) }
        }
    }

    @Test func `a server that asks for it is shown the client's certificate`() async throws {
        try await TestServer.with(tls: true, asksForCertificate: true) { _ in
            .answer()
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver) { outbound in
                func sent(_ certificate: ClientCertificate?) async throws -> Int {
                    var request = OutboundRequest(url: "https://service.test:\(server.port)/")
                    request.certificate = certificate
                    return try await outbound.send(request).status
                }
                let own = TestCertificate.certificate
                let plain = ClientCertificate(chain: own, privateKey: TestCertificate.privateKey, authorities: own)
                let encrypted = ClientCertificate(
                    chain: own, privateKey: TestCertificate.encryptedKey, passphrase: "opensesame", authorities: own)
                for certificate in [plain, encrypted] {
                    let status = try await sent(certificate)
                    #expect(status == 200)
                }
                #expect(await code { _ = try await sent(ClientCertificate(authorities: own)) } != nil)
                #expect(await code { _ = try await sent(nil) } == .tls)
                for passphrase in ["wrong", "pässe", ""] {
                    var locked = encrypted
                    locked.passphrase = passphrase
                    let certificate = locked
                    #expect(await code { _ = try await sent(certificate) } == .tls)
                }
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func `an encrypted key that takes long to open is refused`() {
        /// The beginning of an encrypted key whose passphrase is stretched by so many iterations, as big-endian bytes.
        func pem(_ iterations: [UInt8], scheme: UInt8 = 0x0D) -> String {
            let oid: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05]
            let salt: [UInt8] = [0x04, 2, 9, 9, 0x02, UInt8(iterations.count)]
            let bytes: [UInt8] = [0x30, 0x40, 0x30, 0x3E] + oid + [scheme, 0x30, 0x30, 0x30, 0x20] + oid + [0x0C, 0x30, 0x10] + salt + iterations
            return "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\(Data(bytes).base64EncodedString())\n-----END ENCRYPTED PRIVATE KEY-----\n"
        }
        #expect(KeyEncryption.isBearable(pem([0x08, 0x00])) && KeyEncryption.isBearable(pem([0x0F, 0x42, 0x40])))
        #expect(!KeyEncryption.isBearable(pem([0x0F, 0x42, 0x41])) && !KeyEncryption.isBearable(pem([0x05, 0xF5, 0xE1, 0x00])))
        #expect(!KeyEncryption.isBearable(pem([0x08, 0x00], scheme: 0x03)))
        #expect(KeyEncryption.isBearable(TestCertificate.privateKey) && KeyEncryption.isBearable(TestCertificate.encryptedKey))
    }

    @Test func `a certificate goes with redirects within a host and not to another`() throws {
        var request = OutboundRequest(url: "https://a.test/")
        request.certificate = ClientCertificate(chain: "c")
        let hop = try Hop(request)
        func next(_ location: String) throws -> Hop? {
            try hop.redirected(by: OutboundResponse(status: 302, headers: [("Location", location)], url: "https://a.test/"))
        }
        #expect(try next("/b")?.certificate != nil)
        #expect(try #require(try next("https://b.test/")).certificate == nil)
    }
}
