import HTTPSurface
import Kernel
import Logging
import Outbound
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// The module with a tenant, Acme, whose owner is Ana, sold to by a company in Berlin, on a database of its own.
struct BillingHarness {
    let lease: DatabaseLease
    let tenancy: Tenancy
    let billing: Billing
    let acme: Tenant
    let ana: Principal

    static let permissions = PermissionTable(TenancyModule.permissions + BillingModule.permissions)
    static let operatorOf = Principal(actor: .system)

    var database: any Database { lease.database }
    var id: TenantID { acme.id }

    static let german = Party(name: "Acme GmbH", street: "Hauptstr. 1", postalCode: "10115", city: "Berlin", country: "DE", vatId: nil, email: nil)

    func profile(_ country: String = "US", vatID: String? = nil) async throws {
        var party = Self.german
        (party.country, party.vatId) = (country, vatID)
        _ = try await billing.setProfile(party, of: id, by: ana)
    }

    @discardableResult
    func perform(_ request: SubscriptionRequest) async throws -> SubscriptionOutcome { try await billing.perform(request, of: id, by: ana) }

    func days(_ days: Int) { lease.clock.advance(by: .seconds(Int64(days) * 86_400)) }

    func pay(_ amount: Int64, reference: String, for invoice: Invoice?) async throws -> Bool {
        try await billing.receive(
            StatementLine(id: reference, amount: amount, currency: "USD", text: ""), id, for: invoice?.id, by: Self.operatorOf)
    }

    func balance(_ kind: Account.Kind) async throws -> Int64 {
        let tenant = id
        return try await database.readPlatform { tx in
            let store = LedgerStore(tx: tx)
            return try store.balances().filter { $0.key.kind == kind && (!kind.isOfTenant || $0.key.owner == tenant.description) }.values.reduce(0, +)
        }
    }

    /// What must hold whatever has happened: the ledger is whole, and the tenant owes what its invoices ask for.
    func check(_ note: String = "") async throws {
        #expect(try await billing.ledger.faults() == [], "\(note)")
        let due = try await billing.invoices(of: id, before: nil, limit: 200).filter { $0.kind == .invoice }.reduce(0) { $0 + $1.due }
        let payments = try await billing.payments(of: id, before: nil, limit: 200)
        var disputed: Int64 = 0
        for payment in payments where payment.status == .disputed {
            disputed += try await database.read(in: id) { tx in try PaymentPartStore(tx: tx).disputed(payment.id) ?? 0 }
        }
        #expect(try await balance(.receivable) == due + disputed, "\(note)")
    }

    /// A tenant of other people that has said how it is paid.
    func seller(_ name: String, provider: String = "bank", destination: String = "DE89370400440532013000") async throws -> TenantID {
        let new = NewTenant(name: name, subdomain: name, plan: .starter)
        let id = try await tenancy.createTenant(new, owner: "\(name)@example.com", by: .system(in: nil)).tenant.id
        try await billing.setPayee(
            id, provider: provider, destination: destination, tax: TaxForm(form: "w9", name: "Sel Ler", country: "US", taxId: "12-3456789"),
            schedule: .weekly, minimum: 1_000, by: Self.operatorOf)
        return id
    }

    func limit() async throws -> Int? { try await tenancy.tenant(id)?.limits.executionsPerMonth }

    func surface(as person: Principal) throws -> Surface {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let tenancy = tenancy
        let doors = Doors(
            authenticate: { request in
                if request.head.header("X-Nobody") != nil { return .anonymous }
                if let named = request.tenant, named != person.tenant { throw Refusal.missing("tenant") }
                return person
            },
            resolveTenant: { address in
                guard case .subdomain(let name) = address else { return nil }
                return try await tenancy.tenant(subdomain: name)?.id
            },
            authenticateOperator: { _ in
                guard case .platformOperator = person.actor else { return .anonymous }
                return person
            })
        return Surface(endpoints: try endpoints(), doors: doors, ids: lease.ids, strings: try Strings(directory: "Locales"), logger: logger)
    }

    func endpoints() throws -> [Endpoint] {
        let console = Console(files: try StaticFiles(roots: ["Web"]), entries: [])
        return BillingModule.module(billing: billing, pages: BillingPageContext(console: console, operators: console) { _ in "Ana" }).endpoints
    }

    static func owner(of tenant: Tenant, _ tenancy: Tenancy) async throws -> Principal {
        Principal(
            actor: .user(try await tenancy.members(of: tenant.id)[0].user), tenant: tenant.id, role: .owner,
            permissions: permissions.permissions(of: .owner))
    }
}

func withBilling(
    _ engine: DatabaseEngine = .sqlite, environment: [String: String] = [:],
    send: @escaping @Sendable (OutboundRequest) async throws -> OutboundResponse = { _ in throw OutboundError(.unreachable, "no provider") },
    _ body: (BillingHarness) async throws -> Void
) async throws {
    let tables = TenancyModule.tables + BillingModule.tables + [IdempotencyTables.tenant, IdempotencyTables.directory]
    let migrations = [IdempotencyTables.migration] + TenancyModule.migrations + BillingModule.migrations
    try await withDatabase(engine, tables: tables, migrations: migrations) { lease in
        let tenancy = Tenancy(
            database: lease.database, clock: lease.clock.clock, vault: lease.vault, permissions: BillingHarness.permissions, usesTLS: false)
        try await tenancy.seedPlans()
        let new = NewTenant(name: "Acme", subdomain: "acme", plan: .starter)
        let acme = try await tenancy.createTenant(new, owner: "ana@example.com", by: .system(in: nil)).tenant
        var seller = BillingHarness.german
        (seller.name, seller.vatId) = ("Flows GmbH", "DE987654321")
        let billing = Billing(
            database: lease.database, tenancy: tenancy, clock: lease.clock.clock, seller: SellerTerms(party: seller),
            providers: Providers(
                database: lease.database, vault: lease.vault, clock: lease.clock.clock, environment: environment, publicURL: "http://localhost",
                send: send))
        try await body(
            BillingHarness(
                lease: lease, tenancy: tenancy, billing: billing, acme: acme, ana: try await BillingHarness.owner(of: acme, tenancy)))
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
