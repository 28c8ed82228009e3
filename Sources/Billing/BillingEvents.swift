internal import Kernel
internal import Persistence

/// What other modules hear of invoices: `{invoice, number, kind, currency, total, due, due_at, amount, step?, reason?}`; total and due in minor units,
/// as texts, amount as people read what is due.
protocol InvoiceEvent: Event {
    var invoice: Invoice { get }
    /// What it says beside the invoice; empty unless given.
    var more: JSONObject { get }
}

extension InvoiceEvent {
    static var version: Int { 1 }
    var subject: String { "invoice:\(invoice.id)" }
    var facts: JSONObject {
        [
            "invoice": .string(invoice.id.description), "number": .string(invoice.numberText), "kind": .string(invoice.kind.rawValue),
            "currency": .string(invoice.currency), "total": .string(String(invoice.total)), "due": .string(String(invoice.due)),
            "due_at": .string(invoice.dueAt.description),
            "amount": .string("\(Money(minorUnits: invoice.due, currency: invoice.currency).decimalText) \(invoice.currency)")
        ]
    }
    var more: JSONObject { [:] }
    var payload: JSON {
        var payload = facts
        payload.merge(more)
        return .object(payload)
    }
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
    var more: JSONObject { ["step": .number(Double(step))] }
}

/// A payment of it was lost in a dispute: it is owed again.
struct InvoiceReopened: InvoiceEvent {
    static let name = "billing.invoice.reopened"
    let invoice: Invoice
    init(_ invoice: Invoice) { self.invoice = invoice }
}

/// A provider could not take what is due; `reason` is its word.
struct PaymentFailed: InvoiceEvent {
    static let name = "billing.payment.failed"
    let invoice: Invoice
    let reason: String
    init(_ invoice: Invoice, reason: String) {
        self.invoice = invoice
        self.reason = reason
    }
    var more: JSONObject { ["reason": .string(reason)] }
}
