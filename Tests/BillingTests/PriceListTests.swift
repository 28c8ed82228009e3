import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// What an operator changes of the price list, and those who have subscribed before.
@Suite(.timeLimit(.minutes(3))) struct PriceListTests {
    private func price(_ plan: PlanName, _ monthly: Int64, _ harness: BillingHarness) async throws {
        try await harness.database.writeDirectory { tx in
            _ = try tx.execute("UPDATE plans SET price_monthly = \(monthly) WHERE name = \(plan.rawValue)")
        }
    }

    private func takeOff(_ plan: PlanName, _ harness: BillingHarness) async throws {
        try await harness.database.writeDirectory { tx in _ = try tx.execute("DELETE FROM plans WHERE name = \(plan.rawValue)") }
    }

    private func payAll(_ harness: BillingHarness) async throws {
        for invoice in try await harness.billing.invoices(of: harness.id, before: nil, limit: 50) where invoice.due > 0 {
            _ = try await harness.pay(invoice.due, reference: invoice.numberText, for: invoice)
        }
    }

    private func renew(_ harness: BillingHarness) async throws -> Invoice? {
        try await payAll(harness)
        harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
        try await harness.billing.collectDue()
        return try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first
    }

    @Test(arguments: DatabaseEngine.allCases) func `who has a plan that is taken off the list keeps it at its price and with its limits`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            for addon in HistoryModel.addons { _ = try await harness.billing.sell(addon, by: harness.ana) }
            try await harness.database.writeDirectory { tx in
                _ = try tx.execute("UPDATE plans SET price_monthly = 3900, limit_executions = 1500 WHERE name = \(PlanName.starter.rawValue)")
            }
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 5_000))
            try await harness.perform(.addon("boost", 1))
            try await takeOff(.starter, harness)
            try await harness.database.write(in: harness.id) { tx in
                try tx.meter("executions", quantity: 7_000, key: "run:1", at: tx.clock.now())
            }
            #expect(try await renew(harness)?.total == 3_900 + 4_900 + 250)
            #expect(try await harness.limit() == 1_500 + 5_000 + 5_000)
            #expect(try await renew(harness)?.total == 3_900 + 4_900)
            try await harness.perform(.addon("boost", 2))
            #expect(try await harness.limit() == 1_500 + 10_000 + 5_000)
            try await payAll(harness)
            // Another plan can be chosen, and this one no more.
            let changed = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(changed.lines.map(\.subtotal) == [-3_900, 9_900])
            #expect(try await refusal { try await harness.perform(.change(.starter, .month)) } == "plan_not_listed")
            try await harness.check("at the end")
        }
    }

    @Test func `a trial, a year and a plan that was to follow go on when they are taken off the list`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .year, trialDays: 14, overageCap: 0))
            try await takeOff(.starter, harness)
            #expect(try await renew(harness)?.total == 29_000)
            #expect(try await renew(harness)?.total == 29_000)
            try await payAll(harness)
            let larger = try await harness.perform(.change(.professional, .year)).invoices[0]
            #expect(larger.lines.map(\.subtotal) == [-29_000, 99_000])
            try await takeOff(.enterprise, harness)
            #expect(try await refusal { try await harness.perform(.change(.enterprise, .year)) } == "plan_not_listed")
            try await harness.perform(.change(.professional, .month))
            try await takeOff(.professional, harness)
            #expect(try await renew(harness)?.total == 9_900)
            #expect(try await harness.limit() == 10_000)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a change of plan credits what was paid for the period, whatever the list says since`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let start = harness.lease.clock.now
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            try await payAll(harness)
            // January has 31 days: half of it is left, then a quarter.
            try await price(.starter, 5_800, harness)
            harness.lease.clock.set(start + .seconds(31 * 43_200))
            let preview = try await harness.billing.preview(.change(.starter, .year), of: harness.id)
            #expect(preview.invoices[0].lines.map(\.subtotal) == [-1_450, 58_000])
            let first = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(first.lines.map(\.subtotal) == [-1_450, 4_950])
            try await payAll(harness)
            for listed in [Int64(19_800), 4_000] {
                try await price(.professional, listed, harness)
                harness.lease.clock.set(start + .seconds(31 * 64_800))
                let preview = try await harness.billing.preview(.change(.enterprise, .month), of: harness.id)
                #expect(preview.invoices[0].lines.map(\.subtotal) == [-2_475, 7_475], "\(listed)")
            }
            // The next period is charged at what the list says.
            #expect(try await renew(harness)?.total == 4_000)
            try await harness.check("at the end")
        }
    }

    @Test func `one whose plan is off the list keeps no other from being billed`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.professional, .month, trialDays: 0, overageCap: 0))
            let new = NewTenant(name: "Other", subdomain: "other", plan: .starter)
            let other = try await harness.tenancy.createTenant(new, owner: "otto@example.com", by: .system(in: nil)).tenant.id
            _ = try await harness.billing.setProfile(BillingHarness.german, of: other, by: harness.ana)
            let start = SubscriptionRequest.start(.starter, .month, trialDays: 0, overageCap: 0)
            _ = try await harness.billing.perform(start, of: other, by: .system(in: other))
            try await takeOff(.starter, harness)
            #expect(try await renew(harness)?.total == 9_900)
            #expect(try await harness.billing.invoices(of: other, before: nil, limit: 9).count == 2)
        }
    }
}
