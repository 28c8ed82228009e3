internal import HTTPSurface
internal import Kernel
internal import Persistence

struct TaxFormBody: Codable, Sendable, Described {
    var form: String
    var name: String
    var country: String
    var taxId: String
    static let notes: [FieldNote] = [
        FieldNote("form", "w9, w8ben, w8bene or other.", example: "w9", length: 1...20), FieldNote("name", "As on the form.", length: 1...200),
        FieldNote("country", "ISO 3166.", example: "US", length: 2...2),
        FieldNote("taxId", "Sealed; only its end is shown again.", example: "12-3456789", length: 1...60)
    ]
}

struct PayeeBody: Codable, Sendable, Described {
    var provider: String
    var destination: String
    var schedule: String?
    var minimum: Int?
    var tax: TaxFormBody
    static let notes: [FieldNote] = [
        FieldNote("provider", "stripe, paypal or bank.", example: "bank", length: 1...20),
        FieldNote("destination", "An account acct_… of Stripe Connect, an address at PayPal, or an IBAN. Sealed.", length: 3...200),
        FieldNote("schedule", "weekly or monthly; monthly where it is left out.", length: 1...20),
        FieldNote("minimum", "Less than this waits for the next time, in the minor unit.", example: 5_000, range: 1_000...10_000_000)
    ]

    func checkedSchedule() throws -> Payee.Schedule {
        guard let found = Payee.Schedule(rawValue: schedule ?? "monthly") else {
            throw Refusal.invalid("schedule", "unknown_schedule", "schedule is weekly or monthly.")
        }
        return found
    }
}

struct PayeeView: Codable, Sendable, Described {
    var provider: String
    var destinationEnd: String
    var schedule: String
    var minimum: Int
    var nextPayoutAt: Timestamp
    var taxForm: String
    var taxName: String
    var taxCountry: String
    var taxIdEnd: String
    static let typeDescription: String? = "How the tenant is paid what it earns."
    static let notes: [FieldNote] = [FieldNote("destinationEnd", "The last four characters.")]

    init(_ payee: Payee, _ tax: TaxForm, _ destination: String) {
        (provider, destinationEnd) = (payee.provider, "…\(destination.suffix(4))")
        (schedule, minimum, nextPayoutAt) = (payee.schedule.rawValue, Int(payee.minimum), payee.nextPayoutAt)
        (taxForm, taxName, taxCountry, taxIdEnd) = (tax.form, tax.name, tax.country, tax.maskedID)
    }
}

struct EarningsView: Codable, Sendable, Described {
    var currency: String
    var sales: Int
    var commissions: Int
    var maturing: Int
    var held: Int
    var available: Int
    static let typeDescription: String? = "What a tenant has earned and not been paid, in the minor unit."
    static let notes: [FieldNote] = [
        FieldNote("sales", "Below zero while refunds are netted with later sales."), FieldNote("maturing", "Too fresh to be paid out."),
        FieldNote("held", "Waits for a dispute; in none of the others."), FieldNote("available", "What can be paid out now.")
    ]

    init(_ balance: PayeeBalance) {
        (currency, sales, commissions) = (balance.currency, Int(balance.sales), Int(balance.commissions))
        maturing = Int(balance.maturingSales + balance.maturingCommissions)
        (held, available) = (Int(balance.held), Int(balance.available))
    }
}

struct SaleView: Codable, Sendable, Described {
    var id: SaleID
    var listing: String
    var kind: String
    var name: String
    var currency: String
    var amount: Int
    var shareBasisPoints: Int
    var earned: Int
    var held: Int
    var maturesAt: Timestamp
    var soldAt: Timestamp
    static let notes: [FieldNote] = [
        FieldNote("amount", "Without tax, in the minor unit."), FieldNote("earned", "The seller's part of what was collected so far.")
    ]

    init(_ sale: Sale) {
        (id, listing, kind, name, currency) = (sale.id, sale.listing, sale.kind.rawValue, sale.name, sale.currency)
        (amount, shareBasisPoints, earned, held) = (Int(sale.amount), sale.share.value, Int(sale.earned), Int(sale.held))
        (maturesAt, soldAt) = (sale.maturesAt, sale.soldAt)
    }
}

