import Kernel
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite struct AggregationTests {
    static let period = BillingPeriod(start: Timestamp(seconds: 0), end: Timestamp(seconds: 1_000))

    func event(_ key: String, _ quantity: Int64, at seconds: Int64, _ dimensions: JSONObject = [:]) -> UsageEvent {
        UsageEvent(key: key, metric: "m", quantity: quantity, at: Timestamp(seconds: seconds), dimensions: dimensions)
    }

    @Test(arguments: Seeds.kept) func `the order in which events come changes nothing, and those of other periods do not count`(seed: UInt64) throws {
        var random = Seeded(seed)
        let events = [
            event("a", 10, at: 0, ["user": "ana"]), event("b", 5, at: 500, ["user": "ben"]), event("c", -3, at: 750, ["user": "ana"]),
            event("d", 7, at: 750), event("before", 1_000, at: -1), event("after", 1_000, at: 1_000)
        ].shuffled(using: &random)
        func quantity(_ aggregation: Aggregation, before: Int64 = 0) throws -> Int64 {
            try aggregation.quantity(of: events, in: Self.period, dimension: "user", before: before)
        }
        #expect(try quantity(.count) == 4 && quantity(.sum) == 19 && quantity(.max) == 10 && quantity(.unique) == 2 && quantity(.latest) == 7)
        // 10 for all of it, 5 for half of it, 4 for the last quarter: 13.5, and 100 from before.
        #expect(try quantity(.weightedSum) == 14 && quantity(.weightedSum, before: 100) == 114)
    }

    @Test func `sums beyond 64 bits are refused, not wrapped`() throws {
        #expect(throws: Refusal.self) {
            try Aggregation.sum.quantity(of: [event("a", .max, at: 1), event("b", 1, at: 2)], in: Self.period)
        }
        #expect(
            UnitRate.executions.price(of: 0) == 0 && UnitRate.executions.price(of: 1_001) == 501 && UnitRate.executions.price(of: 10_000) == 5_000)
    }
}
