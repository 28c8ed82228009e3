import Kernel
import Outbound
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// What providers tell, in whatever order it comes: each payment and each refund is booked once, and on the invoice that it was for.
@Suite(.timeLimit(.minutes(3))) struct ProviderEventTests {
    /// A provider that knows its payments, where it answers.
    private actor Known {
        private var payments: [String: String] = [:]
        private var isSilent = false

        func add(_ reference: String, _ text: String) { payments[reference] = text }
        func fall(silent: Bool) { isSilent = silent }

        func answer(_ request: OutboundRequest) throws -> OutboundResponse {
            if isSilent { throw OutboundError(.timeout, "no answer") }
            let text = request.url.split(separator: "/").last.flatMap { payments[String($0)] }
            return OutboundResponse(status: text == nil ? 404 : 200, body: Array((text ?? "{}").utf8), url: request.url)
        }
    }

    private func started(_ harness: BillingHarness) async throws -> Invoice {
        try await harness.profile()
        return try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
    }

    private func take(_ amount: Int64, _ reference: String, for invoice: Invoice, _ harness: BillingHarness) async throws {
        let payment = ProviderPayment(
            reference: reference, amount: Money(minorUnits: amount, currency: "USD"), tenant: harness.id, invoice: invoice.id)
        try await harness.billing.atTill(of: harness.id) { till in try till.apply(.paid(payment), from: "stripe") }
    }

    private func sentBack(_ total: Int64, of reference: String, _ harness: BillingHarness) async throws {
        try await harness.billing.atTill(of: harness.id) { till in try till.apply(.refunded(reference: reference, total: total), from: "stripe") }
    }

    private func refunded(_ reference: String, _ harness: BillingHarness) async throws -> Int64? {
        try await harness.billing.payments(of: harness.id, before: nil, limit: 9).first { $0.reference == reference }?.refunded
    }

    @Test(arguments: DatabaseEngine.allCases) func `a payment that was made twice and sent back leaves the invoice paid`(engine: DatabaseEngine)
        async throws
    {
        try await withBilling(engine) { harness in
            let invoice = try await started(harness)
            try await take(2_900, "pi_1", for: invoice, harness)
            try await take(2_900, "pi_2", for: invoice, harness)
            #expect(try await harness.balance(.wallet) == -2_900)
            // In two parts, the second told twice.
            for total in [Int64(900), 2_900, 2_900] { try await sentBack(total, of: "pi_2", harness) }
            let kept = try await harness.billing.invoice(invoice.id, of: harness.id)
            #expect(kept.status == .paid && kept.paid == 2_900 && kept.credited == 0)
            #expect(try await harness.balance(.wallet) == 0)
            #expect(try await refunded("pi_2", harness) == 2_900)
            #expect(try await harness.balance(.cash) == 2_900)
            try await harness.check("at the end")
        }
    }

    @Test func `of a payment that was too much the rest goes back first, then what it paid`() async throws {
        try await withBilling { harness in
            let invoice = try await started(harness)
            try await take(5_000, "pi_1", for: invoice, harness)
            for (total, credited) in [(Int64(1_500), Int64(0)), (3_100, 1_000), (5_000, 2_900)] {
                try await sentBack(total, of: "pi_1", harness)
                #expect(try await harness.billing.invoice(invoice.id, of: harness.id).credited == credited)
                #expect(try await harness.balance(.cash) == 5_000 - total)
                #expect(try await refunded("pi_1", harness) == total)
                try await harness.check("\(total)")
            }
            #expect(try await harness.balance(.wallet) == 0)
        }
    }

    @Test func `as much goes back a second time where a refund was kept between`() async throws {
        try await withBilling { harness in
            let invoice = try await started(harness)
            try await take(5_000, "pi_1", for: invoice, harness)
            let payment = try #require(try await harness.billing.payments(of: harness.id, before: nil, limit: 1).first)
            let note = try await harness.billing.credit(invoice.id, 300, to: .payment(payment.id), of: harness.id, by: BillingHarness.operatorOf)
            try await sentBack(800, of: "pi_1", harness)
            try await harness.billing.atTill(of: harness.id) { till in
                try till.apply(.refundFailed(note: note.id, reference: "pi_1", reason: "closed"), from: "stripe")
            }
            #expect(try await refunded("pi_1", harness) == 500)
            try await sentBack(800, of: "pi_1", harness)
            #expect(try await refunded("pi_1", harness) == 800)
            #expect(try await harness.balance(.cash) == 4_200)
            try await harness.check("at the end")
        }
    }

    @Test func `a part that was paid and sent back is taken from what was paid, not from what is still asked for`() async throws {
        try await withBilling { harness in
            let invoice = try await started(harness)
            try await take(1_000, "pi_1", for: invoice, harness)
            try await sentBack(1_000, of: "pi_1", harness)
            let found = try await harness.billing.invoice(invoice.id, of: harness.id)
            #expect(found.status == .open && found.paid == 0 && found.due == 1_900)
            #expect(try await harness.balance(.cash) == 0)
            #expect(try await refunded("pi_1", harness) == 1_000)
            try await harness.check("at the end")
        }
    }

    @Test func `a refund that is told before its payment is not lost, also where the provider does not answer at first`() async throws {
        let known = Known()
        let environment = ["AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w"]
        try await withBilling(.sqlite, environment: environment, send: { request in try await known.answer(request) }) { harness in
            let invoice = try await started(harness)
            let intent = """
                {"id":"pi_1","status":"succeeded","amount_received":2900,"currency":"usd",
                "metadata":{"tenant":"\(harness.id)","invoice":"\(invoice.id)"}}
                """
            await known.add("pi_1", intent)
            func hear(_ id: String, _ kind: String, _ object: String) async throws {
                let body = Array(#"{"id":"\#(id)","type":"\#(kind)","data":{"object":\#(object)}}"#.utf8)
                let header = StripeSignature.header(body: body, secret: "w", at: harness.lease.clock.now)
                try await harness.billing.hear(ProviderMessage(body: body) { $0 == "Stripe-Signature" ? header : nil }, from: "stripe")
            }
            func hearRefund(_ id: String, of reference: String) async throws {
                try await hear(id, "charge.refunded", #"{"payment_intent":"\#(reference)","amount_refunded":900,"currency":"usd"}"#)
            }
            await known.fall(silent: true)
            #expect(try await refusal { try await hearRefund("evt_1", of: "pi_1") } == "provider_unavailable")
            #expect(try await harness.billing.payments(of: harness.id, before: nil, limit: 9).isEmpty)
            await known.fall(silent: false)
            try await hearRefund("evt_1", of: "pi_1")
            #expect(try await refunded("pi_1", harness) == 900)
            try await hear("evt_2", "payment_intent.succeeded", intent)
            try await hearRefund("evt_1", of: "pi_1")
            let found = try await harness.billing.invoice(invoice.id, of: harness.id)
            #expect(found.status == .paid && found.credited == 900)
            #expect(try await harness.balance(.cash) == 2_000)
            // One of somebody else who shares the account is theirs.
            try await hearRefund("evt_3", of: "pi_foreign")
            #expect(try await harness.billing.payments(of: harness.id, before: nil, limit: 9).count == 1)
            try await harness.check("at the end")
        }
    }
}