struct SaleBody: Codable, Sendable, Described {
    var key: String
    var seller: TenantID
    var listing: String
    var kind: String
    var name: String
    var amount: Int
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("key", "The same key of the same buyer is the same sale.", example: "order-17", length: 1...100),
        FieldNote("listing", "The listing's own name.", example: "invoice-reader", length: 1...100),
        FieldNote("kind", "template, agent, app, api, consulting or course.", example: "template", length: 1...20),
        FieldNote("name", "As it stands on the invoice.", example: "Invoice reader", length: 1...200),
        FieldNote("amount", "Without tax, in the minor unit.", example: 1_000, range: 1...1e12),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]

    func order() throws -> SaleOrder {
        guard let kind = SaleKind(rawValue: kind) else {
            throw Refusal.invalid("kind", "unknown_kind", "kind is one of \(SaleKind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return SaleOrder(
            key: key, seller: seller, listing: listing, kind: kind, name: name,
            amount: Money(minorUnits: Int64(amount), currency: try AmountBounds.checkedCurrency(currency ?? "USD")))
    }
}

struct SplitTermsBody: Codable, Sendable, Described {
    var seller: TenantID?
    var listing: String?
    var kind: String?
    var shareBasisPoints: Int
    static let notes: [FieldNote] = [
        FieldNote("listing", "With seller: a contract about it, which goes before all others.", length: 1...100),
        FieldNote("kind", "template, agent, app, api, consulting or course.", length: 1...20),
        FieldNote("shareBasisPoints", "The creator's part, of 10,000; the platform has the rest.", example: 7_000, range: 0...10_000)
    ]

    func terms() throws -> SplitTerms {
        let known = try kind.map { text in
            guard let kind = SaleKind(rawValue: text) else { throw Refusal.invalid("kind", "unknown_kind", "There is no kind \(text).") }
            return kind
        }
        guard seller != nil || listing != nil || known != nil else {
            throw Refusal.invalid("listing", "required", "Terms are for a seller, a listing or a kind.")
        }
        return SplitTerms(
            seller: seller, listing: listing, kind: listing == nil ? known : nil,
            share: try BasisPoints(shareBasisPoints, field: "share_basis_points"))
    }
}

struct PayoutView: Codable, Sendable, Described {
    var id: PayoutID
    var provider: String
    var currency: String
    var amount: Int
    var status: String
    var reference: String?
    var reason: String?
    var madeAt: Timestamp
    static let notes: [FieldNote] = [
        FieldNote("status", "pending, sent, or failed: then it is in the balance again."),
        FieldNote("reference", "The provider's; while it is pending, the key of an order that the provider may have.")
    ]

    init(_ payout: Payout) {
        (id, provider, currency, amount) = (payout.id, payout.provider, payout.currency, Int(payout.amount))
        (status, reference, reason, madeAt) = (payout.status.rawValue, payout.reference, payout.reason, payout.madeAt)
    }
}

struct PayoutListView: Codable, Sendable { var payouts: [PayoutView] }

struct PayoutFailureBody: Codable, Sendable, Described {
    var reason: String
    static let notes: [FieldNote] = [FieldNote("reason", "For the payee.", example: "account closed", length: 1...200)]
}

struct BankFileBody: Codable, Sendable, Described {
    var account: String
    static let notes: [FieldNote] = [FieldNote("account", "The IBAN that is paid from.", example: "DE89370400440532013000", length: 15...34)]
}

struct BankFileView: Codable, Sendable, Described {
    var file: String
    var payouts: [PayoutView]
    static let notes: [FieldNote] = [FieldNote("file", "ISO 20022 pain.001.001.03.")]
}

struct EarningStatementQuery: Codable, Sendable {
    var from: Timestamp
    var to: Timestamp
}

struct EarningRoutes {
    let billing: Billing

