import Kernel
import TestKit
import Testing

@testable import Billing

@Suite struct RevenueTests {
    static func change(_ tenant: UInt64, _ day: Int64, _ monthly: Int64) -> RevenueChange {
        RevenueChange(tenant: TenantID(high: 0, low: tenant), at: Timestamp(seconds: day * 86_400), currency: "USD", monthly: monthly)
    }
    static func day(_ day: Int64) -> Timestamp { Timestamp(seconds: day * 86_400) }

    @Test func `each movement has its name`() {
        let changes = [
            Self.change(1, 1, 2_900), Self.change(2, 2, 9_900), Self.change(3, 3, 2_900), Self.change(3, 5, 0),
            // Within the time: one new, one up and down, one away, one back.
            Self.change(4, 11, 29_900), Self.change(1, 12, 9_900), Self.change(1, 15, 2_900), Self.change(2, 13, 0), Self.change(3, 14, 9_900)
        ]
        let found = RevenueMovement(changes.shuffled(), from: Self.day(10), to: Self.day(20))
        #expect(found.start == 12_800 && found.end == 42_700)
        #expect(found.new == 29_900 && found.reactivation == 9_900 && found.expansion == 7_000 && found.contraction == 7_000 && found.churn == 9_900)
        #expect((found.customersAtStart, found.customersGained, found.customersLost, found.customersAtEnd) == (2, 2, 1, 3))
        #expect(found.revenueChurn == 13_203 && found.customerChurn == 5_000)
        #expect(RevenueMovement([], from: Self.day(1), to: Self.day(2)).revenueChurn == nil)
    }

    @Test(arguments: Seeds.kept) func `the movements explain the difference, and times in a row add up`(seed: UInt64) {
        var random = Seeded(seed)
        let changes = (0..<200).map { _ in
            Self.change(
                .random(in: 1...20, using: &random), .random(in: 0...99, using: &random), [0, 2_900, 9_900, 24_917].randomElement(using: &random)!)
        }
        func sum(_ movement: RevenueMovement) -> Int64 {
            movement.new + movement.reactivation + movement.expansion - movement.contraction - movement.churn
        }
        let parts = [(0, 31), (31, 60), (60, 100)].map { RevenueMovement(changes, from: Self.day($0.0), to: Self.day($0.1)) }
        let whole = RevenueMovement(changes, from: Self.day(0), to: Self.day(100))
        for part in parts + [whole] {
            #expect(part.start + sum(part) == part.end)
            #expect(part.customersAtStart + part.customersGained - part.customersLost == part.customersAtEnd)
        }
        #expect(parts[0].end == parts[1].start && parts[1].end == parts[2].start && parts[2].end == whole.end)
        #expect(parts.reduce(0) { $0 + sum($1) } == sum(whole))
    }
}
