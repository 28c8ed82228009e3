import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// The platform's own pages, and operators within tenants.
@Suite struct OperatorTests {
    static let operatorPermissions = Set(Tenancy.operatorPermissions.map(\.permission))

    /// Makes Olga an operator and signs her in at the platform's own door; returns her cookie.
    func olga(_ world: TenancyHarness) async throws -> String {
        _ = try await world.tenancy.setOperator(true, email: "olga@example.com", by: .system(in: nil))
        return try await enter(world)
    }

    func enter(_ world: TenancyHarness) async throws -> String {
        let link = try await world.tenancy.makeOperatorLink(email: "olga@example.com")
        #expect(link.hasPrefix("/operator/sign-in?token="))
        let session = try await world.tenancy.openOperatorSession(token: String(link.split(separator: "=").last ?? ""))
        return "\(OperatorCookie.name)=\(session)"
    }

    /// Olga as the verbs know her.
    func principal(_ world: TenancyHarness) async throws -> Principal {
        let id = try #require(try await world.tenancy.operators().first { $0.email.text == "olga@example.com" }).id
        return Principal(actor: .platformOperator(id), permissions: Self.operatorPermissions)
    }

    func call(_ surface: Surface, _ method: String, _ path: String, cookie: String, form: String = "", host: String = "localhost") async throws
        -> LocalAnswer
    {
        let headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")]
        return try await surface.answer(LocalRequest(method, path, host: host, headers: headers, body: Array(form.utf8)))
    }

    func cookie(_ answer: LocalAnswer) throws -> String { try String(#require(answer.header("Set-Cookie")?.split(separator: ";").first)) }

    @Test func `no session and no key of a tenant opens a page of the platform`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let cookie = try await olga(world)
            let ben = try await world.signUpBen()
            let session = try await world.tenancy.signIn(email: ben.user.email.text, password: TenancyHarness.password).token
            let pages = try world.module().endpoints.filter { if case .platform = $0.access { true } else { false } }
            #expect(pages.count >= 7)
            for page in pages {
                let path = page.path.description.replacing("{id}", with: world.acme.id.description).replacing(
                    "{access}", with: ben.user.id.description)
                for credentials in [
                    ("Cookie", "\(SessionCookie.name)=\(session)"), ("Cookie", "\(OperatorCookie.name)=\(session)"),
                    ("Authorization", "Bearer \(world.acmeKey)"), ("Cookie", "none=1")
                ] {
                    let headers = [credentials, ("Content-Type", "application/x-www-form-urlencoded")]
                    let answer = try await surface.answer(LocalRequest(page.method.rawValue, path, headers: headers))
                    #expect(answer.status == 403 && !answer.text.contains("Acme"), "\(page.method) \(path): \(answer.status)")
                }
                // Nor is it a tenant's page, whoever asks.
                for (host, place) in [("acme.localhost", path), ("localhost", "/t/acme" + path)] {
                    #expect(try await call(surface, page.method.rawValue, place, cookie: cookie, host: host).status == 404)
                }
            }
            #expect(try await world.tenancy.tenant(world.acme.id)?.status == .active)
        }
    }

