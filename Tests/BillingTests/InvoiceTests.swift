import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// What others are given of an invoice holds to what the law and their programs ask of it.
@Suite(.timeLimit(.minutes(3))) struct InvoiceTests {
    @Test(arguments: [("DE", String?.none), ("FR", nil), ("FR", "FR12345678901"), ("US", nil)])
    func `an electronic invoice says a number for VAT where there is VAT, and who sells in any case`(country: String, vatID: String?) async throws {
        try await withBilling { harness in
            try await harness.profile(country, vatID: vatID)
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let text = UBL.document(invoice)
            let isTaxed = invoice.treatment != .outsideScope
            // EN 16931, BR-O-02 and BR-CO-26.
            #expect(text.contains("<cac:PartyTaxScheme><cbc:CompanyID>DE987654321<") == isTaxed)
            #expect(text.contains("<cac:PartyIdentification><cbc:ID>DE987654321<") == !isTaxed)
            #expect(text.ranges(of: "<cac:PartyTaxScheme>").count == (isTaxed ? 1 : 0) + (vatID == nil ? 0 : 1))
            #expect(text.contains("<cbc:ID>O</cbc:ID>") == !isTaxed)
        }
    }

    @Test func `a seller outside the Union names no number of a buyer, and itself by its name`() async throws {
        try await withBilling { harness in
            try await harness.profile("FR", vatID: "FR12345678901")
            var invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            (invoice.treatment, invoice.seller.country, invoice.seller.vatId) = (.outsideScope, "US", nil)
            invoice.seller.name = "Flows\u{1}\u{FFFF} & Co"
            let text = UBL.document(invoice)
            #expect(!text.contains("PartyTaxScheme"))
            // Without what is no character of XML.
            #expect(text.contains("<cac:PartyIdentification><cbc:ID>Flows &amp; Co</cbc:ID>"))
        }
    }

    @Test func `an invoice says at which rate it is taxed`() async throws {
        try await withBilling { harness in
            try await harness.profile("FI")
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let text = Localizer(try Strings(directory: "Locales"))
            #expect(invoice.tax == 740)
            #expect(InvoiceDocument(invoice: invoice, text: text).html.contains("<dt>Tax, 25.50 %</dt><dd>7.40 USD</dd>"))
            #expect(InvoiceSheet(invoice: invoice, text: text).html.text.contains("<dt>Tax, 25.50 %</dt><dd>7.40 USD</dd>"))
        }
    }

    @Test func `a credit note names the invoice that it takes back from`() async throws {
        try await withBilling { harness in
            try await harness.profile("DE")
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let note = try await harness.billing.credit(invoice.id, 1_000, to: .wallet, of: harness.id, by: harness.ana)
            let surface = try harness.surface(as: harness.ana)
            let ubl = try await surface.answer(LocalRequest("GET", "/v1/invoices/\(note.id)/ubl")).text
            #expect(ubl.contains("<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>AIAS-1</cbc:ID>"), "\(ubl)")
            #expect(try await surface.answer(LocalRequest("GET", "/v1/invoices/\(invoice.id)/ubl")).text.contains("BillingReference") == false)
            let page = try await surface.answer(LocalRequest("GET", "/settings/billing/invoices/\(note.id)")).text
            #expect(page.contains("/settings/billing/invoices/\(invoice.id)\">AIAS-1</a>"), "\(page)")
            let text = Localizer(try Strings(directory: "Locales"))
            #expect(InvoiceDocument(invoice: note, corrected: invoice, text: text).html.contains("<dd>AIAS-1</dd>"))
            #expect(!InvoiceDocument(invoice: invoice, text: text).html.contains("<dd>AIAS-1</dd>"))
        }
    }

    @Test func `an invoice in a currency of three decimals ends in 0, and so does what is left of it and what comes back`() async throws {
        try await withBilling { harness in
            try await harness.profile("DE")
            let seller = try await harness.seller("sel")
            let order = SaleOrder(
                key: "1", seller: seller, listing: "reader", kind: .template, name: "Reader", amount: Money(minorUnits: 1_234, currency: "KWD"))
            _ = try await harness.billing.grant(1_005, "KWD", expiresAt: nil, reason: "Welcome", to: harness.id, by: harness.ana)
            let sale = try await harness.billing.sell(order, to: harness.id, by: harness.ana)
            let invoice = try await harness.billing.invoice(sale.invoice, of: harness.id)
            #expect(invoice.subtotal == 1_230 && invoice.tax == 230 && invoice.total == 1_460)
            #expect(invoice.paid == 1_000 && invoice.due == 460)
            let (billing, id) = (harness.billing, harness.id)
            #expect(
                try await refusal { try await billing.credit(invoice.id, 101, to: .wallet, of: id, by: harness.ana) } == "amount_not_whole")
            _ = try await billing.credit(invoice.id, 100, to: .wallet, of: id, by: harness.ana)
            #expect(try await billing.invoice(invoice.id, of: id).due == 360)
            try await harness.check("at the end")
        }
    }

    @Test func `who never pays owes what was granted, and no period begins once patience ends`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            for _ in 0..<100 {
                harness.days(1)
                try await harness.billing.collectDue()
            }
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .cancelled)
            #expect(try await harness.limit() == 0)
            let invoices = try await harness.billing.invoices(of: harness.id, before: nil, limit: 9)
            #expect(invoices.map(\.total) == [2_900, 2_900] && invoices.allSatisfy { $0.status == .open })
            try await harness.check("at the end")
        }
    }
}
