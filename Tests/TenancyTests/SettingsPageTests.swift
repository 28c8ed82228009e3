import Foundation
import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// The settings as people of each role meet them.
@Suite struct SettingsPageTests {
    /// Invites somebody with a role; returns their session's cookie.
    func join(_ world: TenancyHarness, _ role: Role) async throws -> String {
        try await world.tenancy.invite(email: "\(role.rawValue)@example.com", role: role, to: world.acme.id, by: TenancyHarness.owner)
        let token = try #require(try await world.mailedTokens("invitation").last)
        return "\(SessionCookie.name)=\(try await world.tenancy.acceptInvitation(token: token, name: nil, password: TenancyHarness.password).token)"
    }

    func call(_ surface: Surface, _ method: String, _ path: String, cookie: String, form: String = "") async throws -> LocalAnswer {
        let headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")]
        return try await surface.answer(LocalRequest(method, path, headers: headers, body: Array(form.utf8)))
    }

    @Test func `a viewer sees the members and changes nothing`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let viewer = try await join(world, .viewer)
            let page = try await call(surface, "GET", "/settings/members", cookie: viewer)
            #expect(page.status == 200 && page.text.contains("ana@example.com"))
            #expect(!page.text.contains("action=\"/settings/"))
            #expect(try await !call(surface, "GET", "/settings", cookie: viewer).text.contains("action=\"/settings"))
            for path in ["/settings/api-keys", "/settings/audit-log"] {
                #expect(try await call(surface, "GET", path, cookie: viewer).status == 403)
            }
            let invite = "email=x%40example.com&role=viewer"
            #expect(try await call(surface, "POST", "/settings/invitations", cookie: viewer, form: invite).status == 403)
        }
    }

    @Test func `an admin is not offered to make or change an owner`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let admin = try await join(world, .admin)
            let page = try await call(surface, "GET", "/settings/members", cookie: admin)
            #expect(page.text.contains("action=\"/settings/invitations?page_tenant=\(world.acme.id)\"") && !page.text.contains("value=\"owner\""))
            let ana = try #require(try await world.tenancy.members(of: world.acme.id).first { $0.role == .owner }).user
            #expect(!page.text.contains("/settings/members/\(ana)/"))
            let refused = try await call(surface, "POST", "/settings/members/\(ana)/role", cookie: admin, form: "role=viewer")
            #expect(refused.status == 403 && refused.text.contains("role=\"alert\""))
        }
    }

    @Test func `a fault stands next to its field, and what was typed stays`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let admin = try await join(world, .admin)
            let page = try await call(surface, "POST", "/settings/invitations", cookie: admin, form: "email=ana%40example.com&role=viewer")
            #expect(page.status == 409)
            #expect(page.text.contains("id=\"email-fault\"") && page.text.contains("value=\"ana@example.com\""))
        }
    }

    @Test func `a new key's secret is on the page that made it and on no other`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let admin = try await join(world, .admin)
            let form = "name=Deploy&expires=30&scope=usage.read"
            let page = try await call(surface, "POST", "/settings/api-keys", cookie: admin, form: form)
            #expect(page.status == 201)
            let secret = try #require(page.text.firstMatch(of: #/aias_[0-9A-Za-z]{32}/#)).output
            let who = try await world.tenancy.principal(Presented(bearer: String(secret), session: nil, tenant: nil))
            #expect(who.permissions == ["usage.read"])
            #expect(try await !call(surface, "GET", "/settings/api-keys", cookie: admin).text.contains(secret))
            let unknown = try await call(surface, "POST", "/settings/api-keys", cookie: admin, form: "name=&expires=30")
            #expect(unknown.status == 422 && unknown.text.contains("id=\"name-fault\""))
        }
    }

    @Test func `the audit log is paged, newest first, and names people`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let admin = try await join(world, .admin)
            for index in 0..<60 {
                _ = try await call(surface, "POST", "/settings", cookie: admin, form: "name=Acme+\(index)&time_zone=UTC")
            }
            let first = try await call(surface, "GET", "/settings/audit-log", cookie: admin)
            #expect(first.text.contains("admin@example.com") && !first.text.contains("tenant.create"))
            let next = try #require(first.text.firstMatch(of: #/href="(\/settings\/audit-log\?cursor=[^"]+)"/#)).output.1
            let second = try await call(surface, "GET", String(next), cookie: admin)
            #expect(second.text.contains("tenant.create") && !second.text.contains("?cursor="))
        }
    }

    @Test func `usage shows what is counted, with its limit, and no more`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let billing = try await join(world, .billing)
            let page = try await call(surface, "GET", "/settings/usage", cookie: billing)
            #expect(page.text.contains("value=\"2\" max=\"3\"") && page.text.contains("value=\"0\" max=\"1000\""))
            #expect(page.text.matches(of: #/<progress/#).count == 4)
        }
    }

    @Test func `sizes are said in the largest unit that fits`() {
        #expect([0, 1_023, 1 << 10, 1_536, 5 << 20, 100 << 30].map(UsageLine.size) == ["0 B", "1023 B", "1 KiB", "1.5 KiB", "5 MiB", "100 GiB"])
    }

    @Test func `every key of the pages is a text`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        let keys = try Strings(directory: root + "/Locales").keys(of: "en")
        for place in ["Tenancy/Pages", "Tenancy/Operators", "Workflows/Pages", "HTTPSurface/Pages"] {
            let folder = "\(root)/Sources/\(place)"
            for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let source = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
                for match in source.matches(of: #/"((?:http|tenancy|workflows)\.[a-z_]+\.[a-z_.]+)"/#) where !match.1.hasSuffix(".") {
                    #expect(keys.contains(String(match.1)), "\(file): \(match.1)")
                }
            }
        }
        for permission in TenancyModule.permissions { #expect(keys.contains("permission.\(permission.permission.name)")) }
    }
}
