import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Changes that give back more than they ask for, and invoices of many lines.
@Suite(.timeLimit(.minutes(4))) struct ExcessTests {
    private static let bulk = Addon(
        code: "bulk", name: "Bulk", monthly: 50_000, currency: "USD", limit: .none, units: 0, quantityMaximum: 100)

    /// A starter by the month who has bought some pieces for the whole of it.
    private func buy(_ quantity: Int64, _ harness: BillingHarness, isPaid: Bool = true) async throws -> Invoice {
        _ = try await harness.billing.sell(Self.bulk, by: harness.ana)
        let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
        let bought = try await harness.perform(.addon("bulk", quantity)).invoices[0]
        guard isPaid else { return bought }
        for invoice in [first, bought] { _ = try await harness.pay(invoice.due, reference: invoice.numberText, for: invoice) }
        return bought
    }

    @Test(arguments: DatabaseEngine.allCases) func `a year without the month's add-ons takes back from their invoice what it cannot take off its own`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile("DE")
            let bought = try await buy(1, harness)
            #expect(bought.total == 59_500)
            try await harness.perform(.addon("bulk", 0))
            let preview = try await harness.billing.preview(.change(.starter, .year), of: harness.id)
            let changed = try await harness.perform(.change(.starter, .year))
            #expect(changed.invoices.map(\.kind) == [.creditNote, .invoice] && preview.invoices.map(\.total) == [28_441, 0])
            let (note, invoice) = (changed.invoices[0], changed.invoices[1])
            // 29,000 for the year less 2,900 leave 26,100 of the add-on's 50,000; the rest goes back with its tax.
            #expect(invoice.lines.map(\.subtotal) == [-2_900, -26_100, 29_000] && invoice.total == 0 && invoice.status == .paid)
            #expect(note.subtotal == 23_900 && note.tax == 4_541 && note.corrects == bought.id)
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 28_441, currency: "USD")])
            #expect(changed.subscription.interval == .year && changed.subscription.addons.isEmpty)
            try await harness.check("after the change")
        }
    }

    @Test func `pieces that are fewer in the year come back as far as the year does not take them`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            _ = try await buy(12, harness)
            try await harness.perform(.addon("bulk", 1))
            let changed = try await harness.perform(.change(.starter, .year))
            #expect(changed.invoices.map(\.total) == [73_900, 0])
            #expect(changed.invoices[1].lines.map(\.subtotal) == [-2_900, -526_100, 29_000, 500_000])
            #expect(changed.subscription.addons.map(\.quantity) == [1])
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 73_900, currency: "USD")])
            try await harness.check("after the change")
        }
    }

    private func price(_ plan: PlanName, _ monthly: Int64, _ harness: BillingHarness) async throws {
        try await harness.database.writeDirectory { tx in
            _ = try tx.execute("UPDATE plans SET price_monthly = \(monthly) WHERE name = \(plan.rawValue)")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what a plan cost beyond a year of it that has become cheaper comes back`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile("DE")
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            _ = try await harness.pay(first.due, reference: "first", for: first)
            try await price(.starter, 100, harness)
            let changed = try await harness.perform(.change(.starter, .year)).invoices
            #expect(changed.map(\.kind) == [.creditNote, .invoice])
            // 1,000 for the year less 2,900; the rest goes back with its tax.
            #expect(changed.last?.lines.map(\.subtotal) == [-1_000, 1_000] && changed.last?.total == 0)
            #expect(changed.first?.subtotal == 1_900 && changed.first?.tax == 361 && changed.first?.corrects == first.id)
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 2_261, currency: "USD")])
            try await harness.check("after the change")
        }
    }

    @Test func `what a plan cost beyond a larger one that has become cheaper comes back, also from what an earlier change had left`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let larger = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(larger.total == 7_000)
            for invoice in [first, larger] { _ = try await harness.pay(invoice.due, reference: invoice.numberText, for: invoice) }
            try await price(.professional, 400, harness)
            try await price(.enterprise, 500, harness)
            let cheaper = try await harness.perform(.change(.enterprise, .month)).invoices
            #expect(cheaper.map(\.total) == [7_000, 2_400, 0] && cheaper.prefix(2).map(\.corrects) == [larger.id, first.id])
            // 500 are left of the first one; the year costs 100.
            try await price(.enterprise, 10, harness)
            #expect(try await harness.perform(.change(.enterprise, .year)).invoices.map(\.total) == [400, 0])
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 9_800, currency: "USD")])
            try await harness.check("after the changes")
        }
    }

    @Test func `what a year was paid for with, credits of the month before, comes back from the month's invoices`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            _ = try await buy(1, harness)
            try await harness.perform(.addon("bulk", 0))
            try await harness.perform(.change(.starter, .year))
            try await price(.starter, 100, harness)
            try await price(.professional, 200, harness)
            let changed = try await harness.perform(.change(.professional, .year)).invoices
            #expect(changed.last?.lines.map(\.subtotal) == [-2_000, 2_000])
            #expect(changed.filter { $0.kind == .creditNote }.reduce(0) { $0 + $1.total } == 27_000)
            // All that was paid less the year at its price now.
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 50_900, currency: "USD")])
            try await harness.check("after the change")
        }
    }

    @Test func `what was not paid lessens what is due, and is no credit`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let bought = try await buy(1, harness, isPaid: false)
            try await harness.perform(.addon("bulk", 0))
            let changed = try await harness.perform(.change(.starter, .year))
            #expect(changed.invoices.map(\.total) == [23_900, 0])
            #expect(try await harness.billing.invoice(bought.id, of: harness.id).due == 50_000 - 23_900)
            #expect(try await harness.billing.wallet(of: harness.id).allSatisfy { $0.minorUnits == 0 })
            try await harness.check("after the change")
        }
    }

    @Test func `what was taken back already does not come back again`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let bought = try await buy(1, harness)
            _ = try await harness.billing.credit(bought.id, 50_000, to: .wallet, of: harness.id, by: harness.ana)
            try await harness.perform(.addon("bulk", 0))
            let changed = try await harness.perform(.change(.starter, .year)).invoices
            #expect(changed.map(\.total) == [26_100] && changed[0].lines.map(\.subtotal) == [-2_900, 29_000])
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 23_900, currency: "USD")])
            try await harness.check("after the change")
        }
    }

    @Test(arguments: ["US", "DE"]) func `what an operator has taken back an upgrade does not give back once more`(country: String) async throws {
        try await withBilling { harness in
            try await harness.profile(country)
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            _ = try await harness.pay(first.due, reference: "first", for: first)
            for part in [first.total / 2, first.total - first.total / 2] {
                _ = try await harness.billing.credit(first.id, part, to: .wallet, of: harness.id, by: harness.ana)
            }
            #expect(try await harness.billing.subscription(of: harness.id)?.creditable == 0)
            let upgrade = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(upgrade.lines.map(\.subtotal) == [0, 9_900])
            try await harness.check("after the upgrade")
        }
    }

    @Test func `what is taken back of an invoice is its usage first, then its plan`() async throws {
        try await withBilling { harness in
            try await harness.profile("DE")
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 5_000)).invoices[0]
            _ = try await harness.pay(first.due, reference: "first", for: first)
            try await harness.database.write(in: harness.id) { tx in
                try tx.meter("executions", quantity: 3_000, key: "run:1", at: tx.clock.now())
            }
            harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
            try await harness.billing.collectDue()
            let second = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first)
            #expect(second.subtotal == 3_900)
            // 1,000 of usage, then 500 of the plan, with their tax; then one of the period before.
            let steps: [(Invoice, Int64, Int64)] = [(second, 1_190, 2_900), (second, 595, 2_400), (first, 1_190, 2_400)]
            for (invoice, amount, creditable) in steps {
                _ = try await harness.billing.credit(invoice.id, amount, to: .wallet, of: harness.id, by: harness.ana)
                #expect(try await harness.billing.subscription(of: harness.id)?.creditable == creditable)
            }
            try await harness.check("at the end")
        }
    }

    @Test func `what an add-on cost before a pause of an earlier version comes back all the same`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let bought = try await buy(1, harness)
            try await harness.perform(.pause)
            harness.days(3)
            try await harness.perform(.resume)
            // It writes the row anew, without the columns that it does not know.
            try await harness.database.write(in: harness.id) { tx in
                _ = try tx.execute("UPDATE subscriptions SET metered_from = NULL, settled = 0 WHERE tenant_id = \(tx.tenant)")
            }
            try await harness.perform(.addon("bulk", 0))
            let changed = try await harness.perform(.change(.starter, .year))
            #expect(changed.invoices.map(\.kind) == [.creditNote, .invoice])
            #expect(changed.invoices.first?.corrects == bought.id && changed.invoices.first?.total == 23_900)
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 23_900, currency: "USD")])
            try await harness.check("after the change")
        }
    }

    @Test func `all add-ons that there can be stand on one invoice, each as a line of its own`() async throws {
        #expect(Invoice.linesMaximum >= 2 * (AddonStore.addonsMaximum + 1) + 1)
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 14, overageCap: 0))
            let (count, monthly) = (60, Int64(100))
            for place in 0..<count {
                let addon = Addon(
                    code: "piece_\(place)", name: "Piece", monthly: monthly, currency: "USD", limit: .none, units: 0, quantityMaximum: 1)
                _ = try await harness.billing.sell(addon, by: harness.ana)
                try await harness.perform(.addon(addon.code, 1))
            }
            harness.days(14)
            try await harness.billing.collectDue()
            let month = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first)
            #expect(month.total == 2_900 + Int64(count) * monthly)
            let year = try await harness.perform(.change(.starter, .year)).invoices[0]
            #expect(year.total == 9 * month.total)
            let kept = try await harness.billing.invoice(year.id, of: harness.id).lines
            #expect(kept.count == 2 * (count + 1) && kept.reduce(0) { $0 + $1.total } == year.total)
            try await harness.check("after the change")
        }
    }

    @Test func `credits are withheld from the last on, with what was discounted of them`() {
        let period = BillingPeriod(start: ProrationTests.start, end: ProrationTests.start + .seconds(86_400))
        func line(_ kind: Charge.Kind, _ amount: Int64, discount: Int64 = 0) -> Charge {
            Charge(kind: kind, plan: .starter, period: period, amount: amount, discount: discount)
        }
        var charges = [line(.unused, -100), line(.unused, -80, discount: -30), line(.unused, -40), line(.plan, 110)]
        let withheld = Till.withhold(from: &charges)
        #expect(withheld.map(\.amount) == [-40, -40] && withheld.allSatisfy { $0.discount == 0 })
        #expect(charges.map(\.amount) == [-100, -40, 110] && charges.map(\.discount) == [0, -30, 0])
        let asked = charges
        let more = Till.withhold(from: &charges)
        #expect(more.isEmpty && charges == asked)
    }
}
