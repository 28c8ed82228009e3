import Foundation
import Kernel
import NIOHTTP1
import Synchronization
import TestKit
import Testing

@testable import Outbound

/// An `Outbound` that may reach one server, for the length of `body`.
func withOutbound<Result>(
    allowing patterns: [String], resolver: Resolver? = nil, limits: OutboundLimits = .init(), trusting certificate: String? = nil,
    _ body: (Outbound) async throws -> Result
) async throws -> Result {
    let outbound = try Outbound(
        policy: AddressPolicy(allowing: patterns), resolver: resolver, limits: limits, trustedCertificates: certificate.map { Array($0.utf8) })
    do {
        let result = try await body(outbound)
        await outbound.shutdown()
        return result
    } catch {
        await outbound.shutdown()
        throw error
    }
}

func code(_ body: () async throws -> Void) async -> OutboundError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? OutboundError)?.code
    }
}

/// 300,000 zero bytes, gzipped.
private let packedZeros = """
    H4sIAAAAAAACA+3BAQ0AAADCoPdPbQ8HFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/Bj74rL24JMEAA==
    """

private func base64(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text) ?? Data()) }

@Suite(.timeLimit(.minutes(4))) struct OutboundTests {
    @Test func `a request arrives as it was made and the answer comes back whole`() async throws {
        try await TestServer.with { request in
            .answer(status: 201, headers: [("X-Seen", request.headers.first(name: "x-own") ?? "")], body: Array("hello \(request.body)".utf8))
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:\(server.port)"]) { outbound in
                var request = OutboundRequest(
                    method: "post", url: "http://127.0.0.1:\(server.port)/a b?q=1", headers: [("X-Own", "mine"), ("Content-Length", "999")])
                request.setBody(.json(["a": 1]))
                let response = try await outbound.send(request)
                #expect(response.status == 201)
                #expect(response.header("x-seen") == "mine")
                #expect(String(decoding: response.body, as: UTF8.self) == #"hello {"a":1}"#)
                let seen = try #require(server.requests.first)
                #expect(seen.method == "POST" && seen.uri == "/a%20b?q=1")
                #expect(seen.headers["content-length"] == ["7"] && seen.headers["content-type"] == ["application/json"])
                #expect(seen.headers["host"] == ["127.0.0.1:\(server.port)"])
            }
        }
    }

    @Test(arguments: [
        "http://127.0.0.1", "http://localhost", "http://[::1]", "http://2130706433", "http://0x7f.1", "http://[::ffff:127.0.0.1]", "http://127.1"
    ])
    func `no way of writing loopback gets through`(origin: String) async throws {
        try await TestServer.with { _ in
            .answer()
        } _: { server in
            try await withOutbound(allowing: []) { outbound in
                #expect(await code { _ = try await outbound.send(.init(url: "\(origin):\(server.port)/")) } == .forbiddenAddress)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a name that changes its address is followed to no forbidden one`() async throws {
        try await TestServer.with { _ in
            .answer()
        } _: { allowed in
            try await TestServer.with(host: "127.0.0.2") { _ in
                .answer()
            } _: { forbidden in
                let asked = Mutex(0)
                let resolver = Resolver { _ in
                    let turn = asked.withLock { count in
                        count += 1
                        return count
                    }
                    return try [#require(IPAddress(turn == 1 ? "127.0.0.1" : "127.0.0.2"))]
                }
                // The allowed server's port, so that only the address tells the two apart.
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver) { outbound in
                    let first = try await outbound.send(.init(url: "http://rebind.test:\(allowed.port)/"))
                    #expect(first.status == 200)
                    #expect(asked.withLock { $0 } == 1)
                    #expect(allowed.requests.first?.headers["host"] == ["rebind.test:\(allowed.port)"])
                    #expect(await code { _ = try await outbound.send(.init(url: "http://rebind.test:\(forbidden.port)/")) } == .forbiddenAddress)
                    #expect(forbidden.requests.isEmpty)
                }
            }
        }
    }

    @Test func `of several addresses only permitted ones are used, and the next is tried where one is dead`() async throws {
        try await TestServer.with { _ in
            .answer(body: Array("here".utf8))
        } _: { server in
            let resolver = Resolver { _ in
                // A forbidden one, one where nothing listens, the server.
                try ["127.0.0.9", "127.0.0.3", "127.0.0.1"].map { try #require(IPAddress($0)) }
            }
            try await withOutbound(allowing: ["127.0.0.1:*", "127.0.0.3:*"], resolver: resolver) { outbound in
                let response = try await outbound.send(.init(url: "http://many.test:\(server.port)/"))
                #expect(response.body == Array("here".utf8))
            }
        }
    }

    @Test func `a redirect to a forbidden address is refused`() async throws {
        try await TestServer.with { _ in
            .answer(body: Array("secret".utf8))
        } _: { inner in
            try await TestServer.with { _ in
                .answer(status: 302, headers: [("Location", "http://127.0.0.1:\(inner.port)/")])
            } _: { outer in
                try await withOutbound(allowing: ["127.0.0.1:\(outer.port)"]) { outbound in
                    #expect(await code { _ = try await outbound.send(.init(url: "http://127.0.0.1:\(outer.port)/")) } == .forbiddenAddress)
                    #expect(inner.requests.isEmpty)
                }
            }
        }
    }

    @Test func `a redirect to another origin carries no credentials, and a posted form becomes a read`() async throws {
        try await TestServer.with { _ in
            .answer(body: Array("there".utf8))
        } _: { other in
            try await TestServer.with { request in
                request.uri == "/start"
                    ? .answer(status: 303, headers: [("Location", "next")])
                    : .answer(status: 301, headers: [("Location", "http://127.0.0.1:\(other.port)/end")])
            } _: { server in
                try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                    var request = OutboundRequest(method: "POST", url: "http://127.0.0.1:\(server.port)/start")
                    request.authenticate(bearer: "token")
                    request.setHeader("Cookie", "a=b")
                    request.setHeader("X-Kept", "yes")
                    request.setBody(.form([("a", "b c")]))
                    let response = try await outbound.send(request)
                    #expect(response.url == "http://127.0.0.1:\(other.port)/end")
                    #expect(server.requests.map(\.method) == ["POST", "GET"])
                    #expect(server.requests.map(\.body) == ["a=b+c", ""])
                    #expect(server.requests.last?.headers["authorization"] == ["Bearer token"])
                    #expect(server.requests.last?.headers["content-type"] == [])
                    let last = try #require(other.requests.first)
                    #expect(last.headers["authorization"] == [] && last.headers["cookie"] == [] && last.headers["x-kept"] == ["yes"])
                }
            }
        }
    }

    @Test func `a 307 repeats method and body`() async throws {
        try await TestServer.with {
            $0.uri == "/a" ? .answer(status: 307, headers: [("Location", "/b")]) : .answer()
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                _ = try await outbound.send(.init(method: "PUT", url: "http://127.0.0.1:\(server.port)/a", body: .bytes(Array("x".utf8))))
                #expect(server.requests.map(\.method) == ["PUT", "PUT"])
                #expect(server.requests.map(\.body) == ["x", "x"])
            }
        }
    }

    @Test func `redirects end at the limit, and are answers where they are not followed`() async throws {
        try await TestServer.with { _ in
            .answer(status: 302, headers: [("Location", "/again")])
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                let followed = OutboundRequest(url: "http://127.0.0.1:\(server.port)/", maximumRedirects: 3)
                #expect(await code { _ = try await outbound.send(followed) } == .tooManyRedirects)
                #expect(server.requests.count == 4)
                var request = followed
                request.followRedirects = false
                let answer = try await outbound.send(request)
                #expect(answer.status == 302)
            }
        }
    }

    @Test func `an answer above the limit is cut off, announced or not, packed or not`() async throws {
        try await TestServer.with { request in
            switch request.uri {
            case "/announced": .answer(body: [UInt8](repeating: 65, count: 5_000))
            case "/open": .stall([UInt8](repeating: 65, count: 5_000))
            default: .answer(headers: [("Content-Encoding", "gzip")], body: base64(packedZeros))
            }
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                for path in ["/announced", "/open", "/packed"] {
                    let request = OutboundRequest(url: "http://127.0.0.1:\(server.port)\(path)", maximumResponseBytes: 4_999)
                    #expect(await code { _ = try await outbound.send(request) } == .responseTooLarge, "\(path)")
                }
                let whole = try await outbound.send(.init(url: "http://127.0.0.1:\(server.port)/packed"))
                #expect(whole.body.count == 300_000)
                #expect(whole.header("content-encoding") == nil)
            }
        }
    }

    @Test func `packed answers are unpacked, and damaged ones are an error`() async throws {
        try await TestServer.with { request in
            switch request.uri {
            case "/gzip": .answer(headers: [("Content-Encoding", "gzip")], body: base64("H4sIAAAAAAACA6tWKkhMzk5NUbIqKSpNrQUAieC13A8AAAA="))
            case "/deflate": .answer(headers: [("Content-Encoding", "deflate")], body: base64("eJxLSU3LSSxJTQEADnkDOg=="))
            default: .answer(headers: [("Content-Encoding", "gzip")], body: Array("not gzip at all".utf8))
            }
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                let origin = "http://127.0.0.1:\(server.port)"
                let gzip = try await outbound.send(.init(url: "\(origin)/gzip"))
                #expect(gzip.body == Array(#"{"packed":true}"#.utf8))
                let deflate = try await outbound.send(.init(url: "\(origin)/deflate"))
                #expect(deflate.body == Array("deflated".utf8))
                #expect(await code { _ = try await outbound.send(.init(url: "\(origin)/bad")) } == .closed)
            }
        }
    }

    @Test(arguments: ["/silent", "/stalled"])
    func `a server that does not finish in time is left`(path: String) async throws {
        try await TestServer.with {
            $0.uri == "/silent" ? .silence : .stall([1, 2, 3])
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                let request = OutboundRequest(url: "http://127.0.0.1:\(server.port)\(path)", timeout: .milliseconds(300))
                #expect(await code { _ = try await outbound.send(request) } == .timeout)
            }
        }
    }

    @Test func `a lasting request takes no place of the tenant's others`() async throws {
        var limits = OutboundLimits()
        (limits.concurrentPerTenant, limits.queuedPerTenant) = (1, 0)
        let (narrow, tenant) = (limits, TenantID(high: 1, low: 1))
        try await TestServer.with {
            $0.uri == "/silent" ? .silence : .answer()
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"], limits: narrow) { outbound in
                let origin = "http://127.0.0.1:\(server.port)"
                let held = Task { try await outbound.send(.init(url: "\(origin)/silent"), for: tenant) }
                while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
                #expect(await code { _ = try await outbound.send(.init(url: "\(origin)/"), for: tenant) } == .overloaded)
                #expect(try await outbound.send(.init(url: "\(origin)/"), for: tenant, isLasting: true).status == 200)
                held.cancel()
                _ = await held.result
            }
        }
    }

    @Test func `the wait for a tenant's other requests takes nothing of a request's own time, and too long a one sends nothing`() async throws {
        var limits = OutboundLimits()
        (limits.concurrentPerTenant, limits.queuedPerTenant) = (1, 5)
        let (narrow, tenant) = (limits, TenantID(high: 1, low: 1))
        try await TestServer.with {
            $0.uri == "/silent" ? .silence : .answer()
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"], limits: narrow) { outbound in
                let silent = "http://127.0.0.1:\(server.port)/silent"
                let began = ContinuousClock.now
                let first = Task { await code { _ = try await outbound.send(.init(url: silent, timeout: .seconds(1)), for: tenant) } }
                while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
                #expect(await code { _ = try await outbound.send(.init(url: silent, timeout: .seconds(5)), for: tenant) } == .timeout)
                #expect(ContinuousClock.now - began >= .milliseconds(5_900))
                #expect(await first.value == .timeout)

                let held = Task { try await outbound.send(.init(url: silent), for: tenant) }
                while server.requests.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
                let other = "http://127.0.0.1:\(server.port)/"
                #expect(await code { _ = try await outbound.send(.init(url: other, timeout: .milliseconds(100)), for: tenant) } == .overloaded)
                #expect(server.requests.count == 3)
                held.cancel()
                _ = await held.result
                #expect(try await outbound.send(.init(url: other), for: tenant).status == 200)
            }
        }
    }

    @Test func `a resolver that never answers is left in time`() async throws {
        let resolver = Resolver { _ in
            try await Task.sleep(for: .seconds(600))
            return []
        }
        try await withOutbound(allowing: [], resolver: resolver) { outbound in
            let request = OutboundRequest(url: "http://slow.test/", timeout: .milliseconds(200))
            #expect(await code { _ = try await outbound.send(request) } == .timeout)
        }
    }

    @Test func `a dead port, a lost connection and an unknown name are told apart`() async throws {
        try await TestServer.with { _ in
            .hangUp
        } _: { server in
            try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
                #expect(await code { _ = try await outbound.send(.init(url: "http://127.0.0.1:\(server.port)/")) } == .closed)
            }
        }
        try await withOutbound(allowing: ["127.0.0.1:*"]) { outbound in
            try await ServiceProcess.withDeadPort { port in
                #expect(await code { _ = try await outbound.send(.init(url: "http://127.0.0.1:\(port)/")) } == .unreachable)
            }
            #expect(await code { _ = try await outbound.send(.init(url: "http://no-such-name.invalid/")) } == .unresolvable)
            #expect(await code { _ = try await outbound.send(.init(url: "http://127.0.0.1/", headers: [("A", "x\r\nB: y")])) } == .invalidRequest)
        }
    }

    @Test func `the certificate must be trusted and of the requested name, although the connection goes to an address`() async throws {
        try await TestServer.with(tls: true) { _ in
            .answer(body: Array("safe".utf8))
        } _: { server in
            let resolver = Resolver { _ in try [#require(IPAddress("127.0.0.1"))] }
            func send(_ host: String, verify: Bool = true, trusting: String?) async throws -> Int {
                try await withOutbound(allowing: ["127.0.0.1:*"], resolver: resolver, trusting: trusting) { outbound in
                    try await outbound.send(.init(url: "https://\(host):\(server.port)/", verifyCertificates: verify)).status
                }
            }
            let trusted = try await send("service.test", trusting: TestCertificate.certificate)
            #expect(trusted == 200)
            #expect(await code { _ = try await send("other.test", trusting: TestCertificate.certificate) } == .tls)
            #expect(await code { _ = try await send("service.test", trusting: nil) } == .tls)
            let unverified = try await send("other.test", verify: false, trusting: nil)
            #expect(unverified == 200)
        }
    }

    @Test func `a tenant has its share of requests at a time, and the surplus is refused`() async throws {
        let gate = ConcurrencyGate(concurrent: 1, queued: 1)
        let ids = IDs(clock: .system)
        let (busy, other): (TenantID, TenantID) = (ids.next(), ids.next())
        let release = OneShot<Void>()
        let entered = OneShot<Void>()
        async let first: Void = gate.pass(busy) {
            entered.resume(with: .success(()))
            try await release.value()
        }
        try await entered.value()
        try await withThrowingTaskGroup(of: OutboundError.Code?.self) { group in
            // Of two more, one waits and one is refused; who comes first does not matter.
            for _ in 0..<2 { group.addTask { await code { try await gate.pass(busy) {} } } }
            #expect(try await group.next() == .overloaded)
            try await gate.pass(other) {}
            release.resume(with: .success(()))
            #expect(try await group.next() == .some(nil))
        }
        try await first
        try await gate.pass(busy) {}
    }
}
