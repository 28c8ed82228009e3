internal import HTTPSurface
internal import Kernel
internal import Persistence
internal import Tenancy

struct AddonView: Codable, Sendable, Described {
    var code: String
    var name: String
    var monthly: Int
    var currency: String?
    var raises: String?
    var units: Int?
    var quantityMaximum: Int?
    static let typeDescription: String? = "What is sold beside a plan, by the piece."
    static let notes: [FieldNote] = [
        FieldNote("code", "a-z, 0-9 and _.", example: "seats", length: 1...60),
        FieldNote("name", "For people.", example: "Five more seats", length: 1...100),
        FieldNote("monthly", "Of one piece, in the minor unit; a year costs ten months.", example: 1_200, range: 0...100_000_000),
        FieldNote("currency", "USD where it is left out.", length: 3...3),
        FieldNote("raises", "The limit that it raises: none, workflows, executions, storage, users or requests.", example: "users", length: 1...20),
        FieldNote("units", "What one piece adds to that limit.", example: 5, range: 0...1_099_511_627_776),
        FieldNote("quantityMaximum", "The most pieces that one tenant has.", example: 100, range: 1...10_000)
    ]

    init(_ addon: Addon) {
        (code, name, monthly, currency) = (addon.code, addon.name, Int(addon.monthly), addon.currency)
        (raises, units, quantityMaximum) = (addon.limit.rawValue, Int(addon.units), Int(addon.quantityMaximum))
    }

    func addon() throws -> Addon {
        guard let limit = Addon.Limit(rawValue: raises ?? "none") else {
            throw Refusal.invalid(
                "raises", "unknown_limit", "raises is one of \(Addon.Limit.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return Addon(
            code: try Metric.checkedCode(code), name: name, monthly: Int64(monthly), currency: try AmountBounds.checkedCurrency(currency ?? "USD"),
            limit: limit, units: Int64(units ?? 0), quantityMaximum: Int64(quantityMaximum ?? 100))
    }
}

struct AddonQuantityBody: Codable, Sendable, Described {
    var quantity: Int
    static let notes: [FieldNote] = [
        FieldNote("quantity", "More at once, with the rest of the period; fewer at its end.", example: 2, range: 0...10_000)
    ]
}

struct AddonItemView: Codable, Sendable, Described {
    var code: String
    var quantity: Int
    var nextQuantity: Int?
    static let notes: [FieldNote] = [FieldNote("nextQuantity", "From the next period on, where that is another one.")]

    init(_ item: AddonItem) { (code, quantity, nextQuantity) = (item.code, Int(item.quantity), item.pending.map { Int($0) }) }
}

struct AddonRoutes {
    let billing: Billing

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/add-ons", access: .tenant(.billingRead), summary: "List what is sold beside the plans", tag: SubscriptionRoutes.tag,
                of: AddonView.self
            ) { _, page in try Page(of: try await billing.addons().filter { !$0.isWithdrawn }.map(AddonView.init), page) },
            Endpoint(
                .put, "/v1/subscription/add-ons/{code}", access: .tenant(.billingWrite), summary: "Say how many of an add-on there are",
                tag: SubscriptionRoutes.tag, body: AddonQuantityBody.self, returns: .ok(SubscriptionOutcomeView.self),
                errors: [ErrorDeclaration(.conflict, "not_active", "The subscription is not in a state that allows this.")]
            ) { call, body in
                SubscriptionOutcomeView(
                    try await billing.perform(
                        .addon(try call.parameter("code"), Int64(body.quantity)), of: call.tenant, by: call.principal))
            },
            Endpoint(
                .post, "/v1/add-ons", access: .platformOperator, summary: "Sell something beside the plans", tag: "Operator", body: AddonView.self,
                returns: .created(AddonView.self), errors: [ErrorDeclaration(.conflict, "addon_exists", "There is an add-on of this code.")]
            ) { call, body in AddonView(try await billing.sell(try body.addon(), by: call.principal)) },
            Endpoint(
                .delete, "/v1/add-ons/{code}", access: .platformOperator, summary: "Sell no more of an add-on", tag: "Operator",
                returns: .noContent
            ) { call in try await billing.withdrawAddon(try call.parameter("code"), by: call.principal) }
        ]
    }
}

extension Billing {
    /// By code, also what is withdrawn.
    func addons() async throws -> [Addon] { try await database.readPlatform { tx in try AddonStore(tx: tx).all() } }

    /// - Throws: `addon_exists`, `limit_reached`
    func sell(_ addon: Addon, by principal: Principal) async throws -> Addon {
        try await database.write(in: Tenancy.platformLog) { tx in
            try AddonStore(tx: tx.platform).insert(addon)
            try tx.audit(principal, "addon.create", "addon:\(addon.code)")
        }
        return addon
    }

    /// Who has some keeps them, and can have fewer.
    func withdrawAddon(_ code: String, by principal: Principal) async throws {
        try await database.write(in: Tenancy.platformLog) { tx in
            guard try AddonStore(tx: tx.platform).withdraw(code) else { throw Refusal.missing("add-on") }
            try tx.audit(principal, "addon.withdraw", "addon:\(code)")
        }
    }
}
