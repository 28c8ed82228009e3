internal import Kernel
internal import Tenancy

/// What is sold beside a plan, by the piece: it has a price of its own and may raise a limit.
struct Addon: Sendable, Hashable {
    /// Which of a plan's limits it raises.
    enum Limit: String, Sendable, Hashable, CaseIterable, Codable {
        case none, workflows, executions, storage, users, requests
    }

    /// `a-z`, `0-9` and `_`.
    var code: String
    var name: String
    /// Of one piece for a month, in minor units; a year costs ten months.
    var monthly: Int64
    var currency: String
    var limit: Limit
    /// What one piece adds to the limit.
    var units: Int64
    var quantityMaximum: Int64
    var isWithdrawn = false

    func price(_ interval: BillingInterval) -> Int64 { interval == .month ? monthly : monthly * 10 }
}

/// An add-on as a subscription has it.
struct AddonItem: Sendable, Hashable {
    var code: String
    var quantity: Int64
    /// Taken up at the end of the period.
    var pending: Int64?
    /// What was charged for the current period and not yet credited, and what of that was discounted.
    var creditable: Int64
    var discounted: Int64
}

extension PlanLimits {
    /// What add-ons raise; what is unlimited stays so.
    mutating func raise(_ addon: Addon, by quantity: Int64) {
        let more = Int(addon.units * quantity)
        switch addon.limit {
        case .none: break
        case .workflows: workflows = workflows.map { $0 + more }
        case .executions: executionsPerMonth = executionsPerMonth.map { $0 + more }
        case .storage: storageBytes = storageBytes.map { $0 + more }
        case .users: users = users.map { $0 + more }
        case .requests: requestsPerSecond = requestsPerSecond.map { $0 + more }
        }
    }
}
