import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing
@testable import HTTPSurface

@Suite(.timeLimit(.minutes(3))) struct BankFileTests {
    private static let account = "DE89370400440532013000"

    @Test(arguments: DatabaseEngine.allCases) func `a bank's file is there again for who asks again, also where a crash took the answer`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel")
            let order = SaleOrder(
                key: "1", seller: seller, listing: "reader", kind: .template, name: "Reader", amount: Money(minorUnits: 10_000, currency: "USD"))
            let sale = try await harness.billing.sell(order, to: harness.id, by: harness.ana)
            _ = try await harness.pay(10_000, reference: "B1", for: try await harness.billing.invoice(sale.invoice, of: harness.id))
            harness.days(15)
            _ = try await harness.billing.payOut(to: seller)
            let lease = harness.lease
            let idempotency = Idempotency(database: lease.database, clock: lease.clock.clock, ids: lease.ids, vault: lease.vault)
            let key = IdempotencyKey(actor: "operator", key: "file", digest: [1])
            guard case .run(let claim) = try await idempotency.start(key, tenant: nil, holdsSecret: false) else {
                Issue.record("the key is free")
                return
            }
            // The process ends after this, before it answers.
            let made = try await harness.billing.bankFile(from: Self.account, by: BillingHarness.operatorOf, claim: claim)
            guard case .answer(let answer) = try await idempotency.start(key, tenant: nil, holdsSecret: false), case .bytes(let bytes) = answer.body
            else {
                Issue.record("what was made is the answer")
                return
            }
            #expect(answer.status == 201 && made.payouts.count == 1)
            #expect(try JSON(parsing: bytes)["file"]?.text == made.file)
        }
    }
}
