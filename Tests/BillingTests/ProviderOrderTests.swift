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

    private static let environment = ["AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w"]

    /// Answers every charge alike, and counts them.
    private actor Card {
        private let (status, text): (Int, String)
        private var meanwhile: (@Sendable () async throws -> Void)?
        private(set) var charges = 0

        init(_ status: Int, _ text: String) { (self.status, self.text) = (status, text) }

        /// What happens before the next answer.
        func cross(_ meanwhile: @escaping @Sendable () async throws -> Void) { self.meanwhile = meanwhile }

        func answer(_ request: OutboundRequest) async throws -> OutboundResponse {
            if let other = meanwhile {
                meanwhile = nil
                try await other()
            }
            if request.url.hasSuffix("/payment_intents") { charges += 1 }
            return OutboundResponse(status: status, body: Array(text.utf8), url: request.url)
        }
    }

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

    /// How often it was told that a charge failed.
    private func told(_ harness: BillingHarness) async throws -> Int {
        try await harness.database.readSystem { tx in try tx.all("SELECT id FROM outbox_events WHERE name = \(PaymentFailed.name)").count }
    }

    @Test(arguments: DatabaseEngine.allCases) func `orders that fail here keep no other from being given, however many they are`(
        engine: DatabaseEngine
    ) async throws {
        let send: @Sendable (OutboundRequest) async throws -> OutboundResponse = { request in
            guard case .bytes(let bytes) = request.body, !String(decoding: bytes, as: UTF8.self).contains("cus_broken") else { throw Broken() }
            let intent = #"{"id":"pi_1","status":"succeeded","amount_received":3451,"currency":"usd"}"#
            return OutboundResponse(status: 200, body: Array(intent.utf8), url: request.url)
        }
        try await withBilling(engine, environment: Self.environment, send: send) { harness in
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

    @Test(arguments: DatabaseEngine.allCases) func `what a bank has taken back for good is owed, and not charged to what is saved`(
        engine: DatabaseEngine
    ) async throws {
        let card = Card(200, #"{"id":"pi_1","status":"succeeded","amount_received":3451,"currency":"usd"}"#)
        try await withBilling(engine, environment: Self.environment, send: { request in try await card.answer(request) }) { harness in
            let id = try await subscribe(harness.id, customer: "cus_1", harness)
            try await harness.billing.giveOrders()
            #expect(try await harness.billing.invoice(id, of: harness.id).status == .paid)
            for outcome in [Till.DisputeOutcome.opened, .lost] {
                try await harness.billing.atTill(of: harness.id) { till in try till.dispute("pi_1", at: "stripe", outcome, fee: 0) }
            }
            // Ordered before the bank has decided, and given after.
            let late = ProviderTask(key: "charge:late", tenant: harness.id, kind: .charge, subject: id, attempts: 0)
            try await harness.database.writeSystem { tx in try ProviderTaskStore(tx: tx).add(late, at: tx.clock.now()) }
            for _ in 0..<22 {
                harness.days(1)
                try await harness.billing.collectDue()
            }
            #expect(await card.charges == 1)
            let owed = try await harness.billing.invoice(id, of: harness.id)
            #expect(owed.status == .open && owed.due == 3_451 && owed.reminders == Dunning.steps.count)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a charge that fails is told once, though two give its order and the provider tells too`(
        engine: DatabaseEngine
    ) async throws {
        let card = Card(402, #"{"error":{"code":"card_declined","decline_code":"lost_card"}}"#)
        try await withBilling(engine, environment: Self.environment, send: { request in try await card.answer(request) }) { harness in
            let billing = harness.billing
            let id = try await subscribe(harness.id, customer: "cus_1", harness)
            func hear(_ event: String, _ more: String) async throws {
                let object = #"{"id":"pi_1","metadata":{"tenant":"\#(harness.id)","invoice":"\#(id)"}\#(more)}"#
                let body = Array(#"{"id":"\#(event)","type":"payment_intent.payment_failed","data":{"object":\#(object)}}"#.utf8)
                let header = StripeSignature.header(body: body, secret: "w", at: harness.lease.clock.now)
                try await billing.hear(ProviderMessage(body: body) { $0 == "Stripe-Signature" ? header : nil }, from: "stripe")
            }
            await card.cross { try await billing.giveOrders() }
            try await billing.giveOrders()
            #expect(await card.charges == 2)
            #expect(try await told(harness) == 1)
            // The provider tells of it after what was saved is gone; then of one that failed on its page.
            try await billing.forgetMethod(at: "stripe", of: harness.id, by: harness.ana)
            try await hear("evt_1", "")
            #expect(try await told(harness) == 1)
            try await hear("evt_2", #","setup_future_usage":"off_session""#)
            #expect(try await told(harness) == 2)
        }
    }

    /// Decides every charge later.
    private actor SlowBank {
        private var (status, text) = (200, #"{"id":"pi_1","status":"processing"}"#)
        private(set) var charges = 0

        func decide(_ status: Int, _ text: String) { (self.status, self.text) = (status, text) }

        func answer(_ request: OutboundRequest) -> OutboundResponse {
            let isOrder = request.url.hasSuffix("/payment_intents")
            if isOrder { charges += 1 }
            let body = isOrder ? #"{"id":"pi_\#(charges)","status":"processing"}"# : text
            return OutboundResponse(status: isOrder ? 200 : status, body: Array(body.utf8), url: request.url)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a charge that is decided later is asked about, and not ordered again meanwhile`(
        engine: DatabaseEngine
    ) async throws {
        let bank = SlowBank()
        try await withBilling(engine, environment: Self.environment, send: { request in await bank.answer(request) }) { harness in
            let id = try await subscribe(harness.id, customer: "cus_1", harness)
            // Ordered before, and put off.
            let late = ProviderTask(key: "charge:late", tenant: harness.id, kind: .charge, subject: id, attempts: 3)
            try await harness.database.writeSystem { tx in try ProviderTaskStore(tx: tx).add(late, at: tx.clock.now()) }
            for _ in 0..<18 {
                try await harness.billing.collectDue()
                harness.days(1)
            }
            #expect(try await harness.billing.invoice(id, of: harness.id).reminders == 2)
            #expect(await bank.charges == 1)
            await bank.decide(200, #"{"id":"pi_1","status":"succeeded","amount_received":3451,"currency":"usd"}"#)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.invoice(id, of: harness.id).status == .paid)
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .active)
            #expect(try await harness.balance(.wallet) == 0)
            #expect(try await told(harness) == 0)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: [200, 404]) func `a charge that came to nothing or was lost is told once, and the next step of dunning orders another`(
        status: Int
    ) async throws {
        let bank = SlowBank()
        try await withBilling(environment: Self.environment, send: { request in await bank.answer(request) }) { harness in
            _ = try await subscribe(harness.id, customer: "cus_1", harness)
            try await harness.billing.giveOrders()
            await bank.decide(status, #"{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"debit_not_authorized"}}"#)
            for _ in 0..<3 {
                harness.days(1)
                try await harness.billing.collectDue()
            }
            #expect(await bank.charges == 1)
            #expect(try await told(harness) == 1)
            harness.days(11)
            try await harness.billing.collectDue()
            #expect(await bank.charges == 2)
            try await harness.check("at the end")
        }
    }

    @Test func `a charge that its provider never decides is waited for a month`() async throws {
        let bank = SlowBank()
        try await withBilling(environment: Self.environment, send: { request in await bank.answer(request) }) { harness in
            let id = try await subscribe(harness.id, customer: "cus_1", harness)
            try await harness.billing.giveOrders()
            func isUndecided() async throws -> Bool {
                let tenant = harness.id
                return try await harness.database.readSystem { tx in try ProviderTaskStore(tx: tx).isUndecided(id, of: tenant) }
            }
            harness.lease.clock.advance(by: ProviderTask.lookupPause)
            for _ in 0..<118 {
                try await harness.billing.giveOrders()
                harness.lease.clock.advance(by: .seconds(21_600))
            }
            #expect(try await isUndecided())
            try await harness.billing.giveOrders()
            #expect(try await isUndecided() == false)
            #expect(await bank.charges == 1)
        }
    }

    @Test func `steps of dunning that are gone over at once try the card once`() async throws {
        let card = Card(402, #"{"error":{"code":"card_declined","decline_code":"lost_card"}}"#)
        try await withBilling(environment: Self.environment, send: { request in try await card.answer(request) }) { harness in
            let id = try await subscribe(harness.id, customer: "cus_1", harness)
            // Nothing runs until three days after the invoice is due.
            harness.days(18)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.invoice(id, of: harness.id).reminders == 2)
            #expect(await card.charges == 1)
            #expect(try await told(harness) == 1)
            // The next step tries it again.
            harness.days(4)
            try await harness.billing.collectDue()
            #expect(await card.charges == 2)
            #expect(try await told(harness) == 2)
        }
    }
}
