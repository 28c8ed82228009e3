internal import Kernel
internal import Tenancy

/// What is reckoned of a month. Amounts are in minor units, shares in basis points, all with halves up.
///
/// The formulas are those of D. Skok, "SaaS Metrics 2.0" (https://www.forentrepreneurs.com/saas-metrics-2/), with revenue in place of gross margin,
/// since the ledger does not know what serving a customer costs.
struct MonthFigures: Sendable, Hashable {
    var month: Month
    var movement: RevenueMovement
    /// What came of customers less what went back to them, by the ledger.
    var collected: Int64 = 0
    /// What was spent on winning customers, as entered.
    var spend: Int64 = 0
    /// Customers lost and customers at the start, summed over this month and up to eleven before it.
    var lostOfYear: Int64 = 0
    var atStartOfYear: Int64 = 0

    /// Twelve times the recurring revenue at the month's end (ARR).
    var annual: Int64 { movement.end * 12 }
    /// Recurring revenue a customer (ARPA); nil without customers.
    var averageRevenue: Int64? {
        movement.customersAtEnd > 0 ? Fraction.halfUp(movement.end, 1, over: Int64(movement.customersAtEnd)) : nil
    }
    /// The average revenue over the mean monthly churn of customers of a year (LTV); nil while nobody has left.
    var lifetimeValue: Int64? {
        guard movement.customersAtEnd > 0, lostOfYear > 0 else { return nil }
        return Fraction.halfUp(movement.end, atStartOfYear, over: Int64(movement.customersAtEnd) * lostOfYear)
    }
    /// What was spent over the customers that came for the first time (CAC); nil where none came or nothing was spent.
    var acquisitionCost: Int64? {
        movement.customersNew > 0 && spend > 0 ? Fraction.halfUp(spend, 1, over: Int64(movement.customersNew)) : nil
    }
    /// After how many months new customers have brought what winning them cost, in hundredths: what was spent over the new revenue.
    var payback: Int64? { movement.new > 0 && spend > 0 ? Fraction.halfUp(spend, 100, over: movement.new) : nil }

    /// Of months in a row.
    /// - Parameters:
    ///   - changes: all of one currency before the last month's end.
    ///   - collections: those of the months.
    static func rows(_ months: [Month], _ changes: [RevenueChange], _ collections: [Collection], spend: [Month: Int64]) -> [MonthFigures] {
        guard let first = months.first else { return [] }
        let came = Dictionary(grouping: collections) { Month(of: $0.at) }.mapValues { $0.reduce(0) { $0 + $1.amount } }
        // The year before the first month is looked at for its churn.
        let wider = (-11..<0).map { first + $0 } + months
        let movements = wider.map { RevenueMovement(changes, from: $0.start, to: $0.end) }
        return months.enumerated().map { index, month in
            let year = movements[index...(index + 11)]
            return MonthFigures(
                month: month, movement: movements[index + 11], collected: came[month] ?? 0, spend: spend[month] ?? 0,
                lostOfYear: Int64(year.reduce(0) { $0 + $1.customersLost }), atStartOfYear: Int64(year.reduce(0) { $0 + $1.customersAtStart }))
        }
    }
}

/// Customers that paid for the first time in the same month, and what became of them.
struct Cohort: Sendable, Hashable {
    struct Age: Sendable, Hashable {
        /// Those with recurring revenue at the end of that month, and what they bring.
        var customers: Int
        var monthly: Int64
        /// What came of all of them in that month, less what went back.
        var collected: Int64
    }

    var month: Month
    var customers: Int
    /// From the month itself on.
    var ages: [Age]

    /// - Parameters:
    ///   - first: when each tenant paid for the first time, by the ledger.
    ///   - changes: of one currency, in any order.
    static func all(
        _ months: [Month], first: [TenantID: Timestamp], _ changes: [RevenueChange], _ collections: [Collection]
    ) -> [Cohort] {
        let members = Dictionary(grouping: first.keys) { Month(of: first[$0] ?? Timestamp(seconds: 0)) }
        var levels: [TenantID: [RevenueChange]] = [:]
        for change in changes { levels[change.tenant, default: []].append(change) }
        for tenant in levels.keys {
            levels[tenant] = levels[tenant]?.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
        }
        var came: [TenantID: [Month: Int64]] = [:]
        for one in collections { came[one.tenant, default: [:]][Month(of: one.at), default: 0] += one.amount }
        return months.enumerated().compactMap { index, month in
            guard let own = members[month] else { return nil }
            let ages = months[index...].map { later in
                let amounts = own.map { tenant in levels[tenant]?.last { $0.at < later.end }?.monthly ?? 0 }
                return Age(
                    customers: amounts.count { $0 > 0 }, monthly: amounts.reduce(0, +),
                    collected: own.reduce(0) { $0 + (came[$1]?[later] ?? 0) })
            }
            return Cohort(month: month, customers: own.count, ages: ages)
        }
    }
}
