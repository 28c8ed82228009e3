import Kernel
import Outbound
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// An answer that is lost after the provider took the order: the money is not in two places, whatever the provider says when it is asked again.
@Suite(.timeLimit(.minutes(3))) struct LostAnswerTests {
    private static let environment = [
        "AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w", "AIAS_PAYPAL_CLIENT_ID": "c", "AIAS_PAYPAL_SECRET": "s",
        "AIAS_PAYPAL_WEBHOOK_ID": "w"
    ]

    private func withCounter(_ body: (BillingHarness, Counter) async throws -> Void) async throws {
        let counter = Counter()
        try await withBilling(.sqlite, environment: Self.environment, send: { request in try await counter.answer(request) }) { harness in
            try await harness.profile()
            try await body(harness, counter)
            try await harness.check("at the end")
        }
    }

    /// A seller with 70.00 that can be paid out.
    private func seller(_ harness: BillingHarness, at provider: String) async throws -> TenantID {
        let seller = try await harness.seller("sel", provider: provider, destination: provider == "stripe" ? "acct_123456789" : "sel@example.com")
        let order = SaleOrder(
            key: "1", seller: seller, listing: "reader", kind: .template, name: "Reader", amount: Money(minorUnits: 10_000, currency: "USD"))
        let sale = try await harness.billing.sell(order, to: harness.id, by: harness.ana)
        _ = try await harness.pay(10_000, reference: "B1", for: try await harness.billing.invoice(sale.invoice, of: harness.id))
        harness.days(15)
        return seller
    }

    private func payout(_ harness: BillingHarness, _ seller: TenantID) async throws -> Payout {
        try await harness.billing.payOutDue()
        return try #require(try await harness.billing.payouts(of: seller, before: nil, limit: 9).first)
    }

    private func available(_ harness: BillingHarness, _ seller: TenantID) async throws -> Int64 {
        try await harness.billing.earnings(of: seller).first?.available ?? 0
    }

    @Test(arguments: ["stripe", "paypal"]) func `a payout whose answer was lost is not in the balance again when it is refused then`(
        provider: String
    ) async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: provider)
            await counter.be(.losing)
            let lost = try await payout(harness, seller)
            #expect(lost.status == .pending && lost.mayBeTaken)
            await counter.be(.silent)
            harness.days(1)
            #expect(try await payout(harness, seller).mayBeTaken, "one that did not get there says nothing of the one before")
            await counter.be(.refusing)
            harness.days(1)
            let refused = try await payout(harness, seller)
            // Stripe has a list of them; PayPal tells only when it would take it again.
            #expect(refused.status == (provider == "stripe" ? .sent : .pending))
            #expect(try await available(harness, seller) == 0)
            await counter.be(.willing)
            harness.days(2)
            let sent = try await payout(harness, seller)
            #expect(sent.status == .sent && sent.reference == "id_1")
            #expect(try await available(harness, seller) == 0)
            #expect(await counter.taken.count == 1)
        }
    }

    @Test func `a payout that the provider never had is in the balance again when it is refused`() async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: "stripe")
            await counter.be(.dropping)
            #expect(try await payout(harness, seller).mayBeTaken)
            await counter.be(.refusing)
            harness.days(1)
            let refused = try await payout(harness, seller)
            #expect(refused.status == .failed && refused.reference == nil)
            #expect(try await available(harness, seller) == 7_000)
            #expect(await counter.taken.isEmpty)
        }
    }

    @Test func `a payout whose answer was lost and that came back is in the balance again, and is ordered no more`() async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: "stripe")
            await counter.be(.losing)
            let lost = try await payout(harness, seller)
            let object = #"{"id":"id_1","reversed":true,"transfer_group":"payout:\#(lost.id)"}"#
            let body = Array(#"{"id":"evt_1","type":"transfer.reversed","data":{"object":\#(object)}}"#.utf8)
            let header = StripeSignature.header(body: body, secret: "w", at: harness.lease.clock.now)
            for _ in 0..<2 {
                try await harness.billing.hear(ProviderMessage(body: body) { $0 == "Stripe-Signature" ? header : nil }, from: "stripe")
            }
            #expect(try await available(harness, seller) == 7_000)
            await counter.be(.willing)
            harness.days(1)
            #expect(try await payout(harness, seller).status == .failed)
            #expect(await counter.taken.count == 1)
        }
    }

    @Test func `what nobody can tell is left to people once the provider may have forgotten the key`() async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: "paypal")
            await counter.be(.dropping)
            let lost = try await payout(harness, seller)
            func fail() async throws { try await harness.billing.fail(lost.id, of: seller, reason: "not there", by: harness.ana) }
            #expect(try await refusal { try await fail() } == "payout_pending")
            await counter.be(.willing)
            harness.days(28)
            #expect(try await payout(harness, seller).status == .pending)
            #expect(await counter.taken.isEmpty)
            try await fail()
            #expect(try await available(harness, seller) == 7_000)
        }
    }

    private func move(_ seller: TenantID, to provider: String, _ destination: String, _ harness: BillingHarness) async throws {
        try await harness.billing.setPayee(
            seller, provider: provider, destination: destination, tax: TaxForm(form: "w9", name: "Sel Ler", country: "US", taxId: "12-3456789"),
            schedule: .weekly, minimum: 1_000, by: BillingHarness.operatorOf)
    }

    @Test func `a payout that waits for a provider that its payee has left is in the balance again, and sent by the new one`() async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: "stripe")
            await counter.be(.silent)
            let waiting = try await payout(harness, seller)
            #expect(waiting.status == .pending && !waiting.mayBeTaken)
            try await move(seller, to: "bank", "DE89370400440532013000", harness)
            #expect(try await available(harness, seller) == 7_000)
            // The same of one that waits for a file.
            let file = try #require(try await harness.billing.payOut(to: seller).first)
            #expect(file.provider == "bank")
            await counter.be(.willing)
            try await move(seller, to: "paypal", "sel@example.com", harness)
            #expect(try await available(harness, seller) == 7_000)
            _ = try await harness.billing.payOut(to: seller)
            let sent = try await payout(harness, seller)
            #expect(sent.status == .sent && sent.provider == "paypal")
            #expect(try await harness.billing.payouts(of: seller, before: nil, limit: 9).map(\.status) == [.sent, .failed, .failed])
            #expect(try await available(harness, seller) == 0)
            #expect(await counter.taken == [sent.orderKey])
        }
    }

    @Test(arguments: [true, false]) func `of a payout whose answer was lost the provider tells, though its payee has left it`(
        isTaken: Bool
    ) async throws {
        try await withCounter { harness, counter in
            let seller = try await seller(harness, at: "stripe")
            await counter.be(isTaken ? .losing : .dropping)
            #expect(try await payout(harness, seller).mayBeTaken)
            try await move(seller, to: "bank", "DE89370400440532013000", harness)
            #expect(try await available(harness, seller) == 0)
            await counter.be(.willing)
            harness.days(1)
            #expect(try await payout(harness, seller).status == (isTaken ? .sent : .failed))
            #expect(try await available(harness, seller) == (isTaken ? 0 : 7_000))
            #expect(await counter.taken.count == (isTaken ? 1 : 0))
        }
    }

    @Test(arguments: ["stripe", "paypal"]) func `a refund whose answer was lost is not in the wallet too when it is refused then`(
        provider: String
    ) async throws {
        try await withCounter { harness, counter in
            let id = harness.id
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let paid = ProviderPayment(reference: "pay_1", amount: Money(minorUnits: invoice.total, currency: "USD"), tenant: id, invoice: invoice.id)
            try await harness.billing.atTill(of: id) { till in try till.apply(.paid(paid), from: provider) }
            let payment = try #require(try await harness.billing.payments(of: id, before: nil, limit: 1).first)
            func status(_ note: Invoice) async throws -> ProviderRefund.Status? {
                try await harness.database.read(in: id) { tx in try PaymentPartStore(tx: tx).refund(note.id)?.status }
            }
            func credit(_ amount: Int64, _ mood: Counter.Mood) async throws -> Invoice {
                await counter.be(mood)
                return try await harness.billing.credit(invoice.id, amount, to: .payment(payment.id), of: id, by: harness.ana)
            }
            let lost = try await credit(1_000, .losing)
            #expect(try await status(lost) == .pending)
            await counter.be(.refusing)
            harness.days(1)
            try await harness.billing.giveOrders()
            #expect(try await status(lost) == .done)
            #expect(try await harness.balance(.wallet) == 0)
            // One that the provider never had is in the wallet when it is refused.
            let dropped = try await credit(500, .dropping)
            #expect(try await status(dropped) == .pending)
            await counter.be(.refusing)
            harness.days(1)
            try await harness.billing.giveOrders()
            #expect(try await status(dropped) == .failed)
            #expect(try await harness.balance(.wallet) == -500)
            #expect(await counter.taken.count == 1)
        }
    }

    /// A provider that an order of one process does not reach, while another process gives the same and its answer is lost.
    private func withCrossing(_ body: (BillingHarness, Crossing) async throws -> Void) async throws {
        let crossing = Crossing()
        try await withBilling(.sqlite, environment: Self.environment, send: { request in try await crossing.answer(request) }) { harness in
            try await harness.profile()
            try await body(harness, crossing)
            try await harness.check("at the end")
        }
    }

    @Test func `a refund that two processes order is not in the wallet too, though the order of the one did not get there`() async throws {
        try await withCrossing { harness, crossing in
            let (id, billing) = (harness.id, harness.billing)
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let paid = ProviderPayment(reference: "pay_1", amount: Money(minorUnits: invoice.total, currency: "USD"), tenant: id, invoice: invoice.id)
            try await billing.atTill(of: id) { till in try till.apply(.paid(paid), from: "stripe") }
            let payment = try #require(try await billing.payments(of: id, before: nil, limit: 1).first)
            await crossing.cross { try await billing.giveOrders() }
            let note = try await billing.credit(invoice.id, 1_000, to: .payment(payment.id), of: id, by: harness.ana)
            func status() async throws -> ProviderRefund.Status? {
                try await harness.database.read(in: id) { tx in try PaymentPartStore(tx: tx).refund(note.id)?.status }
            }
            #expect(try await status() == .pending)
            await crossing.counter.be(.refusing)
            harness.days(1)
            try await billing.giveOrders()
            #expect(try await status() == .done)
            #expect(try await harness.balance(.wallet) == 0)
            #expect(await crossing.counter.taken.count == 1)
        }
    }

    @Test func `a payout that two processes order is not in the balance too, though the order of the one did not get there`() async throws {
        try await withCrossing { harness, crossing in
            let (billing, seller) = (harness.billing, try await seller(harness, at: "stripe"))
            await crossing.cross { try await billing.payOutDue() }
            #expect(try await payout(harness, seller).mayBeTaken)
            await crossing.counter.be(.refusing)
            harness.days(1)
            #expect(try await payout(harness, seller).status == .sent)
            #expect(try await available(harness, seller) == 0)
            #expect(await crossing.counter.taken.count == 1)
        }
    }

    @Test func `a batch that is there already is known by the link in its refusal`() async throws {
        let body = """
            {"name":"USER_BUSINESS_ERROR","details":[{"field":"SENDER_BATCH_ID","issue":"Batch with given sender_batch_id already exists",
            "link":[{"href":"https://api.paypal.com/v1/payments/payouts/CDZEC5MJ8R5HY","rel":"self"}]}]}
            """
        func paypal(_ body: String) -> PayPalProvider {
            let line = ProviderLine(url: "https://provider.example") { request in
                let isToken = request.url.hasSuffix("token")
                let text = isToken ? #"{"access_token":"A","expires_in":300}"# : body
                return OutboundResponse(status: isToken ? 200 : 400, body: Array(text.utf8), url: request.url)
            }
            return PayPalProvider(
                line: line, clientID: "c", secret: "s", webhookID: "w", clock: Clock { ProviderTests.now }, pass: PayPalPass())
        }
        #expect(try await paypal(body).payOut(ProviderTests.payout) == "CDZEC5MJ8R5HY")
        let bare = #"{"name":"USER_BUSINESS_ERROR","details":[{"field":"SENDER_BATCH_ID","issue":"exists"}]}"#
        await #expect(throws: ProviderError.unanswered("a batch of this id is there")) { try await paypal(bare).payOut(ProviderTests.payout) }
        await #expect(throws: ProviderError.refused("insufficient_funds")) {
            try await paypal(#"{"name":"INSUFFICIENT_FUNDS"}"#).payOut(ProviderTests.payout)
        }
    }
}

