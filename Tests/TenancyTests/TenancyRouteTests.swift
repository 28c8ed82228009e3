import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct TenancyRouteTests {
    @Test func `the endpoints are declared without fault`() async throws {
        try await withTenancy(.sqlite) { world in
            let endpoints = try world.module().endpoints
            #expect(EndpointAudit.faults(in: endpoints, permissions: TenancyModule.permissions) == [])
        }
    }

    @Test func `over TLS a session is shown by a cookie that no other host can set`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            let tenancy = Tenancy(
                database: world.database, clock: world.lease.clock.clock, vault: world.lease.vault, permissions: world.tenancy.permissions,
                usesTLS: true)
            let surface = try TenancyHarness(lease: world.lease, tenancy: tenancy, acme: world.acme, acmeKey: world.acmeKey).surface()
            let body = Array(#"{"email":"ben@example.com","password":"\#(TenancyHarness.password)"}"#.utf8)
            let answer = try await surface.answer(
                LocalRequest("POST", "/v1/sessions", headers: [("Content-Type", "application/json")], body: body))
            let cookie = try #require(answer.header("Set-Cookie"))
            #expect(cookie.hasPrefix("__Host-aias_session=") && cookie.contains("; Path=/;") && cookie.hasSuffix("; Secure"))
            #expect(cookie.contains("; HttpOnly") && !cookie.lowercased().contains("domain"))
            let token = cookie.dropFirst("__Host-aias_session=".count).prefix { $0 != ";" }
            func status(_ name: String) async throws -> Int {
                try await surface.answer(LocalRequest("GET", "/v1/tenant", headers: [("Cookie", "\(name)=\(token)")])).status
            }
            #expect(try await status("__Host-aias_session") == 200)
            #expect(try await status("aias_session") == 401)
        }
    }

    @Test func `who signs in again leaves no session behind`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            let surface = try world.surface()
            func token(of answer: LocalAnswer) throws -> String {
                String(try #require(answer.header("Set-Cookie")).dropFirst("\(SessionCookie.name)=".count).prefix { $0 != ";" })
            }
            func status(_ token: String) async throws -> Int {
                try await surface.answer(LocalRequest("GET", "/v1/tenant", headers: [("Cookie", "\(SessionCookie.name)=\(token)")])).status
            }
            let json = Array(#"{"email":"ben@example.com","password":"\#(TenancyHarness.password)"}"#.utf8)
            let form = Array("email=ben%40example.com&password=correct%20horse%20battery".utf8)
            var last = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            for (path, type, body) in [("/v1/sessions", "application/json", json), ("/sign-in", "application/x-www-form-urlencoded", form)] {
                #expect(try await status(last) == 200)
                let cookie = "\(SessionCookie.name)=\(last)"
                let answer = try await surface.answer(
                    LocalRequest("POST", path, headers: [("Content-Type", type), ("Cookie", cookie)], body: body))
                let next = try token(of: answer)
                #expect(try await status(last) == 401)
                #expect(try await status(next) == 200)
                last = next
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `no endpoint shows or changes another tenant`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let other = try await world.makeTenant("other")
            let stranger = try #require(try await world.tenancy.members(of: other.tenant.id).first).user
            let strangersKey = try #require(try await world.tenancy.keys(of: other.tenant.id, before: nil, limit: 1).first).id
            let surface = try world.surface()
            let endpoints = try world.module().endpoints.filter { if case .tenant = $0.access { true } else { false } }
            #expect(endpoints.count >= 11)
            for endpoint in endpoints {
                let path = endpoint.path.description.replacing("{user}", with: stranger.description).replacing("{id}", with: strangersKey.description)
                let bodies = [
                    "/v1/members/{user}/role": #"{"role":"viewer"}"#, "/v1/tenant": #"{"name":"Mine","keep_failed_days":9}"#,
                    "/v1/invitations": #"{"email":"x@example.com","role":"viewer"}"#, "/v1/api-keys": #"{"name":"Mine"}"#
                ]
                let isWriting = [.post, .put, .patch].contains(endpoint.method)
                let form = "name=Mine&time_zone=UTC&email=y%40example.com&role=viewer&expires=30"
                let isForm = endpoint.kind == .page
                let isPicture = endpoint.path.description == "/v1/branding/logo" && isWriting
                let text = Array((isForm ? form : bodies[endpoint.path.description] ?? "{}").utf8)
                let body = isPicture ? BrandingTests.png : isWriting ? text : []
                let type = isForm ? "application/x-www-form-urlencoded" : "application/json"
                let headers = [("Authorization", "Bearer \(world.acmeKey)"), ("Content-Type", type)]
                let name = "\(endpoint.method.rawValue) \(endpoint.path)"
                for (host, target) in [("other.localhost", path), ("localhost", "/t/other" + path)] {
                    let answer = try await surface.answer(LocalRequest(endpoint.method.rawValue, target, host: host, headers: headers, body: body))
                    #expect(answer.status == 404, "\(name) at \(host)\(target): \(answer.status) \(answer.text)")
                }
                let own = try await surface.answer(LocalRequest(endpoint.method.rawValue, path, headers: headers, body: body))
                if endpoint.path.parameters.isEmpty {
                    #expect((200..<(isForm ? 400 : 300)).contains(own.status), "\(name): \(own.status) \(own.text)")
                    for secret in [other.tenant.id.description, stranger.description, strangersKey.description, "owner@other"] {
                        #expect(!own.text.contains(secret), "\(name) shows \(secret)")
                    }
                } else {
                    #expect(own.status == 404, "\(name) with another's id: \(own.status) \(own.text)")
                }
                let anonymous = try await surface.answer(LocalRequest(endpoint.method.rawValue, path, headers: [headers[1]], body: body))
                #expect(anonymous.status == 401, "\(name) for nobody: \(anonymous.status)")
            }
            #expect(try await world.actions(of: other.tenant.id) == ["tenant.create"])
            #expect(try await world.tenancy.tenant(other.tenant.id)?.runKeeping == RunKeeping())
            #expect(try await world.tenancy.principal(Presented(bearer: other.apiKey, session: nil, tenant: nil)).tenant == other.tenant.id)
        }
    }

    @Test func `signing up, signing in and the prices need no key`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            func post(_ path: String, _ body: String) async throws -> LocalAnswer {
                try await surface.answer(LocalRequest("POST", path, headers: [("Content-Type", "application/json")], body: Array(body.utf8)))
            }
            let plans = try JSON(parsing: try await surface.answer(LocalRequest("GET", "/v1/plans")).body)
            #expect(plans["data"]?[0]?["price_yearly"] == 29_000 && plans["data"]?[2]?["limits"]?["workflows"] == .null)
            let signUp = #"{"name":"Ben","email":"ben@example.com","password":"correct horse battery","tenant_name":"Ben","subdomain":"bens"}"#
            #expect(try await post("/v1/sign-ups", signUp).status == 201)
            let signedIn = try await post("/v1/sessions", #"{"email":"ben@example.com","password":"correct horse battery"}"#)
            let cookie = try #require(signedIn.header("Set-Cookie")?.split(separator: ";").first)
            let tenant = try await surface.answer(LocalRequest("GET", "/v1/tenant", headers: [("Cookie", String(cookie))]))
            #expect(try JSON(parsing: tenant.body)["subdomain"] == "bens")
            #expect(try await surface.answer(LocalRequest("GET", "/v1/tenants", headers: [("Cookie", String(cookie))])).status == 403)
        }
    }

    @Test(arguments: ["/v1/usage", "/v1/plans"]) func `a short list has pages too`(path: String) async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            func page(_ query: String) async throws -> LocalAnswer {
                try await surface.answer(LocalRequest("GET", path + query, headers: [("Authorization", "Bearer \(world.acmeKey)")]))
            }
            let whole = try JSON(parsing: try await page("").body)["data"]?.array ?? []
            var seen: [JSON] = []
            var query: String? = "?limit=2"
            while let now = query {
                let part = try JSON(parsing: try await page(now).body)
                seen += part["data"]?.array ?? []
                query = part["next_cursor"]?.text.map { "?limit=2&cursor=\($0)" }
            }
            #expect(seen == whole && whole.count > 2)
            let beyond = try await page("?cursor=\(Cursor([.number(99)]).text)")
            #expect(beyond.status == 400)
        }
    }
}
