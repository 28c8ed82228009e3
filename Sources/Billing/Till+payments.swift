internal import Kernel
internal import Persistence
internal import Tenancy

extension Till {
    /// Money that came: for the invoice it names, then for the oldest that are open; what is more goes into the wallet.
    /// - Returns: nil where this payment was known already.
    mutating func receive(_ amount: Int64, _ currency: String, from provider: String, reference: String, for named: InvoiceID?) throws -> Payment? {
        let store = PaymentStore(tx: tx)
        if let known = try store.payment(provider, reference) {
            guard known.amount == amount, known.currency == currency else { throw Posting.conflict }
            return nil
        }
        // What was paid into the wallet names no invoice of ours.
        let known = try named.flatMap { try invoices.invoice($0)?.id }
        let payment = Payment(
            id: tx.ids.next(), provider: provider, reference: reference, currency: currency, amount: amount, refunded: 0, invoice: known,
            status: .received, at: now)
        var rest = amount
        var parts: [(InvoiceID, Int64)] = []
        let open = try invoices.open().filter { $0.currency == currency }
        for invoice in open.filter({ $0.id == named }) + open.filter({ $0.id != named }) where rest > 0 {
            var invoice = invoice
            let part = min(rest, invoice.due)
            guard part > 0 else { continue }
            invoice.paid += part
            rest -= part
            parts.append((invoice.id, part))
            if invoice.due == 0 { try settle(&invoice) } else { try invoices.update(invoice) }
            try settleShares(of: invoice)
        }
        // One transfer for all invoices, of which there may be more than a posting has transfers.
        let (cash, receivable) = (Account(.cash, provider, currency), Account(.receivable, of: tx.tenant.id, currency))
        try post(
            "payment:\(provider):\(reference)", "payment", "payment:\(payment.id)",
            [
                Transfer(amount - rest, debit: cash, credit: receivable),
                Transfer(rest, debit: cash, credit: Account(.wallet, of: tx.tenant.id, currency))
            ])
        try store.insert(payment)
        for (invoice, part) in parts { try PaymentPartStore(tx: tx).add(payment.id, invoice, part) }
        try recover()
        return payment
    }

    func settle(_ invoice: inout Invoice) throws {
        invoice.status = .paid
        try invoices.update(invoice)
        try tx.emit(InvoicePaid(invoice))
    }

    /// The plan is there again the moment nothing is overdue.
    mutating func recover() throws {
        if try subscription?.status == .pastDue && !isOwing() { subscription?.recover() }
    }

    /// Whether something is overdue, or taken back by a bank and not paid again.
    func isOwing() throws -> Bool {
        if try PaymentPartStore(tx: tx).isSuspending() { return true }
        return try invoices.open().contains { $0.dueAt <= now }
    }

    /// Where what a credit note takes back goes, as far as it was paid.
    enum Return: Sendable, Hashable {
        case wallet
        case payment(PaymentID)
    }

