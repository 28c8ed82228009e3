internal import HTTPSurface
internal import Kernel

struct WalletGrantBody: Codable, Sendable, Described {
    var amount: Int
    var currency: String?
    var reason: String
    var expiresAt: Timestamp?
    static let notes: [FieldNote] = [
        FieldNote("amount", "In the minor unit.", example: 5_000, range: 1...1e12), FieldNote("currency", "USD where it is left out.", length: 3...3),
        FieldNote("reason", "For people.", example: "Welcome", length: 1...200),
        FieldNote("expiresAt", "What is left then is gone; never where it is left out.")
    ]
}

struct WalletGrantView: Codable, Sendable, Described {
    var id: WalletGrantID
    var currency: String
    var amount: Int
    var unspent: Int
    var reason: String
    var expiresAt: Timestamp?
    var grantedAt: Timestamp
    static let typeDescription: String? =
        "Credit that was given. It is drawn before what was paid for, what expires first before the rest; amounts are in the minor unit."
    static let notes: [FieldNote] = [FieldNote("unspent", "What of it was not drawn and has not expired.")]

    init(_ grant: WalletGrant) {
        (id, currency, amount, unspent) = (grant.id, grant.currency, Int(grant.amount), Int(grant.left))
        (reason, expiresAt, grantedAt) = (grant.reason, grant.expiresAt, grant.grantedAt)
    }
}

struct TopUpBody: Codable, Sendable, Described {
    var amount: Int
    var currency: String?
    var provider: String
    static let notes: [FieldNote] = [
        FieldNote("amount", "In the minor unit.", example: 10_000, range: 500...100_000_000),
        FieldNote("currency", "USD where it is left out.", length: 3...3),
        FieldNote("provider", "stripe or paypal.", example: "stripe", length: 1...20)
    ]
}

struct WalletRoutes {
    let billing: Billing

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/wallet/grants", access: .tenant(.billingRead), summary: "List the credit that was given, newest first",
                tag: SubscriptionRoutes.tag, of: WalletGrantView.self
            ) { call, page in
                let cursor: WalletGrantID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.grants(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(WalletGrantView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/wallet/top-ups", access: .tenant(.billingWrite), summary: "Make a page on which credit is paid into the wallet",
                tag: SubscriptionRoutes.tag, body: TopUpBody.self, returns: .created(HostedPageView.self),
                errors: [ErrorDeclaration(.conflict, "provider_missing", "The provider is not set up here, or there is no billing profile yet.")]
            ) { call, body in
                let page = try await billing.topUp(
                    Int64(body.amount), try AmountBounds.checkedCurrency(body.currency ?? "USD"), at: body.provider, of: call.tenant,
                    by: call.principal)
                return HostedPageView(url: page.url)
            },
            Endpoint(
                .post, "/v1/invoices/{id}/wallet-payments", access: .tenant(.billingWrite), summary: "Pay an open invoice with what is prepaid",
                tag: SubscriptionRoutes.tag, returns: .created(InvoiceView.self),
                errors: [ErrorDeclaration(.conflict, "wallet_empty", "There is no credit in its currency, or nothing is due.")]
            ) { call in
                InvoiceView(
                    try await billing.payFromWallet(
                        try call.id("id", noun: "invoice"), of: call.tenant, by: call.principal, claim: call.idempotency))
            },
            Endpoint(
                .post, "/v1/tenants/{tenant}/wallet-grants", access: .platformOperator, summary: "Give a tenant credit", tag: "Operator",
                body: WalletGrantBody.self, returns: .created(WalletGrantView.self)
            ) { call, body in
                WalletGrantView(
                    try await billing.grant(
                        Int64(body.amount), try AmountBounds.checkedCurrency(body.currency ?? "USD"), expiresAt: body.expiresAt, reason: body.reason,
                        to: try call.id("tenant", noun: "tenant"), by: call.principal, claim: call.idempotency))
            }
        ]
    }
}
