import Foundation
import Kernel
import Outbound
import Persistence
import Tenancy
import Testing

@testable import Billing

/// What both providers do is held by the stories against stand-ins; here is what needs no server.
@Suite struct ProviderTests {
    static let body = Array(#"{"id":"evt_1"}"#.utf8)
    static let now = Timestamp(seconds: 1_767_225_600)

    @Test func `a signature holds for its body, its secret and five minutes`() {
        func holds(_ header: String, _ body: [UInt8] = Self.body, secret: String = "whsec_a", at: Duration = .zero) -> Bool {
            StripeSignature.holds(header, body: body, secret: secret, now: Self.now + at)
        }
        let header = StripeSignature.header(body: Self.body, secret: "whsec_a", at: Self.now)
        #expect(holds(header) && holds(header, at: .seconds(300)) && holds(header, at: .seconds(-300)))
        #expect(!holds(header, at: .seconds(301)) && !holds(header, at: .seconds(-301)))
        #expect(!holds(header, secret: "whsec_b") && !holds(header, Self.body + [32]))
        // While a secret is rolled, one of several holds.
        let old = StripeSignature.header(body: Self.body, secret: "whsec_old", at: Self.now).split(separator: ",")[1]
        let parts = header.split(separator: ",")
        #expect(holds("\(parts[0]),\(old),\(parts[1]),v0=1"))
        for broken in ["", "t=,v1=", "t=1767225600", "v1=00", "t=1767225600,v1=zz", "t=99999999999999999999,v1=00", "t=-5,v1=00"] {
            #expect(!holds(broken), "\(broken)")
        }
    }

    /// The line's other end: keeps what it is asked, answers as it is told.
    private final class Ear: Sendable {
        let asked = Box()
        final class Box: @unchecked Sendable {
            private let lock = NSLock()
            private var list: [OutboundRequest] = []
            var all: [OutboundRequest] { lock.withLock { list } }
            func add(_ request: OutboundRequest) { lock.withLock { list.append(request) } }
        }

        func line(_ answer: @escaping @Sendable (OutboundRequest) -> (Int, String)) -> ProviderLine {
            ProviderLine(url: "https://provider.example") { [asked] request in
                asked.add(request)
                let (status, text) = answer(request)
                return OutboundResponse(status: status, body: Array(text.utf8), url: request.url)
            }
        }

        func bodies(_ path: String) -> [String] {
            asked.all.filter { $0.url.hasSuffix(path) }.map { request in
                guard case .bytes(let bytes) = request.body else { return "" }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    static let payout = PayoutOrder(destination: "acct_1", amount: Money(minorUnits: 1_234, currency: "EUR"), note: "June", key: "payout:1")

    @Test func `a payout is one order under its key, at both providers`() async throws {
        let (ear, clock) = (Ear(), Clock { Self.now })
        let stripe = StripeProvider(line: ear.line { _ in (200, #"{"id":"tr_1"}"#) }, key: "sk", webhookSecret: "w", clock: clock)
        #expect(try await stripe.payOut(Self.payout) == "tr_1")
        #expect(ear.bodies("/v1/transfers") == ["amount=1234&currency=eur&destination=acct_1&description=June&transfer_group=payout%3A1"])
        #expect(ear.asked.all[0].headers.contains { $0.name == "Idempotency-Key" && $0.value == "payout:1" })
        let other = Ear()
        let line = other.line { request in
            request.url.hasSuffix("token") ? (200, #"{"access_token":"A","expires_in":300}"#) : (201, #"{"batch_header":{"payout_batch_id":"B1"}}"#)
        }
        let paypal = PayPalProvider(line: line, clientID: "c", secret: "s", webhookID: "w", clock: clock, pass: PayPalPass())
        for _ in 0..<2 { #expect(try await paypal.payOut(Self.payout) == "B1") }
        let sent = try JSON(parsing: try #require(other.bodies("/payouts").first))
        #expect(sent["items"]?[0]?["amount"] == ["currency": "EUR", "value": "12.34"])
        #expect(sent["sender_batch_header"]?["sender_batch_id"] == "payout:1")
        #expect(other.bodies("/token").count == 1, "the token is kept")
    }

    @Test func `a payout that an earlier version ordered without a group is not ordered a second time`() async throws {
        let other = #"{"error":{"type":"idempotency_error"}}"#
        func stripe(_ ear: Ear, knows text: String) -> StripeProvider {
            let line = ear.line { request in
                guard case .bytes(let bytes) = request.body, String(decoding: bytes, as: UTF8.self) == text else { return (400, other) }
                return (200, #"{"id":"tr_1"}"#)
            }
            return StripeProvider(line: line, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        }
        let ear = Ear()
        let words = "amount=1234&currency=eur&destination=acct_1&description=June"
        #expect(try await stripe(ear, knows: words).payOut(Self.payout) == "tr_1")
        #expect(ear.bodies("/v1/transfers") == ["\(words)&transfer_group=payout%3A1", words])
        let isSameKey = ear.asked.all.allSatisfy { request in
            request.headers.contains { $0.name == "Idempotency-Key" && $0.value == "payout:1" }
        }
        #expect(isSameKey)
        let unknown = stripe(Ear(), knows: "amount=1234&currency=eur&destination=acct_2&description=June")
        await #expect(throws: ProviderError.unanswered("idempotency_error")) { try await unknown.payOut(Self.payout) }
    }

    @Test(arguments: [302, 408, 409, 429, 500, 503]) func `an answer that says try again is no refusal`(status: Int) async throws {
        let line = Ear().line { _ in (status, "{}") }
        let stripe = StripeProvider(line: line, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        let reason = "status \(status)"
        let error: ProviderError = status == 429 ? .unavailable(reason) : .unanswered(reason)
        await #expect(throws: error) { try await stripe.payOut(Self.payout) }
    }

    @Test(arguments: [OutboundError.Code.unreachable, .unresolvable, .forbiddenAddress, .timeout, .closed, .tls, .responseTooLarge])
    func `an order that never left was not taken, one whose answer is lost may have been`(code: OutboundError.Code) async throws {
        let line = ProviderLine(url: "https://provider.example") { _ in throw OutboundError(code, "lost") }
        let isUntaken = [OutboundError.Code.unreachable, .unresolvable, .forbiddenAddress].contains(code)
        let error: ProviderError = isUntaken ? .unavailable("lost") : .unanswered("lost")
        let stripe = StripeProvider(line: line, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        await #expect(throws: error) { try await stripe.payOut(Self.payout) }
    }

    @Test func `a decline is told by the bank's reason, and a charge that must be confirmed is one`() async throws {
        let (tenant, invoice) = (TenantID(high: 1, low: 2), InvoiceID(high: 3, low: 4))
        let order = ChargeOrder(
            tenant: tenant, invoice: invoice, number: "AIAS-1", amount: Money(minorUnits: 5, currency: "USD"), customer: "c", method: "m", key: "k")
        func outcome(_ status: Int, _ text: String) async throws -> ChargeOutcome {
            let line = Ear().line { _ in (status, text) }
            return try await StripeProvider(line: line, key: "sk", webhookSecret: "w", clock: Clock { Self.now }).charge(order)
        }
        #expect(try await outcome(402, #"{"error":{"code":"card_declined","decline_code":"lost_card"}}"#) == .declined("lost_card"))
        #expect(try await outcome(200, #"{"id":"pi","status":"requires_action"}"#) == .declined("authentication_required"))
        #expect(try await outcome(200, #"{"id":"pi","status":"processing"}"#) == .pending("pi"))
        let paid =
            #"{"id":"pi","status":"succeeded","amount_received":5,"currency":"usd","metadata":{"tenant":"\#(tenant)","invoice":"\#(invoice)"}}"#
        let payment = ProviderPayment(reference: "pi", amount: order.amount, tenant: tenant, invoice: invoice)
        #expect(try await outcome(200, paid) == .paid(payment))
    }

    @Test(arguments: [
        (Money(minorUnits: 500, currency: "ISK"), "50000"), (Money(minorUnits: 7, currency: "UGX"), "700"),
        (Money(minorUnits: 1_200, currency: "MGA"), "12"), (Money(minorUnits: 500, currency: "JPY"), "500"),
        (Money(minorUnits: 1_230, currency: "KWD"), "1230"), (Money(minorUnits: 1_234, currency: "USD"), "1234")
    ]) func `an amount goes to Stripe and comes back as Stripe counts it`(money: Money, units: String) async throws {
        let ear = Ear()
        let currency = money.currency.lowercased()
        let intent = #"{"id":"pi","status":"succeeded","amount_received":\#(units),"currency":"\#(currency)","url":"https://page"}"#
        let stripe = StripeProvider(line: ear.line { _ in (200, intent) }, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        let (tenant, invoice) = (TenantID(high: 1, low: 2), InvoiceID(high: 3, low: 4))
        let charge = ChargeOrder(tenant: tenant, invoice: invoice, number: "AIAS-1", amount: money, customer: "c", method: "m", key: "k")
        guard case .paid(let paid) = try await stripe.charge(charge) else {
            Issue.record("nothing was paid")
            return
        }
        #expect(paid.amount == money)
        _ = try await stripe.refund(RefundOrder(reference: "pi", amount: money, note: invoice, key: "k"))
        _ = try await stripe.payOut(PayoutOrder(destination: "acct_1", amount: money, note: "June", key: "k"))
        _ = try await stripe.checkout(
            HostedOrder(tenant: tenant, invoice: invoice, number: "AIAS-1", amount: money, customer: nil, returnTo: "https://home", key: "k"))
        for path in ["/payment_intents", "/refunds", "/transfers", "/sessions"] {
            let body = try #require(ear.bodies(path).first)
            #expect(body.split(separator: "&").contains { $0.contains("amount") && $0.hasSuffix("=\(units)") }, "\(path): \(body)")
        }
        func fact(_ kind: String, _ object: String) async throws -> ProviderEvent.Fact? {
            let body = Array(#"{"id":"evt","type":"\#(kind)","data":{"object":\#(object)}}"#.utf8)
            let header = StripeSignature.header(body: body, secret: "w", at: Self.now)
            return try await stripe.events(in: ProviderMessage(body: body) { $0 == "Stripe-Signature" ? header : nil }).first?.fact
        }
        let refunded = #"{"payment_intent":"pi","amount_refunded":\#(units),"currency":"\#(currency)"}"#
        #expect(try await fact("charge.refunded", refunded) == .refunded(reference: "pi", total: money.minorUnits))
        let disputed = #"{"payment_intent":"pi","amount":\#(units),"currency":"\#(currency)","status":"needs_response"}"#
        let expected = ProviderEvent.Fact.disputed(reference: "pi", .opened, amount: money.minorUnits, fee: 0)
        #expect(try await fact("charge.dispute.created", disputed) == expected)
    }

    @Test(arguments: [Money(minorUnits: 1_250, currency: "MGA"), Money(minorUnits: 1_234, currency: "KWD")])
    func `a part of what Stripe takes whole is refused before it is sent`(money: Money) async throws {
        let ear = Ear()
        let stripe = StripeProvider(line: ear.line { _ in (200, "{}") }, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        let order = RefundOrder(reference: "pi", amount: money, note: InvoiceID(high: 3, low: 4), key: "k")
        #expect(try await stripe.refund(order) == .refused("amount_not_whole"))
        #expect(ear.asked.all.isEmpty)
    }

    @Test(arguments: ["BHD", "JOD", "KWD", "OMR", "TND"]) func `of three decimals the last is 0 in what a payer is asked for`(currency: String)
        async throws
    {
        let ear = Ear()
        let answer = #"{"id":"pi","status":"processing","url":"https://page"}"#
        let stripe = StripeProvider(line: ear.line { _ in (200, answer) }, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        let (tenant, invoice) = (TenantID(high: 1, low: 2), InvoiceID(high: 3, low: 4))
        let money = Money(minorUnits: 5_124, currency: currency)
        _ = try await stripe.charge(
            ChargeOrder(tenant: tenant, invoice: invoice, number: "AIAS-1", amount: money, customer: "c", method: "m", key: "k"))
        _ = try await stripe.checkout(
            HostedOrder(tenant: tenant, invoice: invoice, number: "AIAS-1", amount: money, customer: nil, returnTo: "https://home", key: "k"))
        for path in ["/payment_intents", "/sessions"] {
            let body = try #require(ear.bodies(path).first)
            #expect(body.split(separator: "&").contains { $0.contains("amount") && $0.hasSuffix("=5130") }, "\(path): \(body)")
        }
    }

    @Test func `an inquiry takes no money, a dispute does`() async throws {
        let stripe = StripeProvider(line: Ear().line { _ in (404, "") }, key: "sk", webhookSecret: "w", clock: Clock { Self.now })
        func facts(_ status: String) async throws -> [ProviderEvent.Fact] {
            let text = """
                {"id":"evt","type":"charge.dispute.created","data":{"object":{"payment_intent":"pi","amount":700,"status":"\(status)",
                "balance_transactions":[{"fee":1500}]}}}
                """
            let body = Array(text.utf8)
            let header = StripeSignature.header(body: body, secret: "w", at: Self.now)
            return try await stripe.events(in: ProviderMessage(body: body) { $0 == "Stripe-Signature" ? header : nil }).map(\.fact)
        }
        #expect(try await facts("warning_needs_response") == [])
        #expect(try await facts("needs_response") == [.disputed(reference: "pi", .opened, amount: 700, fee: 1_500)])
    }

    @Test func `keys are sealed, and those of the environment come first`() async throws {
        try await withBilling(environment: ["AIAS_PAYPAL_CLIENT_ID": "c", "AIAS_PAYPAL_SECRET": "s", "AIAS_PAYPAL_WEBHOOK_ID": "w"]) { harness in
            let providers = harness.billing.providers
            #expect(try await providers.ready() == ["paypal"])
            #expect(try await refusal { try await providers.provider("stripe").name } == "provider_missing")
            #expect(try await refusal { try await providers.provider("bank").name } == "not_found")
            #expect(try await refusal { try await providers.configure("stripe", ["key": "sk_1"], by: BillingHarness.operatorOf) } == "required")
            try await providers.configure("stripe", ["key": "sk_secret", "webhook_secret": "whsec_1"], by: BillingHarness.operatorOf)
            #expect(try await providers.ready() == ["stripe", "paypal"])
            let sealed = try await harness.database.readPlatform { tx in try ProviderSettingStore(tx: tx).sealed("stripe") }
            #expect(!String(decoding: try #require(sealed), as: UTF8.self).contains("sk_secret"))
        }
    }
}
