import Kernel
import NIOHTTP1
import Synchronization
import TestKit
import Testing

@testable import Outbound

@Suite struct DigestTests {
    private static let realm = "http-auth@example.org"
    private static let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    private static let opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"

    private func challenged(_ lines: String...) -> OutboundResponse {
        OutboundResponse(status: 401, headers: lines.map { (name: "WWW-Authenticate", value: $0) }, url: "http://www.example.org/dir/index.html")
    }

    private func line(_ algorithm: String, qop: String = "auth, auth-int") -> String {
        "Digest realm=\"\(Self.realm)\", qop=\"\(qop)\", algorithm=\(algorithm), nonce=\"\(Self.nonce)\", opaque=\"\(Self.opaque)\""
    }

    private func answer(_ challenge: DigestChallenge, user: String = "Mufasa", password: String = "Circle of Life") -> [String: String] {
        let header = challenge.authorization(
            user: user, password: password, method: "GET", target: "/dir/index.html", body: [],
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        return AuthenticationChallenge.read(header).first?.parameters ?? [:]
    }

    /// RFC 7616, 3.9.1.
    @Test(arguments: [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
    ])
    func `the answers are those of RFC 7616`(_ algorithm: String, _ response: String) throws {
        let challenge = try #require(DigestChallenge.strongest(in: challenged(line(algorithm))))
        let answer = answer(challenge)
        #expect(answer["response"] == response)
        #expect(answer["username"] == "Mufasa" && answer["qop"] == "auth" && answer["nc"] == "00000001" && answer["opaque"] == Self.opaque)
    }

    /// RFC 2069, 2.4 as corrected by erratum 749.
    @Test func `a server without qop gets the old answer`() throws {
        let challenge = try #require(
            DigestChallenge.strongest(
                in: challenged(
                    "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""))
        )
        let answer = answer(challenge, password: "CircleOfLife")
        #expect(answer["response"] == "1949323746fe6a43ef61f9606e7febea")
        #expect(answer["qop"] == nil && answer["cnonce"] == nil && answer["algorithm"] == nil)
    }

    @Test func `of several challenges the strongest known one is answered`() throws {
        let both = challenged("Basic realm=\"x\", " + line("MD5"), line("SHA-256"))
        #expect(DigestChallenge.strongest(in: both)?.algorithm == .sha256)
        #expect(DigestChallenge.strongest(in: challenged("Negotiate abc==, NTLM")) == nil)
        #expect(DigestChallenge.strongest(in: challenged(line("SHA-999"))) == nil)
        #expect(DigestChallenge.strongest(in: challenged("Digest realm=\"no nonce\"")) == nil)
        let odd = try #require(DigestChallenge.strongest(in: challenged("digest REALM=\"a \\\"b\\\", c\" , nonce=n1, qop=auth-int, stale=TRUE")))
        #expect(odd.realm == "a \"b\", c" && odd.nonce == "n1" && odd.protection == .authInt && odd.isStale)
    }

    @Test func `names beyond ASCII and hashed names go as the RFC writes them`() throws {
        let plain = try #require(DigestChallenge.strongest(in: challenged(line("SHA-256"))))
        #expect(answer(plain, user: "Jäsøn")["username*"] == "UTF-8''J%C3%A4s%C3%B8n")
        let hashed = try #require(DigestChallenge.strongest(in: challenged(line("SHA-256") + ", userhash=true")))
        #expect(answer(hashed)["userhash"] == "true" && answer(hashed)["username"]?.utf8.count == 64)
    }

    /// A server that checks what it is sent and counts its nonces.
    private static func reply(_ request: TestServer.Request, algorithm: String, qop: String, stale: borrowing Mutex<Bool>) -> TestServer.Reply {
        let nonce = stale.withLock { $0 } ? "old" : "new"
        let line = "Digest realm=\"r\", nonce=\"\(nonce)\", algorithm=\(algorithm), qop=\"\(qop)\""
        func refused(_ more: String = "") -> TestServer.Reply { .answer(status: 401, headers: [("WWW-Authenticate", line + more)]) }
        guard let header = request.headers.first(name: "authorization"), let given = AuthenticationChallenge.read(header).first?.parameters else {
            return refused()
        }
        if stale.withLock({ isStale in
            defer { isStale = false }
            return isStale
        }) {
            return .answer(status: 401, headers: [("WWW-Authenticate", line.replacing("\"old\"", with: "\"new\"") + ", stale=true")])
        }
        let challenge = AuthenticationChallenge.read(line).first.flatMap { DigestChallenge($0) }
        let wanted = challenge?.authorization(
            user: "u", password: "p\"w", method: request.method, target: request.uri, body: request.bytes, clientNonce: given["cnonce"] ?? "")
        return wanted == header ? .answer(body: Array("in".utf8)) : refused()
    }

    @Test(arguments: [("MD5", "auth"), ("MD5-sess", "auth"), ("SHA-256", "auth-int"), ("SHA-256-sess", "auth-int,auth")])
    func `a server that asks for digest is given it, and the password is not sent`(_ algorithm: String, _ qop: String) async throws {
        let stale = Mutex(false)
        try await TestServer.with {
            Self.reply($0, algorithm: algorithm, qop: qop, stale: stale)
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:\(server.port)"]) { outbound in
                let digest = DigestAuthentication(user: "u", password: "p\"w")
                let request = OutboundRequest(method: "POST", url: "http://127.0.0.1:\(server.port)/a b?x=1", body: .bytes(Array("body".utf8)))
                let response = try await digest.send(request) { try await outbound.send($0) }
                #expect(response.status == 200 && response.body == Array("in".utf8))
                #expect(server.requests.count == 2 && server.requests.map(\.body) == ["body", "body"])
                let wrong = try await DigestAuthentication(user: "u", password: "no").send(request) { try await outbound.send($0) }
                #expect(wrong.status == 401)
                #expect(server.requests.count == 4, "a refused credential is not tried again")
            }
        }
    }

    @Test func `a nonce that became too old is replaced`() async throws {
        let stale = Mutex(true)
        try await TestServer.with {
            Self.reply($0, algorithm: "SHA-256", qop: "auth", stale: stale)
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:\(server.port)"]) { outbound in
                let response = try await DigestAuthentication(user: "u", password: "p\"w").send(.init(url: "http://127.0.0.1:\(server.port)/")) {
                    try await outbound.send($0)
                }
                #expect(response.status == 200 && server.requests.count == 3)
            }
        }
    }

    @Test func `a challenge of another origin is not answered`() async throws {
        let digest = DigestAuthentication(user: "u", password: "p")
        let sent = Mutex(0)
        let line = line("MD5")
        let response = try await digest.send(.init(url: "http://one.test/")) { _ in
            sent.withLock { $0 += 1 }
            return OutboundResponse(status: 401, headers: [(name: "WWW-Authenticate", value: line)], url: "http://two.test/")
        }
        #expect(response.status == 401 && sent.withLock { $0 } == 1)
    }
}