/// A provider of both kinds that does an order once for its key and lists what it did.
private actor Counter {
    enum Mood {
        case willing
        /// Nothing gets there.
        case silent
        /// It does what it is told, and its answer is lost.
        case losing
        /// It does nothing, and its answer is lost.
        case dropping
        case refusing
    }

    private var mood = Mood.willing
    /// The keys of the orders that it did.
    private(set) var taken: [String] = []

    func be(_ mood: Mood) { self.mood = mood }

    func answer(_ request: OutboundRequest) throws -> OutboundResponse {
        if request.url.contains("oauth2") { return response(200, #"{"access_token":"t","expires_in":3600}"#) }
        if mood == .silent { throw OutboundError(.unreachable, "no connection") }
        if request.method == "GET" { return response(200, list(request.url)) }
        let key = request.headers.first { ["idempotency-key", "paypal-request-id"].contains($0.name.lowercased()) }?.value ?? ""
        if mood == .refusing { return response(400, #"{"error":{"code":"not_now"},"name":"NOT_NOW"}"#) }
        if mood == .dropping { throw OutboundError(.timeout, "no answer") }
        if !taken.contains(key) { taken.append(key) }
        if mood == .losing { throw OutboundError(.timeout, "no answer") }
        let id = "id_\((taken.firstIndex(of: key) ?? 0) + 1)"
        return response(200, #"{"id":"\#(id)","batch_header":{"payout_batch_id":"\#(id)"}}"#)
    }

    /// Transfers and refunds as Stripe lists them, a capture and its order as PayPal has them.
    private func list(_ url: String) -> String {
        if url.contains("/captures/") { return #"{"supplementary_data":{"related_ids":{"order_id":"ORDER"}}}"# }
        let notes = taken.enumerated().map { place, key -> String in
            let note = key.split(separator: ":").last ?? ""
            return #"{"id":"id_\#(place + 1)","status":"succeeded","metadata":{"note":"\#(note)"},"custom_id":"\#(note)"}"#
        }
        let all = notes.joined(separator: ",")
        return #"{"data":[\#(all)],"purchase_units":[{"payments":{"refunds":[\#(all)]}}]}"#
    }

    private func response(_ status: Int, _ body: String) -> OutboundResponse {
        OutboundResponse(status: status, body: Array(body.utf8), url: "https://provider.example")
    }
}

private actor Crossing {
    let counter = Counter()
    private var meanwhile: (@Sendable () async throws -> Void)?

    /// With the next order.
    func cross(_ meanwhile: @escaping @Sendable () async throws -> Void) { self.meanwhile = meanwhile }

    func answer(_ request: OutboundRequest) async throws -> OutboundResponse {
        guard request.method == "POST", let other = meanwhile else { return try await counter.answer(request) }
        meanwhile = nil
        await counter.be(.losing)
        try await other()
        throw OutboundError(.unreachable, "no connection")
    }
}
