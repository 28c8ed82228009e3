import Kernel
import Outbound
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// What is ordered of providers is given in its turn.
@Suite(.timeLimit(.minutes(3))) struct ProviderOrderTests {
    private struct Broken: Error {}

    /// Subscribes a tenant that has saved a method, and leaves the order to charge it for later.
    private func subscribe(_ tenant: TenantID, customer: String, _ harness: BillingHarness) async throws -> InvoiceID {
        _ = try await harness.billing.setProfile(BillingHarness.german, of: tenant, by: BillingHarness.operatorOf)
        return try await harness.billing.atTill(of: tenant) { till in
            try ProviderCustomerStore(tx: till.tx).save(
                .init(provider: "stripe", customer: customer, method: "pm_1", label: nil, savedAt: till.tx.clock.now()))
            try till.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            return till.issued[0].id
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `orders that fail here keep no other from being given, however many they are`(
        engine: DatabaseEngine
    ) async throws {
        let environment = ["AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w"]
        let send: @Sendable (OutboundRequest) async throws -> OutboundResponse = { request in
            guard case .bytes(let bytes) = request.body, !String(decoding: bytes, as: UTF8.self).contains("cus_broken") else { throw Broken() }
            let intent = #"{"id":"pi_1","status":"succeeded","amount_received":3451,"currency":"usd"}"#
            return OutboundResponse(status: 200, body: Array(intent.utf8), url: request.url)
        }
        try await withBilling(engine, environment: environment, send: send) { harness in
            let broken = harness.id
            let invoice = try await subscribe(broken, customer: "cus_broken", harness)
            try await harness.database.writeSystem { tx in
                for place in 0..<200 {
                    let task = ProviderTask(key: "charge:\(place)", tenant: broken, kind: .charge, subject: invoice, attempts: 0)
                    try ProviderTaskStore(tx: tx).add(task, at: tx.clock.now())
                }
            }
            harness.days(1)
            let new = NewTenant(name: "Other", subdomain: "other", plan: .starter)
            let other = try await harness.tenancy.createTenant(new, owner: "otto@example.com", by: .system(in: nil)).tenant.id
            let charged = try await subscribe(other, customer: "cus_1", harness)
            for _ in 0..<2 { await #expect(throws: Broken.self) { try await harness.billing.giveOrders() } }
            #expect(try await harness.billing.invoice(charged, of: other).status == .paid)
            try await harness.check()
        }
    }
}
