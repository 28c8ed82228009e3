internal import Kernel

/// What a tenant may use of something; nil is unlimited.
package struct PlanLimits: Sendable, Hashable, Codable {
    package var workflows: Int?
    package var executionsPerMonth: Int?
    package var storageBytes: Int?
    package var users: Int?
    package var requestsPerSecond: Int?
    /// For how many days a run is kept after its end.
    package var runDays: Int?

    package init(
        workflows: Int? = nil, executionsPerMonth: Int? = nil, storageBytes: Int? = nil, users: Int? = nil, requestsPerSecond: Int? = nil,
        runDays: Int? = nil
    ) {
        self.workflows = workflows
        self.executionsPerMonth = executionsPerMonth
        self.storageBytes = storageBytes
        self.users = users
        self.requestsPerSecond = requestsPerSecond
        self.runDays = runDays
    }

    enum CodingKeys: String, CodingKey { case workflows, executionsPerMonth, storageBytes, users, requestsPerSecond, runDays }

    /// Unlimited members are written as null, so that a reader sees them.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(workflows, forKey: .workflows)
        try container.encode(executionsPerMonth, forKey: .executionsPerMonth)
        try container.encode(storageBytes, forKey: .storageBytes)
        try container.encode(users, forKey: .users)
        try container.encode(requestsPerSecond, forKey: .requestsPerSecond)
        try container.encode(runDays, forKey: .runDays)
    }
}

/// A price list entry. Amounts are in the currency's minor unit; a year costs ten months.
package struct Plan: Sendable, Hashable {
    package var name: PlanName
    package var priceMonthly: Int64?
    package var currency: String
    package var limits: PlanLimits

    package var priceYearly: Int64? { priceMonthly.map { $0 * 10 } }

    /// The three public plans, cheapest first.
    package static let seeded: [Plan] = [
        Plan(
            name: .starter, priceMonthly: 2_900, currency: "USD",
            limits: PlanLimits(workflows: 5, executionsPerMonth: 1_000, storageBytes: 1 << 30, users: 3, requestsPerSecond: 10)),
        Plan(
            name: .professional, priceMonthly: 9_900, currency: "USD",
            limits: PlanLimits(workflows: 25, executionsPerMonth: 10_000, storageBytes: 10 << 30, users: 15, requestsPerSecond: 50)),
        Plan(
            name: .enterprise, priceMonthly: 29_900, currency: "USD",
            limits: PlanLimits(workflows: nil, executionsPerMonth: 100_000, storageBytes: 100 << 30, users: nil, requestsPerSecond: 200))
    ]
}

package enum PlanName: String, Sendable, Hashable, Codable, CaseIterable {
    case starter, professional, enterprise
    /// Takes its limits from the operator, tenant by tenant.
    case custom
}
