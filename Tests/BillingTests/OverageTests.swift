import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Executions beyond the included ones: each is charged once, by the terms that held when it was made.
@Suite(.timeLimit(.minutes(4))) struct OverageTests {
    /// Starter includes 1,000 executions, Professional 10,000; a thousand beyond cost 500.
    private func withSubscriber(
        _ engine: DatabaseEngine = .sqlite, cap: Int64 = 5_000, trialDays: Int = 0, _ body: (BillingHarness) async throws -> Void
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            for addon in HistoryModel.addons { _ = try await harness.billing.sell(addon, by: harness.ana) }
            let started = try await harness.perform(.start(.starter, .month, trialDays: trialDays, overageCap: cap))
            for invoice in started.invoices { _ = try await harness.pay(invoice.due, reference: "start", for: invoice) }
            try await body(harness)
            try await harness.check("at the end")
        }
    }

    private func use(_ quantity: Int, _ key: String, _ harness: BillingHarness) async throws {
        try await harness.database.write(in: harness.id) { tx in
            try tx.meter("executions", quantity: quantity, key: "run:\(key)", at: tx.clock.now())
        }
    }

    /// What invoices ask for usage, oldest first.
    private func charged(_ harness: BillingHarness) async throws -> [Int64] {
        var amounts: [Int64] = []
        for listed in try await harness.billing.invoices(of: harness.id, before: nil, limit: 50).reversed() {
            let invoice = try await harness.billing.invoice(listed.id, of: harness.id)
            amounts += invoice.lines.filter { $0.charge.kind == .overage }.map(\.charge.amount)
        }
        return amounts
    }

    /// Pays what is asked for until then, so that nothing is overdue.
    private func renew(_ harness: BillingHarness) async throws {
        for invoice in try await harness.billing.invoices(of: harness.id, before: nil, limit: 50) where invoice.due > 0 {
            _ = try await harness.pay(invoice.due, reference: invoice.numberText, for: invoice)
        }
        harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
        try await harness.billing.collectDue()
    }

    @Test(arguments: DatabaseEngine.allCases) func `a cap that is lowered to nothing forgives nothing that was used before`(engine: DatabaseEngine)
        async throws
    {
        try await withSubscriber(engine) { harness in
            harness.days(3)
            try await use(3_000, "a", harness)
            let preview = try await harness.billing.preview(.overage(0), of: harness.id)
            let lowered = try await harness.perform(.overage(0))
            #expect(lowered.invoices.map(\.total) == [1_000] && preview.invoices.map(\.total) == [1_000])
            #expect(lowered.invoices[0].lines[0].charge.quantity == 2_000)
            #expect(try await harness.limit() == 1_000)
            try await renew(harness)
            #expect(try await charged(harness) == [1_000])
        }
    }

    @Test func `what was made while nothing beyond was charged stays free, and what is made after a cap is set is not`() async throws {
        try await withSubscriber(cap: 0) { harness in
            // The limit is one of the calendar month: a period that has parts of two can have more.
            try await use(1_600, "a", harness)
            harness.days(1)
            #expect(try await harness.perform(.overage(5_000)).invoices.isEmpty)
            try await use(400, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [200])
            #expect(try await harness.billing.subscription(of: harness.id)?.settled == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a period with parts of two calendar months charges no more than its cap`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            harness.days(14)
            let started = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 5_000))
            _ = try await harness.pay(started.invoices[0].due, reference: "start", for: started.invoices[0])
            // January's count, then February's: each allows 6,000.
            for key in ["january", "february"] {
                try await harness.database.write(in: harness.id) { tx in
                    try tx.reserve(.executions, 6_000)
                    try tx.meter("executions", quantity: 6_000, key: "run:\(key)", at: tx.clock.now())
                }
                if key == "january" { harness.days(20) }
            }
            try await renew(harness)
            #expect(try await charged(harness) == [2_500])
            #expect(try await harness.billing.subscription(of: harness.id)?.settled == 0)
            // The next period has a cap of its own.
            try await use(1_400, "next", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [2_500, 200])
            try await harness.check("at the end")
        }
    }

    @Test func `what was beyond the cap stays free when the cap is raised, and what is charged counts towards the new one`() async throws {
        try await withSubscriber(cap: 1_000) { harness in
            try await use(4_000, "a", harness)
            #expect(try await harness.perform(.overage(1_500)).invoices.map(\.total) == [500])
            #expect(try await harness.billing.subscription(of: harness.id)?.settled == 3_000)
            try await use(4_000, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [500, 250])
        }
    }

    @Test func `a cap that is lowered below what was made charges that, and one that moves beyond it brings no invoice`() async throws {
        try await withSubscriber { harness in
            try await use(3_000, "a", harness)
            #expect(try await harness.perform(.overage(9_000)).invoices.isEmpty)
            #expect(try await harness.perform(.overage(2_000)).invoices.isEmpty)
            #expect(try await harness.perform(.overage(100)).invoices.map(\.total) == [1_000])
            #expect(try await harness.perform(.overage(9_000)).invoices.isEmpty)
            try await use(400, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [1_000, 200])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an upgrade charges what was beyond the old plan, and carries the usage over`(
        engine: DatabaseEngine
    ) async throws {
        try await withSubscriber(engine) { harness in
            harness.days(10)
            try await use(3_000, "a", harness)
            let upgrade = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(upgrade.lines.map(\.charge.kind) == [.overage, .unused, .remaining] && upgrade.lines[0].charge.plan == .starter)
            // 12,500 in all: 2,000 are charged already, 10,000 are included.
            try await use(9_500, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [1_000, 250])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what a process of an earlier version writes over is not charged a second time`(
        engine: DatabaseEngine
    ) async throws {
        try await withSubscriber(engine) { harness in
            harness.days(10)
            try await use(3_000, "a", harness)
            try await harness.perform(.change(.professional, .month))
            // It writes the row anew, without the columns that it does not know.
            try await harness.database.write(in: harness.id) { tx in
                _ = try tx.execute("UPDATE subscriptions SET metered_from = NULL, settled = 0 WHERE tenant_id = \(tx.tenant)")
            }
            #expect(try await harness.billing.subscription(of: harness.id)?.settled == 2_000)
            try await use(9_500, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [1_000, 250])
        }
    }

    @Test func `an add-on that includes more executions charges what was beyond before, and one of fewer waits for the end`() async throws {
        try await withSubscriber { harness in
            try await use(2_000, "a", harness)
            harness.days(20)
            let bought = try await harness.perform(.addon("boost", 1)).invoices[0]
            #expect(bought.lines.map(\.charge.kind) == [.overage, .remaining] && bought.lines[0].charge.amount == 500)
            #expect(try await harness.perform(.addon("seats", 1)).invoices[0].lines.count == 1)
            #expect(try await harness.perform(.addon("boost", 0)).invoices.isEmpty)
            try await use(5_000, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [500])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `usage before a pause is charged at the pause, and counts in the period that goes on after it`(
        engine: DatabaseEngine
    ) async throws {
        try await withSubscriber(engine) { harness in
            harness.days(2)
            try await use(800, "a", harness)
            #expect(try await harness.perform(.pause).invoices.isEmpty)
            // Longer than the period: nothing that was used lies within it any more.
            harness.days(60)
            try await harness.perform(.resume)
            try await use(1_200, "b", harness)
            harness.days(1)
            #expect(try await harness.perform(.pause).invoices.map(\.total) == [500])
            harness.days(10)
            try await harness.perform(.resume)
            try await use(100, "c", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [500, 50])
            // The next period begins with nothing used.
            try await use(1_000, "d", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [500, 50])
        }
    }

    @Test func `what ends in a pause is charged when the subscription is cancelled in it`() async throws {
        try await withSubscriber { harness in
            try await use(1_500, "a", harness)
            #expect(try await harness.perform(.pause).invoices.map(\.total) == [250])
            harness.days(1)
            try await use(100, "late", harness)
            let cancelled = try await harness.perform(.cancel)
            #expect(cancelled.subscription.status == .cancelled && cancelled.invoices.map(\.total) == [50])
            harness.days(40)
            try await harness.billing.collectDue()
            #expect(try await charged(harness) == [250, 50])
        }
    }

    @Test func `what begins in the last minute of a subscription that ends is charged`() async throws {
        try await withSubscriber { harness in
            try await harness.perform(.cancel)
            let end = try #require(try await harness.billing.subscription(of: harness.id)).period.end
            harness.lease.clock.set(end + .seconds(20))
            try await use(1_500, "last", harness)
            harness.lease.clock.set(end + .seconds(70))
            try await use(1_500, "later", harness)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .cancelled)
            #expect(try await charged(harness) == [250])
        }
    }

    @Test func `a change from monthly to yearly charges the month's usage, and the year begins with none`() async throws {
        try await withSubscriber { harness in
            harness.days(10)
            try await use(1_500, "a", harness)
            harness.days(1)
            let changed = try await harness.perform(.change(.starter, .year))
            #expect(changed.invoices.map { $0.lines.map(\.charge.kind) } == [[.overage, .unused, .plan]])
            #expect(changed.subscription.meteredFrom == harness.lease.clock.now)
            _ = try await harness.pay(changed.invoices[0].due, reference: "year", for: changed.invoices[0])
            try await use(12_000, "b", harness)
            try await renew(harness)
            #expect(try await charged(harness) == [250])
        }
    }

    @Test func `who does not pay is charged what was used until the end`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .year, trialDays: 0, overageCap: 50_000))
            try await use(13_000, "a", harness)
            for _ in 0..<36 {
                harness.days(1)
                try await harness.billing.collectDue()
            }
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .cancelled)
            #expect(try await charged(harness) == [500])
            try await harness.check("at the end")
        }
    }

    @Test func `while an invoice is overdue the cap is lowered and not raised`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 100)).invoices[0]
            harness.days(15)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .pastDue)
            #expect(try await refusal { try await harness.perform(.overage(101)) } == "invoice_overdue")
            #expect(try await harness.limit() == 1_100)
            try await harness.perform(.overage(50))
            #expect(try await refusal { try await harness.perform(.overage(100)) } == "invoice_overdue")
            _ = try await harness.pay(first.due, reference: "late", for: first)
            try await harness.perform(.overage(5_000))
            #expect(try await harness.limit() == 6_000)
            try await harness.check("at the end")
        }
    }

    @Test func `a trial, which charges nothing, allows no more than what is included`() async throws {
        try await withSubscriber(trialDays: 14) { harness in
            #expect(try await harness.limit() == 1_000)
            try await harness.perform(.overage(9_000))
            #expect(try await harness.limit() == 1_000)
            try await renew(harness)
            #expect(try await harness.limit() == 10_000)
        }
    }

    @Test func `a trial has no executions of add-ons, which it does not pay for, and the period after it has them`() async throws {
        try await withSubscriber(trialDays: 14) { harness in
            try await harness.perform(.addon("boost", 3))
            #expect(try await harness.limit() == 1_000)
            try await harness.perform(.addon("seats", 2))
            #expect(try await harness.tenancy.tenant(harness.id)?.limits.users == 13)
            try await renew(harness)
            #expect(try await harness.limit() == 1_000 + 3 * 5_000 + 5_000)
        }
    }

    @Test func `parts of a period's usage come to the price of the whole`() async throws {
        try await withSubscriber { harness in
            try await use(1_000, "included", harness)
            for part in 0..<5 {
                harness.days(1)
                try await use(1, "part \(part)", harness)
                try await harness.perform(.overage(0))
                try await harness.perform(.overage(5_000))
            }
            try await renew(harness)
            #expect(try await charged(harness).reduce(0, +) == UnitRate.executions.price(of: 5))
        }
    }
}
