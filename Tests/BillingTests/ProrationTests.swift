import Foundation
import Kernel
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite struct ProrationTests {
    /// Worked examples as others have published them; `source` says where.
    struct Published: Decodable {
        struct Example: Decodable {
            var system, source, note: String
            var old, new: Int64
            var start, end, at: String
            var credit, charge: Int64
            /// What is left of what was charged; the old price where it is left out.
            var creditable: Int64?
            /// Where our rule gives another figure, and why.
            var ourCredit, ourCharge: Int64?
        }
        var examples: [Example]
    }

    static func published() throws -> [Published.Example] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/proration.json")
        return try JSONDecoder().decode(Published.self, from: Data(contentsOf: file)).examples
    }

    @Test func `the worked examples of other systems come out to the cent`() throws {
        let examples = try Self.published()
        #expect(examples.count >= 9)
        for example in examples {
            let period = BillingPeriod(start: try #require(Timestamp(example.start)), end: try #require(Timestamp(example.end)))
            let at = try #require(Timestamp(example.at))
            let made = Proration.change(from: example.old, to: example.new, of: period, at: at, creditable: example.creditable ?? example.old)
            #expect(made.credit == example.ourCredit ?? example.credit, "\(example.system): \(example.note)")
            #expect(made.charge == example.ourCharge ?? example.charge, "\(example.system): \(example.note)")
        }
    }

    static let catalogue = Catalogue([
        PlanPrice(plan: .starter, currency: "USD", monthly: 2_900, includedExecutions: 1_000),
        PlanPrice(plan: .professional, currency: "USD", monthly: 9_900, includedExecutions: 10_000),
        PlanPrice(plan: .enterprise, currency: "USD", monthly: 29_900, includedExecutions: 100_000)
    ])
    static let calendar = BillingCalendar(zone: "UTC")
    static let start = Timestamp(seconds: 1_767_225_600)  // 2026-01-01

    @Test func `from starter to professional on day 12 of 30`() throws {
        // April has 30 days.
        let start = try #require(Timestamp("2026-04-01T00:00:00Z"))
        var (subscription, first) = try Subscription.start(.starter, .month, trialDays: 0, at: start, Self.catalogue, Self.calendar)
        #expect(first.map(\.amount) == [2_900])
        let lines = try subscription.change(to: .professional, .month, at: start + .seconds(12 * 86_400), Self.catalogue, Self.calendar)
        #expect(lines.map(\.amount) == [-1_740, 5_940], "\(lines)")
        #expect(subscription.plan == .professional && subscription.creditable == 2_900 + 4_200)
    }

    @Test(arguments: Seeds.kept) func `parts of a period sum to its price, whatever the moments of change`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<300 {
            let period = BillingPeriod(start: Self.start, end: Self.start + .seconds(Int64.random(in: 1...31_622_400, using: &random)))
            let price = Int64.random(in: 1...1_000_000, using: &random)
            let moments = (0..<10).map { _ in Self.start + .seconds(Int64.random(in: 0...period.seconds, using: &random)) }.sorted()
            let cuts = [period.start] + moments + [period.end]
            let parts = zip(cuts, cuts.dropFirst()).map { from, to in
                Proration.unused(price, of: period, at: from) - Proration.unused(price, of: period, at: to)
            }
            #expect(parts.reduce(0, +) == price && parts.allSatisfy { $0 >= 0 })
        }
    }

    @Test(arguments: Seeds.kept) func `a change and its undoing in the same second cost nothing, and credits never pass what was paid`(seed: UInt64)
        throws
    {
        var random = Seeded(seed)
        for _ in 0..<500 {
            let period = BillingPeriod(start: Self.start, end: Self.start + .seconds(Int64.random(in: 1...31_622_400, using: &random)))
            let (low, high) = (Int64.random(in: 1...100_000, using: &random), Int64.random(in: 1...100_000, using: &random))
            let at = Self.start + .seconds(Int64.random(in: 0...period.seconds, using: &random))
            let there = Proration.change(from: low, to: high, of: period, at: at, creditable: low)
            let back = Proration.change(from: high, to: low, of: period, at: at, creditable: low + there.charge - there.credit)
            #expect(there.charge - there.credit + back.charge - back.credit == 0)
            #expect(Proration.change(from: low, to: high, of: period, at: at, creditable: 0).credit == 0)
        }
    }

    @Test(arguments: Seeds.kept) func `whatever is done to a subscription, nothing is credited that was not charged`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<150 {
            var now = Self.start + .seconds(Int64.random(in: 0...40_000_000, using: &random))
            let trial = Bool.random(using: &random) ? Int.random(in: 1...30, using: &random) : 0
            let interval = BillingInterval.allCases.randomElement(using: &random)!
            var (subscription, first) = try Subscription.start(.starter, interval, trialDays: trial, at: now, Self.catalogue, Self.calendar)
            var charged = first.reduce(0) { $0 + $1.amount }
            for _ in 0..<30 {
                now = now + .seconds(Int64.random(in: 0...3_000_000, using: &random))
                var end = subscription.period.end
                while let renewal = try subscription.renew(at: now, Self.catalogue, Self.calendar) {
                    #expect(renewal.ended.end == end)
                    charged += renewal.charges.reduce(0) { $0 + $1.amount }
                    if subscription.status != .cancelled { #expect(subscription.period.start == end && subscription.period.end > end) }
                    end = subscription.period.end
                }
                let before = subscription
                do {
                    switch Int.random(in: 0...7, using: &random) {
                    case 0...3:
                        let plan = [PlanName.starter, .professional, .enterprise].randomElement(using: &random)!
                        let lines = try subscription.change(
                            to: plan, BillingInterval.allCases.randomElement(using: &random)!, at: now, Self.catalogue, Self.calendar)
                        let net = lines.reduce(0) { $0 + $1.amount }
                        #expect(net >= 0, "a change pays nobody out: \(lines)")
                        #expect(-(lines.first { $0.kind == .unused }?.amount ?? 0) <= before.creditable)
                        charged += net
                    case 4: try subscription.pause(at: now)
                    case 5: try subscription.resume(at: now)
                    case 6: try subscription.cancel()
                    default: try subscription.keep()
                    }
                } catch is Refusal {
                    #expect(subscription == before, "a refusal changes nothing")
                }
                #expect(subscription.creditable >= 0 && subscription.creditable <= charged)
            }
        }
    }

    @Test func `periods follow each other without a gap, whatever time zone the tenant moves to`() throws {
        let start = try #require(Timestamp("2026-01-30T20:00:00Z"))
        let tokyo = BillingCalendar(zone: "Asia/Tokyo")
        for (first, second) in [(tokyo, Self.calendar), (Self.calendar, tokyo)] {
            var (subscription, _) = try Subscription.start(.starter, .month, trialDays: 0, at: start, Self.catalogue, first)
            for _ in 0..<3 {
                let end = subscription.period.end
                let renewal = try #require(try subscription.renew(at: end, Self.catalogue, second))
                #expect(subscription.period.start == end && subscription.meteredFrom == end && subscription.period.end > end)
                #expect(renewal.charges.map(\.period) == [subscription.period])
            }
        }
    }

    @Test func `a downgrade waits for the period's end, a pause gives its days back, a cancellation can be taken back`() throws {
        let day = Duration.seconds(86_400)
        var (subscription, _) = try Subscription.start(.professional, .month, trialDays: 0, at: Self.start, Self.catalogue, Self.calendar)
        #expect(try subscription.change(to: .starter, .month, at: Self.start + day, Self.catalogue, Self.calendar) == [])
        #expect(subscription.plan == .professional)
        try subscription.pause(at: Self.start + day * 10)
        #expect(subscription.nextDue == nil && !subscription.isGranted)
        try subscription.resume(at: Self.start + day * 15)
        #expect(subscription.period.end == Self.start + day * 36)
        let renewal = try #require(try subscription.renew(at: Self.start + day * 36, Self.catalogue, Self.calendar))
        #expect(renewal.endedPlan == .professional && renewal.charges.map(\.amount) == [2_900] && subscription.plan == .starter)
        #expect(subscription.period == BillingPeriod(start: Self.start + day * 36, end: try #require(Timestamp("2026-03-06T00:00:00Z"))))
        try subscription.cancel()
        try subscription.keep()
        try subscription.cancel()
        let last = try #require(try subscription.renew(at: subscription.period.end, Self.catalogue, Self.calendar))
        #expect(last.charges.isEmpty && subscription.status == .cancelled)
    }
}
