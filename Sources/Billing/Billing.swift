package import Kernel
package import Persistence
package import Tenancy

/// Who sells, and on what terms: one legal entity.
package struct SellerTerms: Sendable {
    package var party: Party
    /// Of the numbers of its invoices.
    package var series: String
    /// Days from an invoice to its being due.
    package var dueDays: Int

    package init(party: Party, series: String = "AIAS", dueDays: Int = 14) {
        self.party = party
        self.series = series
        self.dueDays = dueDays
    }

    /// With the country as the rules of taxes know it: under any other word nobody would be charged a tax.
    /// - Throws: `unknown_country`
    package func checked() throws -> SellerTerms {
        var terms = self
        terms.party.country = party.country.uppercased()
        guard Countries.codes.contains(terms.party.country) else {
            throw Refusal.invalid(
                "country", "unknown_country", "The seller's country is two letters, as DE; Greece is GR, the United Kingdom GB.")
        }
        return terms
    }
}

/// Subscriptions, usage, invoices and payments: the verbs of this module. Money moves in the ledger alone, in the transaction of what moves it.
package struct Billing: Sendable {
    let database: any Database
    let tenancy: Tenancy
    let clock: Clock
    let seller: SellerTerms
    let providers: Providers
    /// Prints a page of HTML as a PDF file; nil where the deployment cannot.
    let print: (@Sendable ([UInt8]) async throws -> [UInt8])?
    package let ledger: Ledger

    package init(
        database: any Database, tenancy: Tenancy, clock: Clock, seller: SellerTerms, providers: Providers,
        print: (@Sendable ([UInt8]) async throws -> [UInt8])? = nil
    ) {
        self.database = database
        self.tenancy = tenancy
        self.clock = clock
        self.seller = seller
        self.providers = providers
        self.print = print
        ledger = Ledger(database: database, clock: clock)
    }

    /// Whether the books of this deployment know a tenant: it has subscribed, was invoiced, holds credit, sells, brings others or has booked.
    package func hasBooks(of tenant: TenantID) async throws -> Bool {
        try await database.read(in: tenant) { tx in try SubscriptionStore(tx: tx).hasBooks() }
    }

    /// Does something at a tenant's till, after all that was due there.
    func atTill<Result: Sendable>(of tenant: TenantID, _ body: @escaping @Sendable (inout Till) throws -> Result) async throws -> Result {
        let terms = try await terms(of: tenant)
        return try await database.write(in: tenant) { tx in
            var till = try Till(tx: tx, terms: terms)
            try till.catchUp()
            let result = try body(&till)
            try till.close()
            return result
        }
    }

    /// Does something at a till and forgets it: what it would bring.
    func rehearse<Result: Sendable>(of tenant: TenantID, _ body: @escaping @Sendable (inout Till) throws -> Result) async throws -> Result {
        let terms = try await terms(of: tenant)
        do {
            return try await database.write(in: tenant) { tx in
                var till = try Till(tx: tx, terms: terms)
                try till.catchUp()
                throw Rehearsed(result: try body(&till))
            }
        } catch let rehearsed as Rehearsed<Result> { return rehearsed.result }
    }

    private struct Rehearsed<Result: Sendable>: Error { let result: Result }

    /// The price list, cheapest first.
    func prices() async throws -> [PlanPrice] {
        try await tenancy.plans().compactMap { plan in
            plan.priceMonthly.map {
                PlanPrice(
                    plan: plan.name, currency: plan.currency, monthly: $0, includedExecutions: plan.limits.executionsPerMonth.map(Int64.init))
            }
        }
    }

    private func terms(of tenant: TenantID) async throws -> Till.Terms {
        Till.Terms(
            catalogue: Catalogue(try await prices(), addons: try await addons()),
            calendar: BillingCalendar(zone: try await tenancy.timeZone(of: tenant)), seller: seller,
            tenancy: tenancy)
    }
}
