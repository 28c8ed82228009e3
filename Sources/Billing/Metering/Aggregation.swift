internal import Kernel
internal import Tenancy

/// How the events of a metric become the quantity of a period.
package enum Aggregation: String, Sendable, Hashable, Codable, CaseIterable {
    case count, sum, max
    /// Distinct values of a dimension.
    case unique
    /// The quantity of the latest event; of two at the same time, that of the greater key.
    case latest
    /// Quantities are changes of a level; the level's mean over the period, halves up. A disk of 100 GiB for half a month counts 50.
    case weightedSum = "weighted_sum"

    /// - Parameters:
    ///   - dimension: the one whose values `unique` tells apart.
    ///   - before: the level at the start, for `weightedSum`: the sum of all earlier changes.
    ///   - events: those of the period, in any order; others are passed over.
    func quantity(of events: some Sequence<UsageEvent>, in period: BillingPeriod, dimension: String = "", before: Int64 = 0) throws -> Int64 {
        let counted = events.filter { period.contains($0.at) }
        switch self {
        case .count: return Int64(counted.count)
        case .sum: return try Self.sum(counted.map(\.quantity))
        case .max: return counted.map(\.quantity).max() ?? 0
        case .unique: return Int64(Set(counted.compactMap { $0.dimensions[dimension]?.serialized }).count)
        case .latest: return counted.max { ($0.at, $0.key) < ($1.at, $1.key) }?.quantity ?? 0
        case .weightedSum: return Self.mean(counted, in: period, before: before)
        }
    }

    /// Each change counts for the time from it to the period's end, so their order does not matter.
    private static func mean(_ events: [UsageEvent], in period: BillingPeriod, before: Int64) -> Int64 {
        let length = Int128(period.end.microseconds - period.start.microseconds)
        guard length > 0 else { return before }
        let weighted = events.reduce(Int128(before) * length) { $0 + Int128($1.quantity) * Int128(period.end.microseconds - $1.at.microseconds) }
        let magnitude = (2 * weighted.magnitude + length.magnitude) / (2 * length.magnitude)
        return weighted < 0 ? -Int64(magnitude) : Int64(magnitude)
    }

    static func sum(_ quantities: [Int64]) throws -> Int64 {
        var sum: Int64 = 0
        for quantity in quantities {
            let (next, overflows) = sum.addingReportingOverflow(quantity)
            guard !overflows else { throw Refusal(.invalid, "quantity_too_large", "The quantities of the period pass 64 bits.") }
            sum = next
        }
        return sum
    }
}
