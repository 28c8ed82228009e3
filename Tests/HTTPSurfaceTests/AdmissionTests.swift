import HTTPSurface
import Kernel
import Synchronization
import Testing

/// Who may call what, in which tenant.
struct AdmissionTests {
    let harness = SurfaceHarness(EndpointTests.endpoints)
    let note = #"{"title":"Milk"}"#

    @Test func `nobody is 401, a wrong key is 401, a missing permission is 403`() async throws {
        let nobody = try await harness.call("POST", "/v1/notes", body: note)
        #expect(nobody.status == 401)
        #expect(nobody.header("WWW-Authenticate") != nil)
        #expect(try await harness.call("POST", "/v1/notes", headers: ["Authorization": "Bearer nope"], body: note).status == 401)
        let reader = try await harness.call("POST", "/v1/notes", headers: ["Authorization": "Bearer key-reader"], body: note)
        #expect(reader.status == 403)
        #expect(try reader.json["code"] == "permission_denied")
    }

    @Test func `the tenant comes from host, path or key, and where two are given they agree`() async throws {
        let key = ["Authorization": "Bearer key-acme"]
        func status(_ target: String, _ host: String) async throws -> Int { try await harness.call("GET", target, host: host, headers: key).status }
        #expect(try await status("/v1/notes", "localhost:8080") == 200)
        #expect(try await status("/v1/notes", "ACME.localhost:8080") == 200)
        #expect(try await status("/v1/notes", "acme.aias.example") == 200)
        #expect(try await status("/v1/notes", "flows.acme.example") == 200)
        #expect(try await status("/t/acme/v1/notes", "localhost") == 200)
        #expect(try await status("/t/acme/v1/notes", "acme.localhost") == 200)
        #expect(try await status("/v1/notes", "127.0.0.1:8080") == 200)
        #expect(try await status("/v1/notes", "[::1]:8080") == 200)
        #expect(try await status("/v1/notes", "other.localhost") == 404)
        #expect(try await status("/v1/notes", "nobody.localhost") == 404)
        #expect(try await status("/v1/notes", "stranger.example") == 404)
        let stranger = try await harness.call("GET", "/v1/notes", host: "stranger.example", headers: key)
        #expect(try stranger.json["code"] == "unknown_host")
        #expect(try await status("/t/other/v1/notes", "localhost") == 404)
        #expect(try await status("/t/other/v1/notes", "acme.localhost") == 404)
    }

    @Test func `what is the platform's is for its operators, who are of no tenant`() async throws {
        #expect(try await harness.call("GET", "/v1/platform", headers: ["Authorization": "Bearer operator"]).status == 200)
        #expect(try await harness.call("GET", "/v1/platform", headers: ["Authorization": "Bearer key-acme"]).status == 403)
        let tenantless = try await harness.call("GET", "/v1/notes", headers: ["Authorization": "Bearer operator"])
        #expect(tenantless.status == 400)
        #expect(try tenantless.json["code"] == "tenant_required")
        #expect(try await harness.call("GET", "/v1/notes", host: "acme.localhost", headers: ["Authorization": "Bearer operator"]).status == 404)
    }

    @Test func `a session is refused writes that another site sends`() async throws {
        func post(_ headers: [String: String]) async throws -> Int {
            try await harness.call(
                "POST", "/v1/notes", host: "acme.localhost:8080", headers: headers.merging(["Cookie": "a=b; session=ana"]) { $1 }, body: note
            ).status
        }
        #expect(try await post([:]) == 201)
        #expect(try await post(["Sec-Fetch-Site": "same-origin"]) == 201)
        #expect(try await post(["Sec-Fetch-Site": "same-site"]) == 403)
        #expect(try await post(["Sec-Fetch-Site": "cross-site", "Origin": "http://acme.localhost:8080"]) == 403)
        #expect(try await post(["Origin": "http://acme.localhost:8080"]) == 201)
        #expect(try await post(["Origin": "http://evil.example"]) == 403)
        #expect(try await post(["Origin": "null"]) == 403)
        #expect(try await post(["Origin": "http://evil.example", "Authorization": "Basic YTpi"]) == 403)
        #expect(try await harness.call("POST", "/hooks/x", headers: ["Origin": "http://evil.example"]).status == 200)
    }

