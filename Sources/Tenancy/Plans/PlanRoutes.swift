internal import HTTPSurface
internal import Kernel

/// A plan as the price list shows it.
struct PlanView: Codable, Sendable, Described {
    var name: String
    var priceMonthly: Int
    var priceYearly: Int
    var currency: String
    var limits: PlanLimits

    static let typeDescription: String? = "A plan of the public price list."
    static let notes: [FieldNote] = [
        FieldNote("name", "How it is named in requests.", example: "starter"),
        FieldNote("priceMonthly", "In the currency's minor unit (cents).", example: 2_900),
        FieldNote("priceYearly", "For a year paid at once; ten months' price.", example: 29_000),
        FieldNote("currency", "ISO 4217.", example: "USD"), FieldNote("limits", "What it includes; null is unlimited.")
    ]

    init(_ plan: Plan) {
        name = plan.name.rawValue
        priceMonthly = Int(plan.priceMonthly ?? 0)
        priceYearly = Int(plan.priceYearly ?? 0)
        currency = plan.currency
        limits = plan.limits
    }
}

struct PlanRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/plans", access: .public("Prices are public."), summary: "List the plans", tag: "Plans", of: PlanView.self) { _, page in
                try Page(of: try await tenancy.plans().map(PlanView.init), page)
            }
        ]
    }
}
