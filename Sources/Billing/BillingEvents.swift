internal import Kernel
internal import Persistence

/// What other modules hear of invoices: `{invoice, number, kind, currency, total, due, due_at, step?}`; amounts in minor units, as texts.
protocol InvoiceEvent: Event { var invoice: Invoice { get } }

extension InvoiceEvent {
    static var version: Int { 1 }
    var subject: String { "invoice:\(invoice.id)" }
    var facts: JSONObject {
        [
            "invoice": .string(invoice.id.description), "number": .string(invoice.numberText), "kind": .string(invoice.kind.rawValue),
            "currency": .string(invoice.currency), "total": .string(String(invoice.total)), "due": .string(String(invoice.due)),
            "due_at": .string(invoice.dueAt.description)
        ]
    }
    var payload: JSON { .object(facts) }
}

struct InvoiceIssued: InvoiceEvent {
    static let name = "billing.invoice.issued"
    let invoice: Invoice
    init(_ invoice: Invoice) { self.invoice = invoice }
}

struct InvoicePaid: InvoiceEvent {
    static let name = "billing.invoice.paid"
    let invoice: Invoice
    init(_ invoice: Invoice) { self.invoice = invoice }
}

struct InvoiceOverdue: InvoiceEvent {
    static let name = "billing.invoice.overdue"
    let invoice: Invoice
    /// From 1; the last ends the subscription.
    let step: Int
    init(_ invoice: Invoice, step: Int) {
        self.invoice = invoice
        self.step = step
    }
    var payload: JSON {
        var facts = facts
        facts["step"] = .number(Double(step))
        return .object(facts)
    }
}
