internal import HTTPSurface
internal import Kernel

struct LicenceBody: Codable, Sendable, Described {
    var product: String
    var features: [String]?
    var seats: Int
    var days: Int?
    var graceDays: Int?
    var price: Int
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("product", "As it stands on the invoice and in the file.", example: "White label", length: 1...200),
        FieldNote("features", "What was agreed, in words that the holder's deployment knows.", items: 0...100),
        FieldNote("seats", "How many people.", example: 50, range: 1...1_000_000), FieldNote("days", "365 where it is left out.", range: 1...3_660),
        FieldNote("graceDays", "After the expiry; 30 where it is left out.", range: 0...365),
        FieldNote("price", "Without tax, in the minor unit.", example: 1_200_000, range: 500_000...5_000_000),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]

    func order() throws -> LicenceOrder {
        LicenceOrder(
            product: product, features: features ?? [], seats: seats, days: days ?? 365, graceDays: graceDays ?? 30,
            price: Money(minorUnits: Int64(price), currency: try AmountBounds.checkedCurrency(currency ?? "USD")))
    }
}

struct LicenceView: Codable, Sendable, Described {
    var id: LicenceID
    var product: String
    var seats: Int
    var startsAt: Timestamp
    var expiresAt: Timestamp
    var graceDays: Int
    var price: Int
    var currency: String
    var invoiceId: InvoiceID
    var renews: LicenceID?
    static let notes: [FieldNote] = [FieldNote("renews", "The licence that this one goes on from.")]

    init(_ licence: Licence) {
        (id, product, seats) = (licence.id, licence.product, Int(licence.seats))
        (startsAt, expiresAt, graceDays) = (licence.startsAt, licence.expiresAt, Int(licence.graceDays))
        (price, currency, invoiceId, renews) = (Int(licence.price), licence.currency, licence.invoice, licence.renews)
    }
}

struct LicenceKeyView: Codable, Sendable, Described {
    var key: String
    static let notes: [FieldNote] = [FieldNote("key", "Ed25519, 32 bytes in base64.")]
}

struct LicenceRoutes {
    let billing: Billing

    private static let tag = "Licences"
    private static let unpaid = ErrorDeclaration(.conflict, "licence_unpaid", "Its invoice is not paid.")

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/licences", access: .tenant(.billingRead), summary: "List the licences, newest first", tag: Self.tag, of: LicenceView.self
            ) {
                call, page in
                let cursor: LicenceID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.licences(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(LicenceView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            .raw(
                .get, "/v1/licences/{id}/file", access: .tenant(.billingRead), summary: "Fetch a licence's file", tag: Self.tag,
                answers: "text/plain", errors: [Self.unpaid]
            ) { call in .text(try await billing.licenceFile(try call.id("id", noun: "licence"), of: call.tenant)) },
            Endpoint(
                .get, "/v1/licence-key", access: .public("Who has a licence verifies it with this, without an account."),
                summary: "Show the key that licences are verified with", tag: Self.tag, returns: .ok(LicenceKeyView.self)
            ) { _ in LicenceKeyView(key: try await billing.licenceKey()) },
            Endpoint(
                .post, "/v1/tenants/{tenant}/licences", access: .platformOperator, summary: "Sell a tenant a licence", tag: "Operator",
                body: LicenceBody.self, returns: .created(LicenceView.self),
                errors: [ErrorDeclaration(.conflict, "profile_required", "There is no billing profile yet.")]
            ) { call, body in
                LicenceView(
                    try await billing.license(
                        try body.order(), to: try call.id("tenant", noun: "tenant"), by: call.principal, claim: call.idempotency))
            },
            Endpoint(
                .post, "/v1/tenants/{tenant}/licences/{id}/renewals", access: .platformOperator, summary: "Renew a licence", tag: "Operator",
                body: LicenceBody.self, returns: .created(LicenceView.self),
                errors: [ErrorDeclaration(.conflict, "already_renewed", "It was renewed already.")]
            ) { call, body in
                LicenceView(
                    try await billing.license(
                        try body.order(), to: try call.id("tenant", noun: "tenant"), renewing: try call.id("id", noun: "licence"), by: call.principal,
                        claim: call.idempotency)
                )
            }
        ]
    }
}