    @Test func `a rate that is used up is 429 and says when to come back`() async throws {
        let left = Mutex(1)
        let limited = SurfaceHarness(
            EndpointTests.endpoints,
            limitRate: { subject in
                #expect(subject.tenant == SurfaceHarness.acme)
                let now = left.withLock {
                    $0 -= 1; return $0
                }
                return RateDecision(isAllowed: now >= 0, limit: 10, remaining: now, reset: .milliseconds(1_500), retryAfter: .milliseconds(100))
            })
        let first = try await limited.call("GET", "/v1/notes", headers: ["Authorization": "Bearer key-acme"])
        #expect(first.status == 200)
        #expect(first.header("RateLimit-Limit") == "10")
        #expect(first.header("RateLimit-Remaining") == "0")
        #expect(first.header("RateLimit-Reset") == "2")
        let second = try await limited.call("GET", "/v1/notes", headers: ["Authorization": "Bearer key-acme"])
        #expect(second.status == 429)
        #expect(second.header("Retry-After") == "1")
    }

    @Test func `a public endpoint learns on demand who calls it`() async throws {
        let endpoint = Endpoint.raw(.get, "/who", access: .public("A test."), summary: "Who", tag: "Test") { call in
            .text(try await call.authenticated().actor.text)
        }
        let who = SurfaceHarness([endpoint])
        let actor: ([String: String], String) async throws -> String = { headers, host in
            try await who.call("GET", "/who", host: host, headers: headers).text
        }
        #expect(try await actor([:], "localhost") == "anonymous")
        #expect(try await actor(["Cookie": "session=ana"], "localhost") == "user:\(SurfaceHarness.user)")
        #expect(try await actor(["Cookie": "session=ana"], "acme.localhost") == "user:\(SurfaceHarness.user)")
        #expect(try await actor(["Cookie": "session=ana"], "other.localhost") == "anonymous")
        #expect(try await actor(["Authorization": "Bearer nope"], "localhost") == "anonymous")
    }

    @Test func `what is not for everybody is kept by no cache, unless its answer says otherwise`() async throws {
        let files = SurfaceHarness([
            .raw(.get, "/file", access: .tenant("notes.read"), summary: "File", tag: "Test") { _ in .text("private") },
            .raw(.get, "/picture", access: .tenant("notes.read"), summary: "Picture", tag: "Test") { _ in
                Answer(contentType: "image/png", headers: [("Cache-Control", "private, max-age=60")], body: .bytes([1]))
            },
            .raw(.get, "/badge", access: .public("A test."), summary: "Badge", tag: "Test") { _ in .text("public") }
        ])
        let key = ["Authorization": "Bearer key-acme"]
        #expect(try await files.call("GET", "/file", headers: key).header("Cache-Control") == "no-store")
        #expect(try await files.call("GET", "/file").header("Cache-Control") == "no-store")
        #expect(try await files.call("GET", "/picture", headers: key).header("Cache-Control") == "private, max-age=60")
        #expect(try await files.call("GET", "/badge").header("Cache-Control") == nil)
    }

    @Test func `figures are for who asks on this machine, for this machine, and through no proxy`() async throws {
        let operations = SurfaceHarness(Endpoint.operations(ready: { [] }, metrics: { "up 1\n" }))
        func status(_ host: String, from address: String?, _ headers: [String: String] = [:]) async throws -> Int {
            try await operations.call("GET", "/metrics", host: host, headers: headers, from: address).status
        }
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            #expect(try await status(host, from: "127.0.0.1") == 200)
            #expect(try await status(host, from: "::1") == 200)
            #expect(try await status(host, from: "192.0.2.1") == 403)
            #expect(try await status(host, from: nil) == 403)
            #expect(try await status(host, from: "127.0.0.1", ["X-Forwarded-For": "192.0.2.1"]) == 403)
        }
        for host in ["rebound.example", "rebound.example:8080", "127.0.0.1.rebound.example", "aias.example"] {
            #expect(try await status(host, from: "127.0.0.1") == 403)
        }
    }

    @Test func `no answer allows another origin to read it`() async throws {
        let reply = try await harness.call("GET", "/v1/notes", headers: ["Authorization": "Bearer key-acme", "Origin": "http://evil.example"])
        #expect(reply.header("Access-Control-Allow-Origin") == nil)
        #expect(reply.header("X-Content-Type-Options") == "nosniff")
        #expect(reply.header("Cache-Control") == "no-store")
    }
}
