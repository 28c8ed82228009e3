import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(4))) struct MeteringTests {
    func event(_ key: String, _ quantity: Int64, at: Timestamp, metric: String = "orders") -> UsageEvent {
        UsageEvent(key: key, metric: metric, quantity: quantity, at: at, dimensions: ["customer": "c"])
    }

    @Test(arguments: DatabaseEngine.allCases) func `an event counts once and in its own period, in whatever order and however often it comes`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            let metric = Metric(code: "orders", name: "Orders", aggregation: .sum, dimension: "")
            _ = try await harness.billing.define(metric, of: harness.id, by: harness.ana)
            let start = harness.lease.clock.now
            let events = (0..<500).map { event("k\($0)", Int64($0), at: start + .seconds(Int64($0 % 2) * 86_400)) }
            #expect(try await harness.billing.record(Array(events[0..<300]), of: harness.id) == 300)
            // A batch that overlaps, with a key twice within it.
            #expect(try await harness.billing.record(Array(events[200..<500]) + [events[499]], of: harness.id) == 200)
            let (first, second) = (
                BillingPeriod(start: start, end: start + .seconds(86_400)),
                BillingPeriod(start: start + .seconds(86_400), end: start + .seconds(172_800))
            )
            #expect(
                try await harness.billing.quantity(of: "orders", in: first, of: harness.id)
                    == events.filter { $0.quantity % 2 == 0 }.reduce(0) { $0 + $1.quantity })
            #expect(
                try await harness.billing.quantity(of: "orders", in: second, of: harness.id)
                    == events.filter { $0.quantity % 2 == 1 }.reduce(0) { $0 + $1.quantity })
            // The same key with another body takes nothing of its batch.
            let clash = try await refusal {
                try await harness.billing.record([event("new", 7, at: start), event("k1", 99, at: start)], of: harness.id)
            }
            #expect(clash == "key_reused")
            #expect(try await harness.billing.quantity(of: "orders", in: first, of: harness.id) == 62_250)
            // Without a time of its own a repeat is a repeat.
            #expect(try await harness.billing.record([event("u", 1, at: start)], untimed: ["u"], of: harness.id) == 1)
            #expect(try await harness.billing.record([event("u", 1, at: start + .seconds(5))], untimed: ["u"], of: harness.id) == 0)
            for code in ["executions", "nothing"] {
                #expect(
                    try await refusal { try await harness.billing.record([event("x", 1, at: start, metric: code)], of: harness.id) }
                        == "unknown_metric")
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `twenty writers with the same batch count it once`(engine: DatabaseEngine) async throws {
        try await withBilling(engine) { harness in
            _ = try await harness.billing.define(
                Metric(code: "orders", name: "Orders", aggregation: .count, dimension: ""), of: harness.id, by: harness.ana)
            let start = harness.lease.clock.now
            let events = (0..<100).map { event("k\($0)", 1, at: start) }
            let (billing, id) = (harness.billing, harness.id)
            let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await billing.record(events, of: id) } }
                return try await group.reduce(0, +)
            }
            #expect(accepted == 100)
            #expect(try await billing.quantity(of: "orders", in: BillingPeriod(start: start, end: start + .seconds(1)), of: id) == 100)
        }
    }

    @Test func `a recount that differs is told`() async throws {
        try await withBilling { harness in
            for _ in 0..<3 { try await harness.database.write(in: harness.id) { tx in try tx.tally("executions", at: tx.clock.now()) } }
            harness.days(1)
            let start = harness.lease.clock.now - .seconds(86_400)
            func reconcile(_ begun: Int, at time: Timestamp) async throws -> [String] {
                try await harness.billing.reconcile { _, period in period.contains(time) ? begun : 0 }
            }
            #expect(try await reconcile(3, at: start) == [])
            #expect(try await reconcile(4, at: start) == ["\(harness.id): 1 executions that began are not metered"])
            // What is metered in one hour does not stand for another's.
            #expect(try await reconcile(3, at: start + .seconds(3_600)) == ["\(harness.id): 3 executions that began are not metered"])
        }
    }
}
