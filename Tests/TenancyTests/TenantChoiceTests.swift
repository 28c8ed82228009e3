import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// Ben has a tenant of his own and belongs to Acme.
@Suite struct TenantChoiceTests {
    private struct Ben {
        var own: TenantID
        var session: String
    }

    private func withBen(_ body: (TenancyHarness, Ben) async throws -> Void) async throws {
        try await withTenancy(.sqlite) { world in
            let own = try await world.signUpBen().tenant.id
            let proof = try #require(try await world.mailedTokens("verify_email").first)
            try await world.tenancy.verifyEmail(token: proof, session: nil, password: TenancyHarness.password)
            world.lease.clock.advance(by: .seconds(60))
            try await world.tenancy.invite(email: "ben@example.com", role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            let token = try #require(try await world.mailedTokens("invitation").last)
            let session = try await world.tenancy.acceptInvitation(token: token, name: nil, password: nil).token
            try await body(world, Ben(own: own, session: session))
        }
    }

    private func place(_ world: TenancyHarness, _ ben: Ben, named: TenantID? = nil, chosen: TenantID?) async throws -> TenantID? {
        try await world.tenancy.principal(Presented(bearer: nil, session: ben.session, tenant: named, chosen: chosen)).tenant
    }

    @Test func `who belongs to two tenants goes from one to the other at the platform's own host`() async throws {
        try await withBen { world, ben in
            let surface = try world.surface()
            func call(_ method: String, _ path: String, _ cookies: [String], headers: [(String, String)] = []) async throws -> LocalAnswer {
                let shown = (["\(SessionCookie.name)=\(ben.session)"] + cookies).joined(separator: "; ")
                return try await surface.answer(LocalRequest(method, path, headers: [("Cookie", shown)] + headers))
            }
            func subdomain(_ path: String, _ cookies: [String]) async throws -> JSON? {
                try JSON(parsing: try await call("GET", path, cookies).body)["subdomain"]
            }
            #expect(try await subdomain("/v1/tenant", []) == "bens")
            let page = try await call("GET", "/tenants", [])
            #expect(page.status == 200 && page.text.contains("/tenants/\(world.acme.id)/choice") && !page.text.contains("\(ben.own)/choice"))
            let foreign = try await call("POST", "/tenants/\(world.acme.id)/choice", [], headers: [("Sec-Fetch-Site", "cross-site")])
            #expect(foreign.status == 403)
            let chosen = try await call("POST", "/tenants/\(world.acme.id)/choice", [])
            let cookie = try String(#require(chosen.header("Set-Cookie")?.split(separator: ";").first))
            #expect(chosen.status == 303 && cookie == "\(TenantCookie.name)=\(world.acme.id)")
            #expect(try await subdomain("/v1/tenant", [cookie]) == "acme")
            // The address goes before what was chosen.
            #expect(try await subdomain("/t/bens/v1/tenant", [cookie]) == "bens")
            #expect(try await call("GET", "/tenants", [cookie]).text.contains("\(ben.own)/choice"))
        }
    }

    @Test func `a form of one tenant's page does nothing in another that was chosen since, and says how to go on`() async throws {
        try await withBen { world, ben in
            let surface = try world.surface()
            let chosen = "\(TenantCookie.name)=\(world.acme.id)"
            func call(_ method: String, _ path: String, _ cookies: [String], form: String = "", page: TenantID? = nil) async throws -> LocalAnswer {
                var headers = [("Cookie", (["\(SessionCookie.name)=\(ben.session)"] + cookies).joined(separator: "; "))]
                if !form.isEmpty { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
                if let page { headers.append(("Page-Tenant", page.description)) }
                return try await surface.answer(LocalRequest(method, path, headers: headers, body: Array(form.utf8)))
            }
            let user = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).user.id
            try await world.tenancy.setRole(.admin, of: user, in: world.acme.id, by: TenancyHarness.owner)
            let address = "/settings/invitations?page_tenant=\(ben.own)"
            let page = try await call("GET", "/settings/members", [])
            #expect(page.text.contains("action=\"\(address)\"") && page.text.contains("data-tenant=\"\(ben.own)\""))
            #expect(try await !call("GET", "/t/bens/settings/members", []).text.contains("page_tenant"))
            let form = "email=friend%40example.com&role=viewer"
            #expect(try await call("POST", address, [chosen], form: form).status == 409)
            for method in ["GET", "PATCH"] {
                let refused = try await call(method, "/v1/tenant", [chosen], page: ben.own)
                let code = try JSON(parsing: refused.body)["code"]
                #expect(refused.status == 409 && code == "other_tenant")
            }
            #expect(try await world.tenancy.invitations(to: world.acme.id).isEmpty)
            #expect(try await call("GET", "/v1/tenant", [chosen], page: world.acme.id).status == 200)
            #expect(try await call("POST", address, [], form: form).status == 303)
            #expect(try await world.tenancy.invitations(to: ben.own).count == 1)
            let back = try await call("POST", "/tenants/\(ben.own)/choice", [chosen], form: "back=%2Fsettings%2Fmembers")
            #expect(back.status == 303 && back.header("Location") == "/settings/members")
            #expect(["//evil.example", "https://evil.example", "/\\evil.example", ""].map(TenantChoicePages.local) == ["/", "/", "/", "/"])
        }
    }

    @Test func `nobody comes by choice to a tenant that they do not belong to`() async throws {
        try await withBen { world, ben in
            let other = try await world.makeTenant("other").tenant.id
            #expect(try await place(world, ben, chosen: other) == ben.own)
            let surface = try world.surface()
            let shown = [("Cookie", "\(SessionCookie.name)=\(ben.session)")]
            #expect(try await surface.answer(LocalRequest("POST", "/tenants/\(other)/choice", headers: shown)).status == 404)
            let key = [("Authorization", "Bearer \(world.acmeKey)")]
            #expect(try await surface.answer(LocalRequest("POST", "/tenants/\(world.acme.id)/choice", headers: key)).status == 404)
            let user = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).user.id
            #expect(try await place(world, ben, chosen: world.acme.id) == world.acme.id)
            try await world.tenancy.removeMember(user, from: world.acme.id, by: TenancyHarness.owner)
            #expect(try await place(world, ben, chosen: world.acme.id) == ben.own)
        }
    }

    @Test func `a tenant that is suspended keeps nobody from their others`() async throws {
        try await withBen { world, ben in
            _ = try await world.tenancy.updateTenant(ben.own, TenantChange(status: .suspended), by: TenancyHarness.owner)
            for chosen in [nil, ben.own] as [TenantID?] { #expect(try await place(world, ben, chosen: chosen) == world.acme.id) }
            #expect(try await refusal { try await place(world, ben, named: ben.own, chosen: nil) } == "tenant_suspended")
            _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(status: .suspended), by: TenancyHarness.owner)
            #expect(try await refusal { try await place(world, ben, chosen: nil) } == "tenant_suspended")
        }
    }
}