    private static let tag = "Earnings"
    private static let read = Access.tenant(.billingRead)

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/payee", access: Self.read, summary: "Show how the tenant is paid", tag: Self.tag, returns: .ok(PayeeView.self)) {
                call in
                guard let found = try await billing.payee(call.tenant) else { throw Refusal.missing("payee") }
                return PayeeView(found.payee, found.tax, found.destination)
            },
            Endpoint(
                .put, "/v1/payee", access: .tenant(.billingWrite), summary: "Say how the tenant is paid", tag: Self.tag, body: PayeeBody.self,
                returns: .noContent
            ) { call, body in
                try await billing.setPayee(
                    call.tenant, provider: body.provider, destination: body.destination,
                    tax: TaxForm(form: body.tax.form, name: body.tax.name, country: body.tax.country, taxId: body.tax.taxId),
                    schedule: try body.checkedSchedule(), minimum: Int64(body.minimum ?? 5_000), by: call.principal)
            },
            Endpoint.list("/v1/earnings", access: Self.read, summary: "Show what was earned", tag: Self.tag, of: EarningsView.self) { call, page in
                try Page(of: try await billing.earnings(of: call.tenant).map(EarningsView.init), page)
            },
            Endpoint.list("/v1/sales", access: Self.read, summary: "List what was sold, newest first", tag: Self.tag, of: SaleView.self) {
                call, page in
                let cursor: SaleID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.sales(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(SaleView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint.list("/v1/payouts", access: Self.read, summary: "List the payouts, newest first", tag: Self.tag, of: PayoutView.self) {
                call, page in
                let cursor: PayoutID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.payouts(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(PayoutView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            .raw(
                .get, "/v1/earnings/statement", access: Self.read, summary: "Fetch what was earned and paid out in a time as CSV", tag: Self.tag,
                query: EarningStatementQuery.self, answers: "text/csv"
            ) { call in
                let query = try call.query(EarningStatementQuery.self)
                guard query.from < query.to else { throw Refusal.invalid("to", "out_of_range", "The time begins before it ends.") }
                let statement = try await billing.statement(of: call.tenant, from: query.from, to: query.to)
                return .text(statement.csv, contentType: "text/csv; charset=utf-8")
            }
        ] + operated
    }

    private var operated: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/tenants/{tenant}/sales", access: .platformOperator, summary: "Sell something of a seller to a tenant", tag: "Operator",
                body: SaleBody.self, returns: .created(SaleView.self),
                errors: [ErrorDeclaration(.conflict, "key_reused", "The key stands for another sale, or this tenant cannot buy it.")]
            ) { call, body in
                SaleView(try await billing.sell(try body.order(), to: try call.id("tenant", noun: "tenant"), by: call.principal))
            },
            Endpoint(
                .put, "/v1/split-terms", access: .platformOperator, summary: "Agree on a split for a seller, a listing or a kind", tag: "Operator",
                body: SplitTermsBody.self, returns: .noContent
            ) { call, body in try await billing.agree(try body.terms(), by: call.principal) },
            Endpoint(
                .post, "/v1/tenants/{tenant}/payouts", access: .platformOperator, summary: "Pay a tenant out now", tag: "Operator",
                returns: .ok(PayoutListView.self)
            ) { call in
                let owner: TenantID = try call.id("tenant", noun: "tenant")
                let made = try await billing.payOut(to: owner)
                try await billing.payOutDue()
                return PayoutListView(payouts: made.map(PayoutView.init))
            },
            Endpoint(
                .post, "/v1/tenants/{tenant}/payouts/{id}/failures", access: .platformOperator, summary: "Note that a payout came back",
                tag: "Operator", body: PayoutFailureBody.self, returns: .noContent,
                errors: [ErrorDeclaration(.conflict, "payout_pending", "The provider has not answered yet.")]
            ) { call, body in
                try await billing.fail(
                    try call.id("id", noun: "payout"), of: try call.id("tenant", noun: "tenant"), reason: body.reason, by: call.principal)
            },
            Endpoint(
                .post, "/v1/payouts/bank-files", access: .platformOperator, summary: "Make a bank's file of the payouts that wait", tag: "Operator",
                body: BankFileBody.self, returns: .created(BankFileView.self),
                errors: [ErrorDeclaration(.conflict, "nothing_due", "No payout to a bank waits.")]
            ) { call, body in
                let account = body.account.filter { !$0.isWhitespace }.uppercased()
                let made = try await billing.bankFile(from: account, by: call.principal, claim: call.idempotency)
                return BankFileView(file: made.file, payouts: made.payouts.map(PayoutView.init))
            }
        ]
    }
}
