internal import Kernel
internal import Persistence
internal import Tenancy

/// Orders to providers are written here, with what causes them, and given afterwards: no transaction waits for an answer from outside.
extension Till {
    /// Has an invoice paid with what the tenant has saved, where it has saved something.
    /// - Parameter attempt: 0 when it is issued, then the step of dunning; each is one order.
    func order(chargeOf invoice: Invoice, attempt: Int) throws {
        guard invoice.due > 0, try ProviderCustomerStore(tx: tx).charged() != nil else { return }
        let key = "charge:\(invoice.id):\(invoice.dueAt.seconds):\(attempt)"
        let task = ProviderTask(key: key, tenant: tx.tenant.id, kind: .charge, subject: invoice.id, attempts: 0)
        try ProviderTaskStore(tx: tx.system).add(task, at: tx.clock.now())
    }

    /// Has a part of a payment sent back by its provider.
    func order(_ amount: Int64, of payment: Payment, for note: InvoiceID) throws {
        try PaymentPartStore(tx: tx).insert(
            ProviderRefund(note: note, payment: payment.id, amount: amount, status: .pending, reference: nil))
        let task = ProviderTask(key: "refund:\(note)", tenant: tx.tenant.id, kind: .refund, subject: note, attempts: 0)
        try ProviderTaskStore(tx: tx.system).add(task, at: tx.clock.now())
    }

    /// A refund that the provider will not do: what was to go back is in the wallet instead, and can be refunded in another way.
    func keepRefund(_ note: InvoiceID) throws {
        let parts = PaymentPartStore(tx: tx)
        guard var refund = try parts.refund(note), refund.status != .failed, var payment = try PaymentStore(tx: tx).payment(refund.payment) else {
            return
        }
        refund.status = .failed
        payment.refunded -= refund.amount
        try parts.update(refund)
        try PaymentStore(tx: tx).update(payment)
        try post(
            "refund-failed:\(note)", "refund_failed", "payment:\(payment.id)",
            [
                Transfer(
                    refund.amount, debit: Account(.cash, payment.provider, payment.currency),
                    credit: Account(.wallet, of: tx.tenant.id, payment.currency))
            ])
    }

    /// What somebody sent back on the provider's own pages: the invoice that the payment named gets a credit note for it.
    /// - Parameter total: all that went back of the payment so far.
    /// - Throws: `exceeds_invoice`, `exceeds_wallet` where no invoice can take it: the provider keeps telling, and people must look.
    mutating func noteRefunds(_ reference: String, at provider: String, total: Int64) throws {
        guard let payment = try PaymentStore(tx: tx).payment(provider, reference) else { return }
        let beyond = total - payment.refunded
        guard beyond > 0, payment.status == .received else { return }
        guard let invoice = payment.invoice else {
            return try withdraw(beyond, to: payment)
        }
        _ = try credit(invoice, beyond, to: .payment(payment.id), isElsewhere: true)
    }
}
