internal import HTTPSurface
internal import Kernel
internal import Tenancy

extension Invoice {
    /// What the tax is called, with its rate where there is one: an invoice has to say it (Directive 2006/112/EC, article 226).
    func taxTitle(_ text: Localizer) -> String {
        let percent = Money(minorUnits: Int64(rate.value), currency: "USD").decimalText
        return treatment == .standard ? text("billing.sum.tax.rate", ["percent": percent]) : text("billing.sum.tax")
    }
}

struct InvoiceView: Codable, Sendable, Described {
    var id: InvoiceID
    var number: String
    var kind: String
    var status: String
    var currency: String
    var subtotal: Int
    var discount: Int
    var tax: Int
    var total: Int
    var paid: Int
    var credited: Int
    var due: Int
    var taxTreatment: String
    var taxRateBasisPoints: Int
    var issuedAt: Timestamp
    var dueAt: Timestamp
    var corrects: InvoiceID?
    var lines: [InvoiceLineView]
    static let typeDescription: String? = "An invoice or a credit note; amounts are in the currency's minor unit."
    static let notes: [FieldNote] = [FieldNote("lines", "Empty in lists.")]

    init(_ invoice: Invoice) {
        id = invoice.id
        number = invoice.numberText
        kind = invoice.kind.rawValue
        status = invoice.status.rawValue
        currency = invoice.currency
        (subtotal, discount, tax, total) = (Int(invoice.subtotal), Int(invoice.discount), Int(invoice.tax), Int(invoice.total))
        (paid, credited, due) = (Int(invoice.paid), Int(invoice.credited), Int(invoice.due))
        taxTreatment = invoice.treatment.rawValue
        taxRateBasisPoints = invoice.rate.value
        (issuedAt, dueAt, corrects) = (invoice.issuedAt, invoice.dueAt, invoice.corrects)
        lines = invoice.lines.map(InvoiceLineView.init)
    }
}

struct InvoiceLineView: Codable, Sendable, Described {
    var kind: String
    var plan: String
    var item: String?
    var itemName: String?
    var periodStart: Timestamp
    var periodEnd: Timestamp
    var quantity: Int
    var amount: Int
    var discount: Int
    var tax: Int
    var total: Int
    static let notes: [FieldNote] = [
        FieldNote("kind", "plan: a whole period in advance; unused, remaining: parts of one; overage: usage in arrears."),
        FieldNote("item", "The code of what it is for where that is not the plan, as an add-on."),
        FieldNote("discount", "What a coupon took off; below zero on a credit, which gives back no more than was paid.")
    ]

    init(_ line: InvoiceLine) {
        kind = line.charge.kind.rawValue
        plan = line.charge.plan.rawValue
        (item, itemName) = (line.charge.item?.code, line.charge.item?.name)
        (periodStart, periodEnd) = (line.charge.period.start, line.charge.period.end)
        (quantity, amount, discount) = (Int(line.charge.quantity), Int(line.subtotal), Int(line.discount))
        (tax, total) = (Int(line.tax), Int(line.total))
    }
}

struct PaymentView: Codable, Sendable {
    var id: PaymentID
    var provider: String
    var reference: String
    var currency: String
    var amount: Int
    var refunded: Int
    var status: String
    var invoiceId: InvoiceID?
    var at: Timestamp

    init(_ payment: Payment) {
        (id, provider, reference, currency) = (payment.id, payment.provider, payment.reference, payment.currency)
        (amount, refunded, status) = (Int(payment.amount), Int(payment.refunded), payment.status.rawValue)
        (invoiceId, at) = (payment.invoice, payment.at)
    }
}

struct WalletView: Codable, Sendable {
    var currency: String
    var balance: Int
}

struct PostingView: Codable, Sendable {
    var id: PostingID
    var kind: String
    var subject: String
    var at: Timestamp
    var transfers: [TransferView]

    init(_ posting: Posting) {
        (id, kind, subject, at) = (posting.id, posting.kind, posting.subject, posting.at)
        transfers = posting.transfers.map {
            TransferView(debit: $0.debit.name, credit: $0.credit.name, currency: $0.debit.currency, amount: Int($0.amount))
        }
    }
}

struct TransferView: Codable, Sendable {
    var debit: String
    var credit: String
    var currency: String
    var amount: Int
}
