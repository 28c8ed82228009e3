internal import HTTPSurface
internal import Kernel

struct BillingProfileView: Codable, Sendable, Described {
    var name: String
    var street: String
    var postalCode: String
    var city: String
    var country: String
    var vatId: String?
    var email: String?
    static let typeDescription: String? = "Who is invoiced."
    static let notes: [FieldNote] = [
        FieldNote("name", "A person's or company's.", example: "Acme GmbH", length: 1...200),
        FieldNote("street", "With the number.", example: "Hauptstr. 1", length: 0...200),
        FieldNote("postalCode", "As the country writes it.", example: "10115", length: 0...20),
        FieldNote("city", "", example: "Berlin", length: 0...100),
        FieldNote("country", "ISO 3166, two letters.", example: "DE", length: 2...2),
        FieldNote("vatId", "A business's number of value added tax, of the same country.", example: "DE123456789", length: 0...20),
        FieldNote("email", "Where invoices are sent.", example: "books@example.com", length: 0...254)
    ]

    init(_ party: Party) {
        (name, street, postalCode, city) = (party.name, party.street, party.postalCode, party.city)
        (country, vatId, email) = (party.country, party.vatId, party.email)
    }

    var party: Party {
        Party(name: name, street: street, postalCode: postalCode, city: city, country: country, vatId: vatId, email: email)
    }
}

struct BillingClockBody: Codable, Sendable, Described {
    var now: Timestamp
    static let notes: [FieldNote] = [FieldNote("now", "Not before the tenant's present time.", example: "2026-03-01T00:00:00Z")]
}

struct ProfileRoutes {
    let billing: Billing

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/billing-profile", access: .tenant(.billingRead), summary: "Show who is invoiced", tag: SubscriptionRoutes.tag,
                returns: .ok(BillingProfileView.self)
            ) { call in
                guard let found = try await billing.profile(of: call.tenant) else { throw Refusal.missing("billing profile") }
                return BillingProfileView(found)
            },
            Endpoint(
                .put, "/v1/billing-profile", access: .tenant(.billingWrite), summary: "Say who is invoiced", tag: SubscriptionRoutes.tag,
                body: BillingProfileView.self, returns: .ok(BillingProfileView.self)
            ) { call, body in BillingProfileView(try await billing.setProfile(body.party, of: call.tenant, by: call.principal)) },
            Endpoint(
                .put, "/v1/billing-clock", access: .tenant(.billingWrite), summary: "Move a sandbox tenant through time",
                tag: SubscriptionRoutes.tag, body: BillingClockBody.self, returns: .ok(BillingClockBody.self),
                errors: [ErrorDeclaration(.conflict, "not_a_sandbox", "The tenant has no time of its own.")]
            ) { call, body in BillingClockBody(now: try await billing.moveClock(of: call.tenant, to: body.now, by: call.principal)) }
        ]
    }
}
