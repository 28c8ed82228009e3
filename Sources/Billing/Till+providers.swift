internal import Kernel
internal import Persistence
internal import Tenancy

/// Orders to providers are written here, with what causes them, and given afterwards: no transaction waits for an answer from outside.
extension Till {
    /// Has an invoice paid with what the tenant has saved, where it has saved something. What a bank has taken back is left to people: the card's
    /// owner has said that it was not to be taken.
    /// - Parameter attempt: 0 when it is issued, then the step of dunning; each is one order.
    func order(chargeOf invoice: Invoice, attempt: Int) throws {
        guard invoice.due > 0, try ProviderCustomerStore(tx: tx).charged() != nil, try !PaymentPartStore(tx: tx).isLost(invoice.id) else { return }
        // One that is still to be decided may be paid yet.
        guard try !ProviderTaskStore(tx: tx.system).isUndecided(invoice.id, of: tx.tenant.id) else { return }
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

    /// What somebody sent back on the provider's own pages: first what the payment brought beyond what it paid, as all of one that was made twice,
    /// then what it paid; the invoices get credit notes for that, the one that it named first.
    /// - Parameter total: all that went back of the payment so far.
    /// - Throws: `exceeds_wallet` where neither an invoice nor the wallet can take it: the provider keeps telling, and people must look.
    mutating func noteRefunds(_ reference: String, at provider: String, total: Int64) throws {
        guard let payment = try PaymentStore(tx: tx).payment(provider, reference) else { return }
        let beyond = total - payment.refunded
        guard beyond > 0, payment.status == .received else { return }
        let parts = try PaymentPartStore(tx: tx).parts(of: payment.id)
        let prepaid = payment.amount - parts.reduce(0) { $0 + $1.amount }
        // Of all that went back so far, less what of that had gone back before: parts add up.
        var rest = max(total - prepaid, 0) - max(payment.refunded - prepaid, 0)
        var fromWallet = beyond - rest
        for (id, part) in parts.filter({ $0.invoice == payment.invoice }) + parts.filter({ $0.invoice != payment.invoice }) where rest > 0 {
            guard let invoice = try invoices.invoice(id) else { continue }
            // What grants had paid did not come with it.
            let amount = min(rest, part, invoice.paid - (try wallet.drawn(on: id)))
            guard amount > 0 else { continue }
            _ = try credit(id, amount, to: .payment(payment.id), isElsewhere: true)
            rest -= amount
        }
        fromWallet += rest
        guard fromWallet > 0, let left = try PaymentStore(tx: tx).payment(payment.id) else { return }
        try withdraw(fromWallet, to: left)
    }
}