    @Test func `the operators' cookie opens nothing of a tenant`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let cookie = try await olga(world)
            for path in ["/settings", "/v1/tenant", "/t/acme/settings/members", "/v1/tenants"] {
                #expect([401, 404].contains(try await call(surface, "GET", path, cookie: cookie).status), "\(path)")
            }
        }
    }

    @Test func `a link works once, for a quarter of an hour, and only for operators`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await olga(world)
            #expect(try await refusal { try await world.tenancy.makeOperatorLink(email: "ana@example.com") } == "not_an_operator")
            let token = String(try await world.tenancy.makeOperatorLink(email: "olga@example.com").split(separator: "=").last ?? "")
            _ = try await world.tenancy.openOperatorSession(token: token)
            #expect(try await refusal { try await world.tenancy.openOperatorSession(token: token) } == "link_expired")
            let late = String(try await world.tenancy.makeOperatorLink(email: "olga@example.com").split(separator: "=").last ?? "")
            world.lease.clock.advance(by: .seconds(15 * 60 + 1))
            #expect(try await refusal { try await world.tenancy.openOperatorSession(token: late) } == "link_expired")
            // Nor does a link of the one kind open the other door.
            let other = String(try await world.tenancy.makeOperatorLink(email: "olga@example.com").split(separator: "=").last ?? "")
            #expect(try await refusal { try await world.tenancy.signIn(token: other) } == "link_expired")
        }
    }

    @Test func `a session ends after two hours, and at once for whoever is no operator any more`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let first = try await olga(world)
            #expect(try await call(surface, "GET", "/operator", cookie: first).status == 200)
            world.lease.clock.advance(by: .seconds(2 * 3_600 + 1))
            #expect(try await call(surface, "GET", "/operator", cookie: first).status == 403)
            let second = try await enter(world)
            let form = "reason=A+ticket&role=admin&minutes=60"
            let inside = try cookie(try await call(surface, "POST", "/operator/tenants/\(world.acme.id)/impersonations", cookie: second, form: form))
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 200)
            _ = try await world.tenancy.setOperator(false, email: "olga@example.com", by: .system(in: nil))
            #expect(try await call(surface, "GET", "/operator", cookie: second).status == 403)
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 401)
            _ = try await world.tenancy.setOperator(true, email: "olga@example.com", by: .system(in: nil))
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 401)
        }
    }

    @Test func `a new password ends an operator's sessions too`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let outside = try await olga(world)
            let form = "reason=A+ticket&role=admin&minutes=60"
            let inside = try cookie(try await call(surface, "POST", "/operator/tenants/\(world.acme.id)/impersonations", cookie: outside, form: form))
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 200)
            try await world.tenancy.requestPasswordReset(email: "olga@example.com")
            let token = try #require(try await world.mailedTokens("reset_password").last)
            try await world.tenancy.resetPassword(token: token, password: TenancyHarness.password)
            #expect(try await call(surface, "GET", "/operator", cookie: outside).status == 403)
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 401)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `tenants are searched and ordered by what they have`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let small = try await world.makeTenant("small").tenant
            let large = try await world.makeTenant("large", plan: .enterprise).tenant
            try await world.database.write(in: large.id) { tx in try tx.reserve(.executions, 7) }
            try await world.database.write(in: small.id) { tx in try tx.reserve(.executions, 3) }
            let tenancy = world.tenancy
            try await tenancy.countTenants()
            func names(_ search: TenantSearch) async throws -> [String] { try await tenancy.tenants(search).map(\.tenant.subdomain.text) }
            #expect(try await names(TenantSearch()) == ["large", "small", "acme"])
            #expect(try await names(TenantSearch(order: .name)) == ["acme", "large", "small"])
            #expect(try await names(TenantSearch(order: .runs)) == ["large", "small", "acme"])
            #expect(try await names(TenantSearch(words: "LAR")) == ["large"])
            #expect(try await names(TenantSearch(plan: .starter, order: .name)) == ["acme", "small"])
            _ = try await olga(world)
            try await tenancy.suspend(small.id, reason: "Did not pay", by: try await principal(world))
            #expect(try await names(TenantSearch(status: .suspended)) == ["small"])
            #expect(try await names(TenantSearch(order: .status)).first == "small")
            let shown = try #require(try await tenancy.tenants(TenantSearch(words: "large")).first)
            #expect(shown.runs == 7 && shown.members == 1)
            try await world.database.write(in: large.id) { tx in try tx.reserve(.executions, 1) }
            #expect(try await tenancy.counted(shown).runs == 8)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a suspended tenant is refused until it is resumed`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let surface = try world.surface()
            let cookie = try await olga(world)
            let place = "/operator/tenants/\(world.acme.id)"
            #expect(try await call(surface, "POST", "\(place)/suspension", cookie: cookie, form: "suspension_reason=no").status == 422)
            #expect(try await world.tenancy.tenant(world.acme.id)?.status == .active)
            let done = try await call(surface, "POST", "\(place)/suspension", cookie: cookie, form: "suspension_reason=Did+not+pay")
            #expect(done.status == 303)
            #expect(try await call(surface, "GET", place, cookie: cookie).text.contains("Did not pay"))
            let key = Presented(bearer: world.acmeKey, session: nil, tenant: nil)
            #expect(try await refusal { try await world.tenancy.principal(key) } == "tenant_suspended")
            let acme = world.acme.id
            let begun = try await refusal { try await world.lease.database.write(in: acme) { tx in try tx.requireActiveTenant() } }
            #expect(begun == "tenant_suspended", "neither does a schedule begin a run")
            let form = "reason=A+ticket&role=viewer&minutes=15"
            #expect(try await call(surface, "POST", "\(place)/impersonations", cookie: cookie, form: form).status == 403)
            #expect(try await call(surface, "POST", "\(place)/resumption", cookie: cookie).status == 303)
            #expect(try await world.tenancy.principal(key).tenant == world.acme.id)
            #expect(try await world.actions(of: world.acme.id) == ["tenant.create", "tenant.suspend", "tenant.resume"])
            let changed = "plan=custom&features=white_label&workflows=12&executions_per_month=&storage_mib=2&users=x&requests_per_second="
            #expect(try await call(surface, "POST", "\(place)/plan", cookie: cookie, form: changed).status == 422)
            #expect(
                try await call(surface, "POST", "\(place)/plan", cookie: cookie, form: changed.replacing("users=x", with: "users=5")).status == 303)
            let tenant = try #require(try await world.tenancy.tenant(world.acme.id))
            #expect(tenant.plan == .custom && tenant.features == ["white_label"])
            #expect(tenant.limits == PlanLimits(workflows: 12, executionsPerMonth: nil, storageBytes: 2 << 20, users: 5, requestsPerSecond: nil))
        }
    }

    @Test func `a tenant that moved away is not woken`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await olga(world)
            let operatorOfAll = try await principal(world)
            try await world.tenancy.suspend(world.acme.id, reason: "It moves", by: operatorOfAll)
            let acme = world.acme.id
            try await world.database.writeSystem { tx in
                try MoveStore(tx: tx).begin(
                    .init(direction: .outward, state: .copying, statusBefore: "active", peer: "postgres://there/aias"), of: acme)
            }
            #expect(try await refusal { try await world.tenancy.resume(acme, by: operatorOfAll) } == "tenant_moved")
            let change = TenantChange(status: .active)
            #expect(try await refusal { try await world.tenancy.updateTenant(acme, change, by: operatorOfAll) } == "tenant_moved")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an operator in a tenant reads, is seen, and is put out`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let surface = try world.surface()
            let outside = try await olga(world)
            let place = "/operator/tenants/\(world.acme.id)/impersonations"
            for wrong in ["reason=x&role=viewer&minutes=15", "reason=A+ticket&role=owner&minutes=15", "reason=A+ticket&role=viewer&minutes=61"] {
                #expect(try await call(surface, "POST", place, cookie: outside, form: wrong).status == 422, "\(wrong)")
            }
            let begun = try await call(surface, "POST", place, cookie: outside, form: "reason=Ticket+4711&role=viewer&minutes=15")
            #expect(begun.status == 303 && begun.header("Set-Cookie")?.contains("Max-Age=900") == true)
            let inside = try cookie(begun)
            let page = try await call(surface, "GET", "/settings", cookie: inside)
            #expect(page.status == 200 && page.text.contains("class=\"acting\"") && page.text.contains(Console.impersonationEnd))
            // Looking only: nothing is changed, by whatever address; and no operator's route hears this cookie.
            #expect(try await call(surface, "POST", "/settings", cookie: inside, form: "name=Mine&time_zone=UTC").status == 403)
            #expect(try await call(surface, "GET", "/v1/tenants", cookie: inside).status == 403)
            #expect(try await call(surface, "GET", "/operator", cookie: inside).status == 403)
            let other = try await world.makeTenant("other").tenant
            #expect(try await call(surface, "GET", "/t/other/settings", cookie: inside).status == 404)
            // The owner sees it, and ends it.
            let owner = [("Authorization", "Bearer \(world.acmeKey)"), ("Content-Type", "application/x-www-form-urlencoded")]
            let seen = try await surface.answer(LocalRequest("GET", "/settings/operator-access", headers: owner))
            #expect(seen.text.contains("olga@example.com") && seen.text.contains("Ticket 4711"))
            let record = try #require(try await world.tenancy.impersonations(of: world.acme.id, limit: 10).first)
            #expect(try await world.tenancy.impersonations(of: other.id, limit: 10).isEmpty)
            let ended = try await surface.answer(LocalRequest("POST", "/settings/operator-access/\(record.id)/end", headers: owner))
            #expect(ended.status == 303)
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 401)
            #expect(try await world.actions(of: world.acme.id) == ["tenant.create", "impersonation.begin", "impersonation.end"])
            #expect(try await world.actions(of: Tenancy.platformLog).contains("impersonation.begin"))
        }
    }

    @Test func `what an operator changes in a tenant stands in its log as theirs, and some of it is never theirs to change`() async throws {
        try await withTenancy(.sqlite) { world in
            let surface = try world.surface()
            let outside = try await olga(world)
            let place = "/operator/tenants/\(world.acme.id)/impersonations"
            let inside = try cookie(try await call(surface, "POST", place, cookie: outside, form: "reason=Ticket+4711&role=admin&minutes=15"))
            #expect(try await call(surface, "POST", "/settings", cookie: inside, form: "name=Acme+2&time_zone=UTC").status == 303)
            #expect(try await call(surface, "POST", "/settings/api-keys", cookie: inside, form: "name=Mine&expires=30").status == 403)
            #expect(try await call(surface, "POST", "/settings/invitations", cookie: inside, form: "email=x%40example.com&role=admin").status == 403)
            let log = try await world.tenancy.auditLog(of: world.acme.id, before: nil, limit: 20)
            let record = try #require(try await world.tenancy.impersonations(of: world.acme.id, limit: 10).first)
            let update = try #require(log.first { $0.action == "tenant.update" })
            #expect(update.actor == "operator:\(record.operatorID)" && update.details["impersonation"]?.text == record.id.description)
            let asked = log.filter { $0.action == "impersonation.request" }.compactMap { $0.details["path"]?.text }
            #expect(asked == ["/settings/invitations", "/settings/api-keys", "/settings"])
            let page = try await call(surface, "GET", "/settings/audit-log", cookie: inside)
            #expect(page.text.contains("olga@example.com"))
            world.lease.clock.advance(by: .seconds(15 * 60 + 1))
            #expect(try await call(surface, "GET", "/settings", cookie: inside).status == 401)
            let left = try await call(surface, "POST", Console.impersonationEnd, cookie: inside)
            #expect(left.status == 303 && left.header("Set-Cookie")?.contains("Max-Age=0") == true)
        }
    }
}
