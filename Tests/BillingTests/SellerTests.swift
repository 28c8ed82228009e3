import HTTPSurface
import Kernel
import Outbound
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Sales, splits, payouts and affiliates: everybody has its part of what was collected, to the cent, and nothing is paid out twice or too early.
@Suite(.timeLimit(.minutes(5))) struct SellerTests {
    private func order(_ seller: TenantID, _ amount: Int64, key: String = "1", listing: String = "reader", kind: SaleKind = .template) -> SaleOrder {
        SaleOrder(key: key, seller: seller, listing: listing, kind: kind, name: "Reader", amount: Money(minorUnits: amount, currency: "USD"))
    }

    private func available(_ harness: BillingHarness, _ owner: TenantID) async throws -> Int64 {
        try await harness.billing.earnings(of: owner).first?.available ?? 0
    }

    @Test(arguments: DatabaseEngine.allCases) func `a seller earns with what is collected, gives back with refunds, and is paid what is ripe`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile("DE")
            let seller = try await harness.seller("sel")
            let sale = try await harness.billing.sell(order(seller, 10_001), to: harness.id, by: harness.ana)
            #expect(try await harness.billing.sell(order(seller, 10_001), to: harness.id, by: harness.ana).id == sale.id)
            #expect(try await refusal { try await harness.billing.sell(order(seller, 10_002), to: harness.id, by: harness.ana) } == "key_reused")
            #expect(
                try await refusal { try await harness.billing.sell(order(harness.id, 1, key: "2"), to: harness.id, by: harness.ana) } == "own_listing"
            )
            // With 19% tax; nothing is earned before it is collected.
            let invoice = try await harness.billing.invoice(sale.invoice, of: harness.id)
            #expect(invoice.total == 11_901 && sale.earned == 0)
            _ = try await harness.pay(11_901, reference: "B1", for: invoice)
            var earned = try #require(try await harness.billing.sales(of: seller, before: nil, limit: 1).first).earned
            #expect(earned == 7_001)
            #expect(try await available(harness, seller) == 0)
            harness.days(15)
            #expect(try await available(harness, seller) == 7_001)
            // A third goes back, then pays out what is left.
            _ = try await harness.billing.credit(sale.invoice, 3_967, to: .wallet, of: harness.id, by: harness.ana)
            earned = try #require(try await harness.billing.sales(of: seller, before: nil, limit: 1).first).earned
            #expect(earned == SaleKind.template.creatorShare.of(Fraction.halfUp(10_001, 7_934, over: 11_901)))
            let payouts = try await harness.billing.payOut(to: seller)
            #expect(payouts.map(\.amount) == [earned])
            #expect(try await harness.billing.payOut(to: seller) == [])
            // All the rest goes back: what was paid out too much is owed, and netted with the next sale.
            _ = try await harness.billing.credit(sale.invoice, 7_934, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await harness.billing.earnings(of: seller).map(\.sales) == [-earned])
            #expect(try await available(harness, seller) == 0)
            let next = try await harness.billing.sell(order(seller, 9_000, key: "2"), to: harness.id, by: harness.ana)
            #expect(try await harness.billing.invoice(next.invoice, of: harness.id).due == 0)
            harness.days(15)
            #expect(try await available(harness, seller) == 6_300 - earned)
            // The file counts them as sent; one that comes back is in the balance again, once.
            let file = try await harness.billing.bankFile(from: "DE89370400440532013000", by: harness.ana)
            #expect(file.payouts.count == 1 && file.file.contains("<IBAN>DE89370400440532013000</IBAN>") && file.file.contains("Sel Ler"))
            #expect(try await refusal { try await harness.billing.bankFile(from: "DE89370400440532013000", by: harness.ana) } == "nothing_due")
            for _ in 0..<2 { try await harness.billing.fail(payouts[0].id, of: seller, reason: "closed", by: harness.ana) }
            #expect(try await available(harness, seller) == 6_300)
            let statement = try await harness.billing.statement(of: seller, from: Timestamp(seconds: 0), to: harness.lease.clock.now + .seconds(1))
            #expect(statement.opening == ["USD": 0] && statement.closing == ["USD": 6_300])
            #expect(statement.lines.reduce(0) { $0 + $1.amount } == 6_300 && statement.csv.contains("payout"))
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `payouts for a bank or for nobody keep no other from being ordered, however many they are`(
        engine: DatabaseEngine
    ) async throws {
        let environment = ["AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w"]
        let send: @Sendable (OutboundRequest) async throws -> OutboundResponse = { request in
            OutboundResponse(status: 200, body: Array(#"{"id":"tr_1"}"#.utf8), url: request.url)
        }
        try await withBilling(engine, environment: environment, send: send) { harness in
            try await harness.profile()
            let now = harness.lease.clock.now
            try await harness.database.writePlatform { tx in
                for place in 0..<402 {
                    try PayeeStore(tx: tx).insert(
                        Payout(
                            id: tx.ids.next(), owner: tx.ids.next(), provider: place < 201 ? Payee.bank : "stripe", currency: "USD", sales: 1,
                            commissions: 0, status: .pending, reference: nil, reason: nil, attempts: 0, dueAt: now, madeAt: now))
                }
            }
            let seller = try await harness.seller("sel", provider: "stripe", destination: "acct_123456789")
            let sale = try await harness.billing.sell(order(seller, 10_000), to: harness.id, by: harness.ana)
            _ = try await harness.pay(10_000, reference: "B1", for: try await harness.billing.invoice(sale.invoice, of: harness.id))
            harness.days(15)
            try await harness.billing.payOutDue()
            #expect(try await harness.billing.payouts(of: seller, before: nil, limit: 9).map(\.status) == [.sent])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what a bank disputes is held, back when it is won, and gone with its fee when it is lost`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel")
            for (place, outcome) in [Till.DisputeOutcome.won, .lost].enumerated() {
                let sale = try await harness.billing.sell(order(seller, 10_000, key: "\(place)", kind: .agent), to: harness.id, by: harness.ana)
                let invoice = try await harness.billing.invoice(sale.invoice, of: harness.id)
                _ = try await harness.pay(10_000, reference: "P\(place)", for: invoice)
                harness.days(20)
                #expect(try await available(harness, seller) == 6_000 + (place == 1 ? 6_000 : 0))
                for told in [Till.DisputeOutcome.opened, .opened, outcome, .opened, outcome] {
                    try await harness.billing.atTill(of: harness.id) { till in try till.dispute("P\(place)", at: "bank", told, fee: 1_500) }
                    let balance = try #require(try await harness.billing.earnings(of: seller).first)
                    if told == .opened, try await harness.billing.payments(of: harness.id, before: nil, limit: 1)[0].status == .disputed {
                        #expect(balance.held == 6_000 && balance.available == (place == 1 ? 6_000 : 0))
                    }
                }
                let balance = try #require(try await harness.billing.earnings(of: seller).first)
                #expect(balance.held == 0 && balance.sales == (outcome == .won ? 6_000 : 6_000 - 1_500))
            }
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `the books know whoever is owed something, also without an invoice`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            let billing = harness.billing
            func tenant(_ name: String) async throws -> TenantID {
                let new = NewTenant(name: name, subdomain: name, plan: .starter)
                return try await harness.tenancy.createTenant(new, owner: "\(name)@example.com", by: .system(in: nil)).tenant.id
            }
            #expect(try await !billing.hasBooks(of: harness.id))
            // A seller waits for its earnings, a customer for hours that it has booked.
            let seller = try await harness.seller("sel")
            #expect(try await billing.hasBooks(of: seller))
            try await harness.profile()
            let offer = try await billing.saveOffer(nil, of: seller, by: harness.ana) { id, now in
                ConsultingOffer(
                    id: id, seller: seller, title: "Review", about: "", currency: "USD", rate: 20_000, minimumMinutes: 60, approvalDays: 7,
                    isOpen: true, madeAt: now)
            }
            _ = try await billing.book(offer.id, minutes: 60, wished: "", note: "", for: harness.id, by: harness.ana)
            #expect(try await billing.hasBooks(of: harness.id))
            let (rich, ally, poor) = (try await tenant("rich"), try await tenant("ally"), try await tenant("poor"))
            _ = try await billing.grant(500, "USD", expiresAt: nil, reason: "welcome", to: rich, by: harness.ana)
            _ = try await billing.join(ally, code: "ALLY", by: harness.ana)
            for known in [rich, ally] { #expect(try await billing.hasBooks(of: known)) }
            #expect(try await !billing.hasBooks(of: poor))
        }
    }

    @Test func `a contract goes before a listing's terms, these before the seller's, that before the kind's`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let (one, two) = (try await harness.seller("one"), try await harness.seller("two"))
            func share(_ seller: TenantID, _ listing: String, _ key: String) async throws -> Int {
                try await harness.billing.sell(order(seller, 100, key: key, listing: listing, kind: .agent), to: harness.id, by: harness.ana).share
                    .value
            }
            #expect(try await share(one, "a", "1") == 6_000)
            func agree(_ seller: TenantID?, _ listing: String?, _ kind: SaleKind?, _ percent: Int) async throws {
                try await harness.billing.agree(SplitTerms(seller: seller, listing: listing, kind: kind, share: .percent(percent)), by: harness.ana)
            }
            try await agree(nil, nil, .agent, 65)
            try await agree(one, nil, nil, 75)
            try await agree(nil, "a", nil, 80)
            try await agree(one, "a", nil, 90)
            #expect(try await share(one, "a", "2") == 9_000)
            #expect(try await share(two, "a", "3") == 8_000)
            #expect(try await share(one, "b", "4") == 7_500)
            #expect(try await share(two, "b", "5") == 6_500)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `who was brought brings a fifth of what it pays, and takes it back with refunds`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile("DE")
            let ally = try await harness.seller("ally")
            var terms = try await harness.billing.join(ally, code: "ally", by: harness.ana)
            (terms.bonus, terms.bonusAfter) = (10_000, 2_900)
            _ = try await harness.billing.setTerms(terms, by: harness.ana)
            let now = harness.lease.clock.now
            #expect(
                try await refusal {
                    try await harness.billing.refer(harness.id, code: "ALLY", clickedAt: now - .seconds(31 * 86_400), by: harness.ana)
                }
                    == "click_too_old")
            #expect(try await refusal { try await harness.billing.refer(ally, code: "ALLY", clickedAt: nil, by: harness.ana) } == "self_referral")
            #expect(
                try await refusal { try await harness.billing.refer(harness.id, code: "NONE", clickedAt: nil, by: harness.ana) } == "unknown_code")
            try await harness.billing.refer(harness.id, code: "Ally", clickedAt: now - .seconds(29 * 86_400), by: harness.ana)
            #expect(
                try await refusal { try await harness.billing.refer(harness.id, code: "ALLY", clickedAt: now, by: harness.ana) } == "already_referred"
            )
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            func commissions() async throws -> Int64 { try await harness.billing.earnings(of: ally).first?.commissions ?? 0 }
            #expect(try await commissions() == 0)
            _ = try await harness.pay(invoice.total, reference: "B1", for: invoice)
            // A fifth of the net price, and the bonus, since it qualifies.
            #expect(try await commissions() == 580 + 10_000)
            #expect(try await available(harness, ally) == 0)
            _ = try await harness.billing.credit(invoice.id, 1, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await commissions() == 579)
            let payment = try await harness.billing.payments(of: harness.id, before: nil, limit: 1)[0]
            _ = try await harness.billing.credit(invoice.id, invoice.total - 1, to: .payment(payment.id), of: harness.id, by: harness.ana)
            #expect(try await commissions() == 0)
            // Who belongs to the same people brings nobody.
            let other = try await harness.tenancy.createTenant(
                NewTenant(name: "Other", subdomain: "other", plan: .starter), owner: "ana@example.com", by: .system(in: nil)
            ).tenant.id
            _ = try await harness.billing.join(other, code: "OTHER", by: harness.ana)
            #expect(try await refusal { try await harness.billing.join(ally, code: "other", by: harness.ana) } == "code_taken")
            let third = try await harness.tenancy.createTenant(
                NewTenant(name: "Third", subdomain: "third", plan: .starter), owner: "ana@example.com", by: .system(in: nil)
            ).tenant.id
            #expect(try await refusal { try await harness.billing.refer(third, code: "OTHER", clickedAt: nil, by: harness.ana) } == "self_referral")
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `the bonus for who was brought is earned once, in one currency, whatever is paid in others`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let (ally, seller) = (try await harness.seller("ally"), try await harness.seller("sel"))
            var terms = try await harness.billing.join(ally, code: "ally", by: harness.ana)
            (terms.bonus, terms.bonusAfter) = (10_000, 2_900)
            _ = try await harness.billing.setTerms(terms, by: harness.ana)
            try await harness.billing.refer(harness.id, code: "ALLY", clickedAt: nil, by: harness.ana)
            func earned(_ currency: String) async throws -> PayeeBalance? {
                try await harness.billing.earnings(of: ally).first { $0.currency == currency }
            }
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            _ = try await harness.pay(invoice.total, reference: "B1", for: invoice)
            #expect(try await earned("USD")?.commissions == 580 + 10_000)
            // In euros less is paid than qualifies; later more than that.
            for (place, amount) in [Int64(1_000), 5_000].enumerated() {
                let order = SaleOrder(
                    key: "\(place)", seller: seller, listing: "reader", kind: .template, name: "Reader",
                    amount: Money(minorUnits: amount, currency: "EUR"))
                let sale = try await harness.billing.sell(order, to: harness.id, by: harness.ana)
                let line = StatementLine(id: "E\(place)", amount: amount, currency: "EUR", text: "")
                _ = try await harness.billing.receive(line, harness.id, for: sale.invoice, by: BillingHarness.operatorOf)
                #expect(try await earned("USD")?.commissions == 580 + 10_000)
                #expect(try await earned("EUR")?.commissions == (place == 0 ? 200 : 1_200))
            }
            let euros = try #require(try await earned("EUR"))
            #expect(euros.maturingCommissions == 1_200)
            #expect(try await earned("USD")?.maturingCommissions == 580 + 10_000)
            // It goes back in the currency that it came in, and comes again in no other.
            _ = try await harness.billing.credit(invoice.id, invoice.total, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await earned("USD")?.commissions == 0)
            #expect(try await earned("EUR")?.commissions == 1_200)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: ["acct_123456789", "sel@example.com"])
    func `a payout is ordered once under its key, and one that is refused is in the balance again`(
        destination: String
    ) async throws {
        let name = destination.hasPrefix("acct_") ? "stripe" : "paypal"
        let orders = Orders()
        let environment = [
            "AIAS_STRIPE_KEY": "k", "AIAS_STRIPE_WEBHOOK_SECRET": "w", "AIAS_PAYPAL_CLIENT_ID": "c", "AIAS_PAYPAL_SECRET": "s",
            "AIAS_PAYPAL_WEBHOOK_ID": "w"
        ]
        try await withBilling(.sqlite, environment: environment, send: { request in try await orders.answer(request) }) { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel", provider: name, destination: destination)
            let sale = try await harness.billing.sell(order(seller, 10_000), to: harness.id, by: harness.ana)
            _ = try await harness.pay(10_000, reference: "B1", for: try await harness.billing.invoice(sale.invoice, of: harness.id))
            harness.days(15)
            await orders.be(.silent)
            try await harness.billing.collectDue()
            var payout = try #require(try await harness.billing.payouts(of: seller, before: nil, limit: 9).first)
            #expect(payout.status == .pending && payout.amount == 7_000)
            #expect(try await available(harness, seller) == 0)
            harness.days(1)
            await orders.be(.refusing)
            try await harness.billing.collectDue()
            payout = try #require(try await harness.billing.payouts(of: seller, before: nil, limit: 9).first)
            #expect(payout.status == .failed)
            #expect(try await available(harness, seller) == 7_000)
            harness.days(8)
            await orders.be(.willing)
            try await harness.billing.collectDue()
            try await harness.billing.collectDue()
            let made = try await harness.billing.payouts(of: seller, before: nil, limit: 9)
            #expect(made.map(\.status) == [.sent, .failed] && made[0].reference != nil)
            // It comes back later: told twice, it is in the balance once.
            let reference = try #require(made[0].reference)
            for _ in 0..<2 {
                try await harness.billing.atTill(of: seller) { till in
                    try till.apply(.payoutReturned(reference: reference, reason: "closed"), from: name)
                }
            }
            #expect(try await available(harness, seller) == 7_000)
            #expect(await orders.keys.count == 1)
            try await harness.check("at the end")
        }
    }

    @Test func `where a stranger's account is taken over, nothing is paid to whom the stranger named`() async throws {
        try await withBilling { harness in
            let seller = try await harness.seller("sel")
            let other = try await harness.seller("other")
            try await harness.database.write(in: seller) { [billing = harness.billing] tx in
                for expected in [1, 0] { try #expect(billing.forgetPayee(in: tx, by: .system(in: seller)) == expected) }
            }
            let left = try await harness.database.readPlatform { tx in
                try [seller, other].filter { try PayeeStore(tx: tx).payee($0) != nil }
            }
            #expect(left == [other])
            let actions = try await harness.tenancy.auditLog(of: seller, before: nil, limit: 10).map(\.action)
            #expect(actions.count { $0 == "payee.remove" } == 1)
            let asked = await #expect(throws: Refusal.self) { try await harness.billing.payOut(to: seller) }
            #expect(asked?.code == "not_found")
        }
    }

    @Test func `an account number is checked before it is kept, and shown by its end alone`() async throws {
        #expect(Payee.isIBAN("GB82WEST12345698765432") && !Payee.isIBAN("GB82WEST12345698765431") && !Payee.isIBAN("DE8937040044"))
        try await withBilling { harness in
            let seller = try await harness.seller("sel")
            let surface = try harness.surface(as: harness.ana)
            let body =
                #"{"provider":"bank","destination":"GB82 WEST 1234 5698 7654 32","tax":{"form":"w9","name":"Ana","country":"us","tax_id":"98-7654321"}}"#
            let put = try await surface.answer(
                LocalRequest("PUT", "/v1/payee", headers: [("Content-Type", "application/json")], body: Array(body.utf8)))
            #expect(put.status == 204, "\(put.text)")
            let shown = try await surface.answer(LocalRequest("GET", "/v1/payee"))
            #expect(shown.text.contains("…5432") && shown.text.contains("…4321") && !shown.text.contains("WEST") && !shown.text.contains("98-7654"))
            let bytes = try await harness.database.readPlatform { tx in try PayeeStore(tx: tx).payee(seller)?.destination ?? [] }
            #expect(!String(decoding: bytes, as: UTF8.self).contains("DE8937"))
            let page = try await surface.answer(LocalRequest("GET", "/settings/earnings"))
            #expect(page.status == 200 && !page.text.contains(">billing.") && !page.text.contains("98-7654321"))
        }
    }
}

/// A provider that takes orders for payouts, or does not.
private actor Orders {
    enum Mood { case willing, silent, refusing }
    private var mood = Mood.willing
    private(set) var keys: [String] = []

    func be(_ mood: Mood) { self.mood = mood }

    func answer(_ request: OutboundRequest) throws -> OutboundResponse {
        let path = request.url
        if path.contains("oauth2") { return response(200, #"{"access_token":"t","expires_in":3600}"#) }
        switch mood {
        case .silent: throw OutboundError(.unreachable, "no answer")
        case .refusing: return response(400, #"{"error":{"code":"account_invalid"},"name":"INVALID"}"#)
        case .willing:
            let key = request.headers.first { ["idempotency-key", "paypal-request-id"].contains($0.name.lowercased()) }?.value ?? ""
            keys.append(key)
            return response(200, #"{"id":"tr_\#(keys.count)","batch_header":{"payout_batch_id":"PB\#(keys.count)"}}"#)
        }
    }

    private func response(_ status: Int, _ body: String) -> OutboundResponse {
        OutboundResponse(status: status, body: Array(body.utf8), url: "https://provider.example")
    }
}