    /// Takes back a part of an invoice, or all of it: first from what is still asked for, then from what was paid.
    /// - Parameters:
    ///   - destination: where what was paid goes back to.
    /// - Throws: `exceeds_invoice`, `exceeds_payment`, `dispute_open`, `amount_not_whole`; nothing may be written then.
    ///   - isElsewhere: that the provider has sent the money back already.
    ///   - isReckoned: that a change of the subscription gives it back, which knows what it may.
    mutating func credit(
        _ id: InvoiceID, _ amount: Int64, to destination: Return, isElsewhere: Bool = false, isReckoned: Bool = false
    ) throws -> Invoice {
        guard var invoice = try invoices.invoice(id), invoice.kind == .invoice else { throw Refusal.missing("invoice") }
        guard amount >= 1, amount <= invoice.total - invoice.credited else {
            throw Refusal(.conflict, "exceeds_invoice", "Of this invoice \(invoice.total - invoice.credited) can be taken back.", field: "amount")
        }
        let step = Money.step(of: invoice.currency)
        guard isElsewhere || isReckoned || amount.isMultiple(of: step) || amount == invoice.total - invoice.credited else {
            throw Refusal.invalid("amount", "amount_not_whole", "An amount in \(invoice.currency) is a multiple of \(step) minor units.")
        }
        // Money that has gone back already was paid: what is still asked for is not lessened by it.
        let fromDue = isElsewhere ? max(amount - invoice.paid, 0) : min(amount, invoice.due)
        let fromPaid = amount - fromDue
        let tax =
            Fraction.halfUp(invoice.tax, invoice.credited + amount, over: invoice.total)
            - Fraction.halfUp(invoice.tax, invoice.credited, over: invoice.total)
        // What grants had paid goes back to them, after what was paid with money.
        let fromGrants = max(fromPaid - (invoice.paid - (try wallet.drawn(on: id))), 0)
        invoice.credited += amount
        invoice.paid -= fromPaid
        if !isReckoned { try lessen(for: invoice, amount) }
        let note = try creditNote(of: invoice, amount, tax: tax)
        try restore(fromGrants, from: id)
        try book(note, of: invoice, fromPaid: fromPaid - fromGrants, fromGrants: fromGrants, to: destination, isElsewhere)
        try expireCredit(at: now)
        if invoice.due == 0, invoice.status == .open { invoice.status = .paid }
        try invoices.insert(note)
        try invoices.update(invoice)
        try settleShares(of: invoice)
        try tx.emit(InvoiceIssued(note))
        try recover()
        return note
    }

    private func creditNote(of invoice: Invoice, _ amount: Int64, tax: Int64) throws -> Invoice {
        let id: InvoiceID = tx.ids.next()
        var note = invoice
        note.id = id
        note.kind = .creditNote
        note.series = invoice.series + "-C"
        note.number = try invoices.number(note.series, for: id)
        (note.subtotal, note.discount, note.tax, note.total) = (amount - tax, 0, tax, amount)
        (note.paid, note.credited, note.status, note.corrects, note.reminders) = (0, 0, .paid, invoice.id, 0)
        (note.issuedAt, note.dueAt) = (now, now)
        let period = invoice.lines.first.map(\.charge.period) ?? BillingPeriod(start: now, end: now)
        let plan = invoice.lines.first?.charge.plan ?? .starter
        note.lines = [InvoiceLine(charge: Charge(kind: .unused, plan: plan, period: period, amount: amount - tax), tax: tax)]
        return note
    }

    private mutating func book(
        _ note: Invoice, of invoice: Invoice, fromPaid: Int64, fromGrants: Int64, to destination: Return, _ isElsewhere: Bool
    ) throws {
        let currency = note.currency
        let receivable = Account(.receivable, of: tx.tenant.id, currency)
        var transfers = [
            Transfer(note.total - note.tax, debit: Account(.revenue, currency: currency), credit: receivable),
            Transfer(note.tax, debit: Account(.tax, note.taxCountry.isEmpty ? "none" : note.taxCountry, currency), credit: receivable),
            Transfer(fromGrants, debit: receivable, credit: walletAccount(currency))
        ]
        switch destination {
        case .wallet: transfers.append(Transfer(fromPaid, debit: receivable, credit: Account(.wallet, of: tx.tenant.id, currency)))
        case .payment(let id):
            let store = PaymentStore(tx: tx)
            guard var payment = try store.payment(id), payment.currency == currency else { throw Refusal.missing("payment") }
            guard payment.status == .received else {
                throw Refusal(.conflict, "dispute_open", "This payment is disputed; what is to come of it is decided there.")
            }
            guard fromPaid <= payment.amount - payment.refunded else {
                throw Refusal(.conflict, "exceeds_payment", "Of this payment \(payment.amount - payment.refunded) can be refunded.", field: "amount")
            }
            payment.refunded += fromPaid
            try store.update(payment)
            if fromPaid > 0, !isElsewhere, Providers.names.contains(payment.provider) { try order(fromPaid, of: payment, for: note.id) }
            transfers.append(Transfer(fromPaid, debit: receivable, credit: Account(.cash, payment.provider, currency)))
        }
        try post("credit:\(note.id)", "credit_note", "invoice:\(invoice.id)", transfers)
    }
}
