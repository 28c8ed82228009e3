internal import Kernel
internal import Tenancy

/// From a moment on, what a tenant pays in a month.
struct RevenueChange: Sendable, Hashable {
    var tenant: TenantID
    var at: Timestamp
    var currency: String
    /// Monthly recurring revenue in minor units: the listed price, a twelfth of a year's; without tax, usage and what is credited.
    var monthly: Int64
}

/// What moved monthly recurring revenue within a time, in minor units. `start + new + reactivation + expansion - contraction - churn = end`.
struct RevenueMovement: Sendable, Hashable {
    var start: Int64 = 0
    /// Of tenants that never paid before.
    var new: Int64 = 0
    /// Of tenants that had left.
    var reactivation: Int64 = 0
    var expansion: Int64 = 0
    var contraction: Int64 = 0
    var churn: Int64 = 0
    var end: Int64 = 0
    /// Tenants that pay something at the start, that came or came back, that left, and that pay at the end.
    var customersAtStart = 0
    var customersGained = 0
    var customersLost = 0
    var customersAtEnd = 0

    /// Each change counts by itself: who goes up and down within the time is in both.
    /// - Parameter changes: all of one currency, in any order.
    init(_ changes: some Sequence<RevenueChange>, from start: Timestamp, to end: Timestamp) {
        for (_, own) in Dictionary(grouping: changes, by: \.tenant) {
            var (level, everPaid) = (Int64(0), false)
            let ordered = own.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
            for change in ordered where change.at < start {
                level = change.monthly
                everPaid = everPaid || level > 0
            }
            self.start += level
            if level > 0 { customersAtStart += 1 }
            for change in ordered where change.at >= start && change.at < end {
                move(from: level, to: change.monthly, everPaid: everPaid)
                level = change.monthly
                everPaid = everPaid || level > 0
            }
            self.end += level
            if level > 0 { customersAtEnd += 1 }
        }
    }

    private mutating func move(from old: Int64, to now: Int64, everPaid: Bool) {
        if old == now { return }
        if old == 0 {
            if everPaid { reactivation += now } else { new += now }
            customersGained += 1
        } else if now == 0 {
            churn += old
            customersLost += 1
        } else if now > old {
            expansion += now - old
        } else {
            contraction += old - now
        }
    }

    /// Of the revenue at the start what left, in basis points, halves up; nil where there was none.
    var revenueChurn: Int64? { start > 0 ? Fraction.halfUp(churn + contraction, 10_000, over: start) : nil }
    /// Of the customers at the start those who left, in basis points, halves up; nil where there was none.
    var customerChurn: Int64? { customersAtStart > 0 ? Fraction.halfUp(Int64(customersLost), 10_000, over: Int64(customersAtStart)) : nil }
}

extension Subscription {
    /// What it brings in a month; nothing on trial, paused or ended.
    func monthlyRevenue(_ catalogue: Catalogue) throws -> Int64 {
        guard status == .active || status == .pastDue else { return 0 }
        let monthly = try catalogue.price(of: plan).monthly
        let more = try addons.reduce(Int64(0)) { $0 + (try catalogue.addon($1.code).monthly) * $1.quantity }
        return interval == .month ? monthly + more : Fraction.halfUp((monthly + more) * 10, 1, over: 12)
    }
}
