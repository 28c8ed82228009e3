internal import HTTPSurface
internal import Kernel

struct CreditNoteBody: Codable, Sendable, Described {
    var amount: Int
    var paymentId: PaymentID?
    static let notes: [FieldNote] = [
        FieldNote("amount", "With tax, in the minor unit; at most what was not taken back yet.", example: 1_000, range: 1...1e15),
        FieldNote("paymentId", "The payment that what was paid goes back to; into the wallet where it is left out.")
    ]
}

struct BankStatementBody: Codable, Sendable, Described {
    var format: String
    var content: String
    static let notes: [FieldNote] = [
        FieldNote("format", "csv or camt.053.", example: "csv", length: 1...20),
        FieldNote("content", "The statement's text.", example: "id;amount;currency;text\nB1;29.00;USD;AIAS-1", length: 1...4_000_000)
    ]
}

struct BankStatementView: Codable, Sendable {
    var matched: Int
    var repeated: Int
    var unmatched: [String]
}

struct LedgerCheckView: Codable, Sendable, Described {
    var faults: [String]
    static let notes: [FieldNote] = [FieldNote("faults", "Empty where all balances and seals hold.")]
}

struct InvoiceRoutes {
    let billing: Billing

    private static let tag = SubscriptionRoutes.tag
    private static let read = Access.tenant(.billingRead)

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/invoices", access: Self.read, summary: "List the invoices, newest first", tag: Self.tag, of: InvoiceView.self) {
                call, page in
                let cursor: InvoiceID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.invoices(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(InvoiceView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/invoices/{id}", access: Self.read, summary: "Show an invoice with its lines", tag: Self.tag, returns: .ok(InvoiceView.self)
            ) { call in InvoiceView(try await billing.invoice(try call.id("id", noun: "invoice"), of: call.tenant)) },
            .raw(
                .get, "/v1/invoices/{id}/ubl", access: Self.read, summary: "Fetch an invoice as UBL 2.1", tag: Self.tag, answers: "application/xml"
            ) { call in
                let invoice = try await billing.invoice(try call.id("id", noun: "invoice"), of: call.tenant)
                let corrected = try await billing.corrected(by: invoice, of: call.tenant)
                return .text(UBL.document(invoice, corrected: corrected), contentType: "application/xml; charset=utf-8")
            },
            .raw(
                .get, "/v1/invoices/{id}/pdf", access: Self.read, summary: "Fetch an invoice as PDF, in the language asked for", tag: Self.tag,
                answers: "application/pdf", errors: [ErrorDeclaration(.unavailable, "printer_missing", "Nothing is printed here.")]
            ) { call in
                let invoice = try await billing.invoice(try call.id("id", noun: "invoice"), of: call.tenant)
                let file = try await billing.printed(invoice, corrected: try await billing.corrected(by: invoice, of: call.tenant), call.localizer)
                return Answer(
                    contentType: "application/pdf", headers: [("Content-Disposition", "inline; filename=\"\(invoice.numberText).pdf\"")],
                    body: .bytes(file))
            },
            Endpoint.list("/v1/payments", access: Self.read, summary: "List the payments, newest first", tag: Self.tag, of: PaymentView.self) {
                call, page in
                let cursor: PaymentID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.payments(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(PaymentView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint.list("/v1/wallet", access: Self.read, summary: "Show what is prepaid", tag: Self.tag, of: WalletView.self) { call, page in
                try Page(
                    of: try await billing.wallet(of: call.tenant).map { WalletView(currency: $0.currency, balance: Int($0.minorUnits)) }, page)
            },
            Endpoint.list(
                "/v1/ledger-postings", access: Self.read, summary: "List what was booked for the tenant, newest first", tag: Self.tag,
                of: PostingView.self
            ) { call, page in
                let cursor: PostingID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.postings(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(PostingView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            }
        ] + operated
    }

    private var operated: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/tenants/{tenant}/invoices/{id}/credit-notes", access: .platformOperator, summary: "Take back a part of an invoice",
                tag: "Operator", body: CreditNoteBody.self, returns: .created(InvoiceView.self),
                errors: [ErrorDeclaration(.conflict, "exceeds_invoice", "More than the invoice, or than the payment, has left.")]
            ) { call, body in
                let destination = body.paymentId.map { Till.Return.payment($0) } ?? .wallet
                return InvoiceView(
                    try await billing.credit(
                        try call.id("id", noun: "invoice"), Int64(body.amount), to: destination, of: try call.id("tenant", noun: "tenant"),
                        by: call.principal, claim: call.idempotency))
            },
            Endpoint(
                .post, "/v1/bank-statements", access: .platformOperator, summary: "Match a bank's statement to invoices", tag: "Operator",
                body: BankStatementBody.self, returns: .ok(BankStatementView.self),
                errors: [ErrorDeclaration(.conflict, "key_reused", "A movement of this id had another amount.")]
            ) { call, body in
                let report = try await billing.take(try Statement.read(body.content, format: body.format), by: call.principal)
                return BankStatementView(matched: report.matched, repeated: report.repeated, unmatched: report.unmatched)
            },
            Endpoint(
                .post, "/v1/ledger/checks", access: .platformOperator, summary: "Recompute all balances and seals", tag: "Operator",
                returns: .ok(LedgerCheckView.self)
            ) { _ in LedgerCheckView(faults: try await billing.ledger.faults()) },
            .raw(
                .get, "/v1/ledger/export", access: .platformOperator, summary: "Fetch the ledger as CSV, for auditors", tag: "Operator",
                answers: "text/csv"
            ) { _ in .text(try await billing.ledger.csv(), contentType: "text/csv; charset=utf-8") }
        ]
    }
}
