internal import Kernel
internal import Persistence
internal import Tenancy

extension Till {
    enum DisputeOutcome: String, Sendable, Hashable { case opened, won, lost }

    /// The payer's bank takes a payment back until it is decided, or a part of it. Told again, or late, it changes nothing; a decision that comes
    /// before its dispute brings the dispute with it.
    ///
    /// Won, everything is as before. Lost, what the payment paid is asked for again: its invoices are open and due, and the plan is suspended until
    /// they are paid.
    /// - Parameter amount: what the bank disputes; all that was not refunded where it is more than that, or nil.
    mutating func dispute(_ reference: String, at provider: String, _ outcome: DisputeOutcome, amount: Int64? = nil, fee: Int64) throws {
        let (store, parts) = (PaymentStore(tx: tx), PaymentPartStore(tx: tx))
        guard var payment = try store.payment(provider, reference) else { throw Refusal.missing("payment") }
        if payment.status == .received, try parts.disputed(payment.id) == nil {
            let left = payment.amount - payment.refunded
            let taken = min(amount ?? left, left)
            guard taken > 0 else { return }
            try take(taken, fee: fee, of: payment)
            payment.status = .disputed
        }
        guard payment.status == .disputed, let taken = try parts.disputed(payment.id) else { return }
        switch outcome {
        case .opened: try store.update(payment)
        case .won:
            payment.status = .received
            try store.update(payment)
            try post(
                "dispute-won:\(payment.id)", "dispute_won", "payment:\(payment.id)",
                [Transfer(taken, debit: Account(.cash, provider, payment.currency), credit: Account(.receivable, of: tx.tenant.id, payment.currency))]
            )
            try recover()
        case .lost:
            payment.status = .reversed
            try store.update(payment)
            try passFee(of: payment)
            try reopen(taken, of: payment)
        }
        try settleShares(of: payment)
    }

    private mutating func take(_ amount: Int64, fee: Int64, of payment: Payment) throws {
        try PaymentPartStore(tx: tx).open(payment.id, amount: amount, fee: fee, at: now)
        let cash = Account(.cash, payment.provider, payment.currency)
        try post(
            "dispute:\(payment.id)", "dispute", "payment:\(payment.id)",
            [
                Transfer(amount, debit: Account(.receivable, of: tx.tenant.id, payment.currency), credit: cash),
                Transfer(fee, debit: Account(.providerFees, payment.provider, payment.currency), credit: cash)
            ])
        subscription?.becomePastDue()
    }

    /// Asks again for what a lost payment had paid: first on its own invoices, then from what it left in the wallet, last on the invoices that the
    /// wallet has paid since. All that ever came is in one of these, so that nothing of it is left over.
    private mutating func reopen(_ amount: Int64, of payment: Payment) throws {
        var rest = amount
        for (id, part) in try PaymentPartStore(tx: tx).parts(of: payment.id) where rest > 0 {
            rest -= try ask(again: min(part, rest), for: id, payment)
        }
        let prepaid = min(rest, try paidCredit(payment.currency))
        if prepaid > 0 {
            try post(
                "dispute-lost:\(payment.id)", "dispute_lost", "payment:\(payment.id)",
                [Transfer(prepaid, debit: walletAccount(payment.currency), credit: Account(.receivable, of: tx.tenant.id, payment.currency))])
            rest -= prepaid
        }
        for id in try invoices.paid(in: payment.currency) where rest > 0 { rest -= try ask(again: rest, for: id, payment) }
        precondition(rest == 0, "what was paid is on invoices or in the wallet")
        subscription?.becomePastDue()
    }

    /// - Returns: how much of it.
    private func ask(again rest: Int64, for id: InvoiceID, _ payment: Payment) throws -> Int64 {
        guard var invoice = try invoices.invoice(id) else { return 0 }
        // What grants had paid was not this payment's.
        let part = min(rest, invoice.paid - (try wallet.drawn(on: id)))
        guard part > 0 else { return 0 }
        invoice.paid -= part
        (invoice.status, invoice.dueAt, invoice.reminders) = (.open, now, 0)
        try invoices.reopen(invoice)
        try settleShares(of: invoice)
        try PaymentPartStore(tx: tx).add(payment.id, id, part)
        try tx.emit(InvoiceReopened(invoice))
        return part
    }
}
