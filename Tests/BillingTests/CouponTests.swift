import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Coupons, add-ons and credit: what is previewed is what is charged, and no order of things gains a cent.
@Suite(.timeLimit(.minutes(5))) struct CouponTests {
    private func coupon(
        _ code: String, _ reduction: Coupon.Reduction, _ lasting: Coupon.Lasting, redemptions: Int64 = Coupon.unlimited
    ) -> Coupon { Coupon(code: code, name: code, reduction: reduction, lasting: lasting, redemptionsMaximum: redemptions) }

    @Test(arguments: DatabaseEngine.allCases) func `half the price at first is half on the invoice, and an upgrade credits no more than was paid`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            _ = try await harness.billing.make(coupon("HALF", .share(.percent(50)), .once), by: harness.ana)
            let start = SubscriptionRequest.start(.starter, .month, trialDays: 0, overageCap: 0)
            let preview = try await harness.billing.preview(start, coupon: "half", of: harness.id)
            #expect(preview.invoices.map(\.total) == [1_450] && preview.upcoming.map(\.total) == [2_900])
            let made = try await harness.billing.perform(start, coupon: "half", of: harness.id, by: harness.ana)
            #expect(made.invoices[0].subtotal == 2_900 && made.invoices[0].discount == 1_450 && made.invoices[0].total == 1_450)
            #expect(try await refusal { try await harness.billing.redeem("HALF", of: harness.id, by: harness.ana) } == "coupon_used")
            // In the same instant: what was paid comes back, and no more.
            let upgrade = try await harness.perform(.change(.professional, .month)).invoices[0]
            #expect(upgrade.total == 9_900 - 1_450 && upgrade.lines[0].total == -1_450)
            #expect(upgrade.lines[0].subtotal == -2_900 && upgrade.lines[0].discount == -1_450)
            try await harness.check("after the upgrade")
        }
    }

    @Test func `an amount is off each period, for as long as it lasts`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            _ = try await harness.billing.make(coupon("TEN", .amount(1_000, "USD"), .months(2)), by: harness.ana)
            _ = try await harness.billing.redeem("ten", of: harness.id, by: harness.ana)
            var totals = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices.map(\.total)
            for _ in 0..<3 {
                harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
                try await harness.billing.collectDue()
                totals.append(try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first).total)
            }
            #expect(totals == [1_900, 1_900, 2_900, 2_900])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a coupon is redeemed no more often than it may be, whoever comes at once`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            _ = try await harness.billing.make(coupon("FEW", .share(.percent(10)), .forever, redemptions: 3), by: harness.ana)
            var tenants: [TenantID] = []
            for place in 0..<10 {
                let new = NewTenant(name: "T", subdomain: "few-\(place)", plan: .starter)
                tenants.append(try await harness.tenancy.createTenant(new, owner: "ana@example.com", by: .system(in: nil)).tenant.id)
            }
            let taken = await withTaskGroup(of: Bool.self) { group in
                for tenant in tenants {
                    group.addTask { (try? await harness.billing.redeem("FEW", of: tenant, by: harness.ana)) != nil }
                }
                return await group.reduce(0) { $1 ? $0 + 1 : $0 }
            }
            #expect(taken == 3)
            #expect(try await harness.billing.coupons(after: "", limit: 9).map(\.redeemed) == [3])
        }
    }

    @Test func `coupons beyond all and of other currencies are refused`() async throws {
        #expect(throws: Refusal.self) { try CouponBody(code: "BIG", name: "B", shareBasisPoints: 15_000, lasting: "once").coupon() }
        #expect(throws: Refusal.self) { try CouponBody(code: "B B", name: "B", shareBasisPoints: 1_000, lasting: "once").coupon() }
        #expect(throws: Refusal.self) { try CouponBody(code: "BOTH", name: "B", shareBasisPoints: 1, amount: 1, lasting: "once").coupon() }
        try await withBilling { harness in
            try await harness.profile()
            _ = try await harness.billing.make(coupon("EURO", .amount(100, "EUR"), .once), by: harness.ana)
            let start = SubscriptionRequest.start(.starter, .month, trialDays: 0, overageCap: 0)
            #expect(
                try await refusal { try await harness.billing.perform(start, coupon: "EURO", of: harness.id, by: harness.ana) } == "other_currency")
            #expect(try await harness.billing.redemptions(of: harness.id).isEmpty)
            try await harness.perform(start)
            #expect(try await refusal { try await harness.billing.redeem("EURO", of: harness.id, by: harness.ana) } == "other_currency")
            #expect(try await refusal { try await harness.billing.redeem("NONE", of: harness.id, by: harness.ana) } == "unknown_coupon")
            try await harness.billing.withdrawCoupon("EURO", by: harness.ana)
            #expect(try await refusal { try await harness.billing.redeem("EURO", of: harness.id, by: harness.ana) } == "unknown_coupon")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `add-ons are charged for the rest of the period, raise their limit, and fewer wait for its end`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            for addon in HistoryModel.addons { _ = try await harness.billing.sell(addon, by: harness.ana) }
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            #expect(try await harness.tenancy.tenant(harness.id)?.limits.users == 3)
            harness.days(10)
            let preview = try await harness.billing.preview(.addon("seats", 2), of: harness.id)
            let bought = try await harness.perform(.addon("seats", 2))
            let subscription = bought.subscription
            let expected = Proration.unused(2_466, of: subscription.period, at: harness.lease.clock.now)
            #expect(bought.invoices.map(\.total) == [expected] && preview.invoices.map(\.total) == [expected])
            #expect(preview.upcoming.map(\.total) == [2_900 + 2_466])
            #expect(bought.invoices[0].lines[0].charge.item == ChargeItem(code: "seats", name: "Five seats"))
            #expect(try await harness.tenancy.tenant(harness.id)?.limits.users == 13)
            #expect(try await refusal { try await harness.perform(.addon("seats", 21)) } == "out_of_range")
            try await harness.perform(.addon("seats", 1))
            #expect(try await harness.tenancy.tenant(harness.id)?.limits.users == 13)
            for invoice in try await harness.billing.invoices(of: harness.id, before: nil, limit: 9) {
                _ = try await harness.pay(invoice.due, reference: invoice.numberText, for: invoice)
            }
            harness.lease.clock.set(subscription.period.end)
            try await harness.billing.collectDue()
            #expect(try await harness.tenancy.tenant(harness.id)?.limits.users == 8)
            let renewed = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first)
            #expect(renewed.total == 2_900 + 1_233)
            try await harness.check("after the renewal")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `credit that expires first is drawn first, and what is taken back goes where it came from`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let now = harness.lease.clock.now
            func grant(_ amount: Int64, days: Int64?) async throws -> WalletGrant {
                try await harness.billing.grant(
                    amount, "USD", expiresAt: days.map { now + .seconds($0 * 86_400) }, reason: "test", to: harness.id, by: harness.ana)
            }
            _ = try await harness.pay(1_000, reference: "prepaid", for: nil)
            let (late, soon) = (try await grant(500, days: 50), try await grant(700, days: 20))
            let always = try await grant(300, days: nil)
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            #expect(invoice.paid == 2_500 && invoice.due == 400)
            _ = try await harness.pay(400, reference: "rest", for: invoice)
            // Of all that is taken back the last 100 were grants'; who had given money has it back in the wallet.
            _ = try await harness.billing.credit(invoice.id, 1_500, to: .wallet, of: harness.id, by: harness.ana)
            func left() async throws -> [WalletGrantID: Int64] {
                let all = try await harness.billing.grants(of: harness.id, before: nil, limit: 9)
                return Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.left) })
            }
            #expect(try await left() == [late.id: 0, soon.id: 0, always.id: 100])
            harness.days(25)
            // What went back to one that has expired is gone.
            _ = try await harness.billing.credit(invoice.id, 1_400, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await left() == [late.id: 500, soon.id: 0, always.id: 300])
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 1_400 + 800, currency: "USD")])
            try await harness.check("after all")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `all credit that was drawn is gone from its grants, however many there are`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let ends = harness.lease.clock.now + .seconds(20 * 86_400)
            try await harness.billing.atTill(of: harness.id) { till in
                for _ in 0..<95 { _ = try till.grant(20, "USD", expiresAt: ends, reason: "many") }
            }
            func left() async throws -> Int64 {
                try await harness.billing.grants(of: harness.id, before: nil, limit: 200).reduce(0) { $0 + $1.left }
            }
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            #expect(invoice.paid == 1_900 && invoice.due == 1_000)
            #expect(try await left() == 0)
            #expect(try await harness.balance(.wallet) == 0)
            // What is still asked for falls away first; the rest goes back to the grants that it came from, and expires with them.
            _ = try await harness.billing.credit(invoice.id, 1_900, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await left() == 900)
            #expect(try await harness.balance(.wallet) == -900)
            harness.days(25)
            try await harness.billing.collectDue()
            #expect(try await left() == 0)
            #expect(try await harness.balance(.wallet) == 0)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `credit that comes after an invoice pays it when somebody says so, as often as it comes`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            func pay() async throws -> Invoice { try await harness.billing.payFromWallet(invoice.id, of: harness.id, by: harness.ana) }
            func give(_ amount: Int64) async throws {
                _ = try await harness.billing.grant(amount, "USD", expiresAt: nil, reason: "Sorry", to: harness.id, by: harness.ana)
            }
            #expect(try await refusal { try await pay() } == "wallet_empty")
            harness.days(15)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .pastDue)
            try await give(1_000)
            #expect(try await pay().due == 1_900)
            try await harness.check("after a part")
            try await give(2_500)
            let paid = try await pay()
            #expect(paid.due == 0 && paid.status == .paid)
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .active)
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 600, currency: "USD")])
            #expect(try await refusal { try await pay() } == "nothing_due")
            // What is taken back of it goes to the gifts again.
            _ = try await harness.billing.credit(invoice.id, 2_900, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await harness.billing.grants(of: harness.id, before: nil, limit: 9).map(\.left) == [2_500, 1_000])
            try await harness.check("at the end")
        }
    }

    @Test func `money that was paid into the wallet and sent back elsewhere is no longer in it`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            _ = try await harness.pay(1_000, reference: "top-up", for: nil)
            try await harness.billing.atTill(of: harness.id) { till in try till.noteRefunds("top-up", at: "bank", total: 400) }
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 600, currency: "USD")])
            #expect(
                try await refusal {
                    try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
                    try await harness.billing.atTill(of: harness.id) { till in try till.noteRefunds("top-up", at: "bank", total: 1_000) }
                } == "exceeds_wallet")
            try await harness.check("at the end")
        }
    }
}
