import HTTPSurface
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// The module on a database of its own, with the seeded plans and a tenant, Acme, whose owner is Ana.
struct TenancyHarness {
    static let password = "correct horse battery"
    static let owner = Principal(actor: .system)

    let lease: DatabaseLease
    let tenancy: Tenancy
    let acme: Tenant
    let acmeKey: String

    var database: any Database { lease.database }

    /// Makes another tenant.
    func makeTenant(_ subdomain: String, plan: PlanName = .starter, limits: PlanLimits? = nil) async throws -> (tenant: Tenant, apiKey: String) {
        let new = NewTenant(name: subdomain, subdomain: subdomain, plan: plan, limits: limits)
        return try await tenancy.createTenant(new, owner: "owner@\(subdomain).example", by: Self.owner)
    }

    /// Signs Ben up with a tenant of his own.
    func signUpBen() async throws -> (user: User, tenant: Tenant) {
        let new = NewTenant(name: "Ben's", subdomain: "bens", plan: .starter)
        return try await tenancy.signUp(name: "Ben", email: "Ben@example.com", password: Self.password, tenant: new)
    }

    /// The session of a person, opened by a link.
    func signIn(_ email: String) async throws -> String {
        let token = try await tenancy.makeSignInLink(email: email).split(separator: "=").last.map(String.init) ?? ""
        return try await tenancy.signIn(token: token).token
    }

    /// The tokens of the mails asked for so far, oldest first.
    func mailedTokens(_ template: String) async throws -> [String] {
        try await mails().filter { $0.template == template }.map { String($0.arguments["path"]?.split(separator: "=").last ?? "") }
    }

    func mails() async throws -> [MailRequest] {
        var out: [MailRequest] = []
        for payload in try await outbox() { out.append(try await MailRequested.open(try JSON(parsing: payload), in: lease.vault)) }
        return out
    }

    func outbox() async throws -> [String] {
        try await database.readSystem { tx in
            try tx.all("SELECT payload FROM outbox_events WHERE name = \("mail.requested") ORDER BY id") { try $0.column(0) }
        }
    }

    func actions(of tenant: TenantID) async throws -> [String] {
        try await tenancy.auditLog(of: tenant, before: nil, limit: 200).reversed().map(\.action)
    }

    func module() throws -> Module {
        let console = Console(files: try StaticFiles(roots: ["Web"]), entries: [])
        return TenancyModule.module(tenancy, console: console, operators: console)
    }

    func surface() throws -> Surface {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let doors = Doors(
            authenticate: { [tenancy] request in try await tenancy.principal(of: request) },
            resolveTenant: { [tenancy] address in
                guard case .subdomain(let name) = address else { return nil }
                return try await tenancy.tenant(subdomain: name)?.id
            }, authenticateOperator: { [tenancy] request in try await tenancy.operatorPrincipal(of: request) })
        return Surface(endpoints: try module().endpoints, doors: doors, ids: lease.ids, logger: logger)
    }
}

func withTenancy(_ engine: DatabaseEngine, _ body: (TenancyHarness) async throws -> Void) async throws {
    try await withDatabase(engine, tables: TenancyModule.tables, migrations: TenancyModule.migrations) { lease in
        let tenancy = Tenancy(
            database: lease.database, clock: lease.clock.clock, vault: lease.vault, permissions: PermissionTable(TenancyModule.permissions),
            usesTLS: false)
        try await tenancy.seedPlans()
        let new = NewTenant(name: "Acme", subdomain: "acme", plan: .starter)
        let made = try await tenancy.createTenant(new, owner: "ana@example.com", by: TenancyHarness.owner)
        try await body(TenancyHarness(lease: lease, tenancy: tenancy, acme: made.tenant, acmeKey: made.apiKey))
    }
}

/// The code of the refusal that the work ends with; nil where it succeeds.
func refusal(of work: () async throws -> some Any) async throws -> String? {
    do {
        _ = try await work()
        return nil
    } catch let refusal as Refusal {
        return refusal.code
    }
}
