internal import HTTPSurface
internal import Kernel
internal import Persistence

struct RevenueQuery: Codable, Sendable, Described {
    var from: Timestamp
    var to: Timestamp
    var currency: String?
    static let notes: [FieldNote] = [FieldNote("currency", "USD where it is left out.", length: 3...3)]
}

struct RevenueView: Codable, Sendable, Described {
    var currency: String
    var start: Int
    var new: Int
    var reactivation: Int
    var expansion: Int
    var contraction: Int
    var churn: Int
    var end: Int
    var annual: Int
    var customersAtStart: Int
    var customersGained: Int
    var customersLost: Int
    var customersAtEnd: Int
    var revenueChurnBasisPoints: Int?
    var customerChurnBasisPoints: Int?
    static let typeDescription: String? =
        "Monthly recurring revenue and what moved it, in the minor unit: start + new + reactivation + expansion - contraction - churn = end."
    static let notes: [FieldNote] = [
        FieldNote("start", "At the listed price, a twelfth of a year's; without tax, usage and credits. Trials and pauses bring nothing."),
        FieldNote("annual", "Twelve times the end."),
        FieldNote("revenueChurnBasisPoints", "Churn and contraction over the start; null where there was nothing."),
        FieldNote("customerChurnBasisPoints", "Customers lost over those at the start; null where there were none.")
    ]

    init(_ movement: RevenueMovement, currency: String) {
        self.currency = currency
        (start, new, reactivation) = (Int(movement.start), Int(movement.new), Int(movement.reactivation))
        (expansion, contraction, churn) = (Int(movement.expansion), Int(movement.contraction), Int(movement.churn))
        (end, annual) = (Int(movement.end), Int(movement.end * 12))
        (customersAtStart, customersGained) = (movement.customersAtStart, movement.customersGained)
        (customersLost, customersAtEnd) = (movement.customersLost, movement.customersAtEnd)
        revenueChurnBasisPoints = movement.revenueChurn.map { Int($0) }
        customerChurnBasisPoints = movement.customerChurn.map { Int($0) }
    }
}

struct FigureRoutes {
    let billing: Billing

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/revenue", access: .platformOperator, summary: "Show recurring revenue and what moved it", tag: "Operator",
                query: RevenueQuery.self, returns: .ok(RevenueView.self)
            ) { call in
                let query = try call.query(RevenueQuery.self)
                guard query.from < query.to else { throw Refusal.invalid("to", "out_of_range", "The time begins before it ends.") }
                let currency = try AmountBounds.checkedCurrency(query.currency ?? "USD")
                return RevenueView(try await billing.revenue(from: query.from, to: query.to, currency), currency: currency)
            }
        ]
    }
}

extension Billing {
    func revenue(from start: Timestamp, to end: Timestamp, _ currency: String) async throws -> RevenueMovement {
        try await database.readPlatform { tx in
            RevenueMovement(try RevenueStore(tx: tx).changes(before: end, currency), from: start, to: end)
        }
    }
}
