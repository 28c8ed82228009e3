import Foundation
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Random histories of customers. `AIAS_HISTORIES=1000000` plays more on the model alone, `AIAS_HISTORIES_STORED=20000` on each database, in
/// `AIAS_HISTORIES_LANES` at a time, each from `AIAS_HISTORIES_SEED` on; one that fails names its seed, which is kept in `Seeds.kept`.
@Suite(.timeLimit(.minutes(240))) struct HistoryTests {
    static func count(_ name: String, _ standard: Int) -> Int { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard }
    static var firstSeed: UInt64 { UInt64(count("AIAS_HISTORIES_SEED", 1)) }
    /// Those that are kept first.
    static func seeds(_ count: UInt64) -> [UInt64] {
        Seeds.kept + (firstSeed..<firstSeed + count).filter { !Seeds.kept.contains($0) }
    }

    static let length = 14
    private static let start = Timestamp(seconds: 1_769_817_600)

    @Test func `every invariant holds after each step of a history`() throws {
        let count = UInt64(Self.count("AIAS_HISTORIES", 2_000))
        var failed: [UInt64] = []
        for seed in Self.seeds(count) {
            var model = HistoryModel(at: Self.start)
            model.isReferred = seed % 2 == 1
            for (place, step) in HistoryStep.history(seed, length: Self.length).enumerated() {
                _ = try model.apply(step)
                let faults = model.faults
                guard !faults.isEmpty else { continue }
                Issue.record("seed \(seed), step \(place), \(step): \(faults)")
                failed.append(seed)
                break
            }
            if failed.count > 5 { break }
        }
        #expect(failed == [])
    }

    /// Each lane has a database and a clock of its own; two keep two cores busy.
    @Test(arguments: DatabaseEngine.allCases) func `the till does what the model does, on a database`(engine: DatabaseEngine) async throws {
        let seeds = Self.seeds(UInt64(Self.count("AIAS_HISTORIES_STORED", 12)))
        let lanes = Self.count("AIAS_HISTORIES_LANES", 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes {
                let own = seeds.indices.filter { $0 % lanes == lane }.map { seeds[$0] }
                group.addTask { try await Self.play(own, engine) }
            }
            try await group.waitForAll()
        }
    }

    private static func play(_ seeds: [UInt64], _ engine: DatabaseEngine) async throws {
        try await withBilling(engine) { harness in
            let seller = try await harness.seller("seller-of-all")
            let affiliate = try await harness.seller("affiliate-of-all")
            _ = try await harness.billing.join(affiliate, code: "ALL", by: BillingHarness.operatorOf)
            for addon in HistoryModel.addons { _ = try await harness.billing.sell(addon, by: BillingHarness.operatorOf) }
            for coupon in HistoryModel.coupons { _ = try await harness.billing.make(coupon, by: BillingHarness.operatorOf) }
            for (count, seed) in seeds.enumerated() {
                let place = try await StoredHistory(harness, seed: seed, seller: seller)
                let fault = try await place.play(HistoryStep.history(seed, length: length))
                #expect(fault == nil, "seed \(seed)")
                if fault != nil { break }
                if count % 1_000 == 999 { #expect(try await harness.billing.ledger.faults() == [], "up to seed \(seed)") }
            }
            #expect(try await harness.billing.ledger.faults() == [])
        }
    }
}

/// A history on a tenant of its own, beside the model of it.
final class StoredHistory {
    private let harness: BillingHarness
    private let tenant: TenantID
    private let seed: UInt64
    private let seller: TenantID
    private var model: HistoryModel

    init(_ harness: BillingHarness, seed: UInt64, seller: TenantID) async throws {
        self.harness = harness
        self.seller = seller
        self.seed = seed
        let new = NewTenant(name: "History", subdomain: "history-\(seed)", plan: .starter)
        tenant = try await harness.tenancy.createTenant(new, owner: "ana@example.com", by: .system(in: nil)).tenant.id
        if seed % 2 == 1 { try await harness.billing.refer(tenant, code: "ALL", clickedAt: nil, by: BillingHarness.operatorOf) }
        let (tenant, party) = (tenant, BillingHarness.german)
        try await harness.database.write(in: tenant) { tx in try BillingProfileStore(tx: tx).save(party) }
        model = HistoryModel(at: harness.lease.clock.now)
        model.isReferred = seed % 2 == 1
    }

    /// - Returns: the first difference; nil where there is none.
    func play(_ steps: [HistoryStep]) async throws -> String? {
        for (place, step) in steps.enumerated() {
            let expected = try model.apply(step)
            let found = try await refusal { try await self.perform(step) }
            if found != expected { return "step \(place), \(step): \(found ?? "done") instead of \(expected ?? "done")" }
        }
        return try await difference()
    }

    private func perform(_ step: HistoryStep) async throws {
        switch step {
        case .wait(let seconds): harness.lease.clock.advance(by: .seconds(seconds))
        case .use(let key, let quantity):
            try await harness.database.write(in: tenant) { tx in
                try tx.meter("executions", quantity: Int(quantity), key: "run:\(key)", at: tx.clock.now())
            }
        case .ask(let request): try await harness.billing.atTill(of: tenant) { till in try till.perform(request) }
        case .pay(let reference, let given, let place):
            let seed = seed
            try await harness.billing.atTill(of: tenant) { till in
                let named = try place.flatMap { try Self.invoice($0, till) }
                let amount = given ?? max(named?.due ?? 0, 1)
                _ = try till.receive(amount, "USD", from: "bank", reference: "\(seed):\(reference)", for: named?.id)
            }
        case .credit(let place, let amount, let paymentPlace):
            try await harness.billing.atTill(of: tenant) { till in
                guard let invoice = try Self.invoice(place, till) else { throw Refusal.missing("invoice") }
                let payment = try paymentPlace.map { try Self.payment($0, till)?.id ?? PaymentID(high: 1, low: 1) }
                _ = try till.credit(invoice.id, amount, to: payment.map { .payment($0) } ?? .wallet)
            }
        case .sell(let key, let kind, let amount):
            let order = SaleOrder(
                key: "\(key)", seller: seller, listing: "listing", kind: kind, name: "Listing", amount: Money(minorUnits: amount, currency: "USD"))
            try await harness.billing.atTill(of: tenant) { till in _ = try till.sell(order) }
        case .grant(let amount, let seconds):
            try await harness.billing.atTill(of: tenant) { till in
                _ = try till.grant(amount, "USD", expiresAt: seconds.map { till.now + .seconds($0) }, reason: "history")
            }
        case .dispute(let place, let outcome, let amount, let fee):
            try await harness.billing.atTill(of: tenant) { till in
                guard let payment = try Self.payment(place, till) else { throw Refusal.missing("payment") }
                try till.dispute(payment.reference, at: "bank", outcome, amount: amount, fee: fee)
            }
        }
    }

    private static func invoice(_ place: Int, _ till: Till) throws -> Invoice? {
        let all = try till.invoices.page(before: nil, limit: 1_000).filter { $0.kind == .invoice }.reversed()
        return all.dropFirst(place).first
    }

    private static func payment(_ place: Int, _ till: Till) throws -> Payment? {
        try PaymentStore(tx: till.tx).page(before: nil, limit: 1_000).reversed().dropFirst(place).first
    }

    private func difference() async throws -> String? {
        let model = model
        return try await harness.database.read(in: tenant) { tx in
            if try SubscriptionStore(tx: tx).subscription() != model.subscription { return "the subscription differs" }
            let bills = try InvoiceStore(tx: tx).page(before: nil, limit: 1_000).filter { $0.kind == .invoice }.reversed().map {
                [$0.total, $0.tax, $0.paid, $0.credited, $0.status == .open ? 1 : 0, $0.dueAt.seconds, Int64($0.reminders)]
            }
            let bought = model.bills.map { [$0.total, $0.tax, $0.paid, $0.credited, $0.isOpen ? 1 : 0, $0.dueAt.seconds, Int64($0.reminders)] }
            if bills != bought { return "the invoices are \(bills) instead of \(bought)" }
            let payments = try PaymentStore(tx: tx).page(before: nil, limit: 1_000).reversed().map { "\($0.amount) \($0.refunded) \($0.status)" }
            let received = model.payments.map { "\($0.amount) \($0.refunded) \($0.status)" }
            if payments != received { return "the payments are \(payments) instead of \(received)" }
            for (id, bill) in zip(
                try InvoiceStore(tx: tx).page(before: nil, limit: 1_000).filter { $0.kind == .invoice }.reversed().map(\.id), model.bills)
            {
                let sale = try SaleStore(tx: tx.platform).sales(on: id).first
                let commission = try ReferralStore(tx: tx.platform).commission(id)?.amount ?? 0
                if (sale?.earned ?? 0, sale?.held ?? 0, commission) != (bill.earned, bill.held, bill.commission) {
                    return "of a bill others have \(sale?.earned ?? 0), \(commission) instead of \(bill)"
                }
            }
            let left = try WalletStore(tx: tx).page(before: nil, limit: 1_000).reversed().map(\.left)
            if left != model.grants.map(\.left) { return "the grants have \(left) instead of \(model.grants.map(\.left))" }
            let balances = try LedgerStore(tx: tx.platform).balances(of: tx.tenant.id.description)
            func balance(_ kind: Account.Kind) -> Int64 { balances[Account(kind, of: tx.tenant.id, "USD")] ?? 0 }
            if balance(.receivable) != model.balance(.receivable) || balance(.wallet) != model.balance(.wallet) {
                return "the balances are \(balance(.receivable)), \(balance(.wallet)) instead of \(model.balances)"
            }
            return nil
        }
    }
}
