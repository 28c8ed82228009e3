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
        let payment = Payment(
            id: tx.ids.next(), provider: provider, reference: reference, currency: currency, amount: amount, refunded: 0, invoice: named,
            status: .received, at: now)
        var rest = amount
        let cash = Account(.cash, provider, currency)
        var transfers: [Transfer] = []
        let open = try invoices.open().filter { $0.currency == currency }
        for invoice in open.filter({ $0.id == named }) + open.filter({ $0.id != named }) where rest > 0 {
            var invoice = invoice
            let part = min(rest, invoice.due)
            guard part > 0 else { continue }
            invoice.paid += part
            rest -= part
            transfers.append(Transfer(part, debit: cash, credit: Account(.receivable, of: tx.tenant.id, currency)))
            if invoice.due == 0 { try settle(&invoice) } else { try invoices.update(invoice) }
        }
        if rest > 0 { transfers.append(Transfer(rest, debit: cash, credit: Account(.wallet, of: tx.tenant.id, currency))) }
        try post("payment:\(provider):\(reference)", "payment", "payment:\(payment.id)", transfers)
        try store.insert(payment)
        try recover()
        return payment
    }

    private func settle(_ invoice: inout Invoice) throws {
        invoice.status = .paid
        try invoices.update(invoice)
        try tx.emit(InvoicePaid(invoice))
    }

    /// The plan is there again the moment nothing is overdue.
    private mutating func recover() throws {
        guard subscription?.status == .pastDue else { return }
        let now = now
        if try !invoices.open().contains(where: { $0.dueAt <= now }) { subscription?.recover() }
    }

    /// Where what a credit note takes back goes, as far as it was paid.
    enum Return: Sendable, Hashable {
        case wallet
        case payment(PaymentID)
    }

    /// Takes back a part of an invoice, or all of it: first from what is still asked for, then from what was paid.
    /// - Parameter key: makes it happen once.
    /// - Throws: `exceeds_invoice`, `exceeds_payment`, `dispute_open`; nothing may be written then.
    mutating func credit(_ id: InvoiceID, _ amount: Int64, to destination: Return) throws -> Invoice {
        guard var invoice = try invoices.invoice(id), invoice.kind == .invoice else { throw Refusal.missing("invoice") }
        guard amount >= 1, amount <= invoice.total - invoice.credited else {
            throw Refusal(.conflict, "exceeds_invoice", "Of this invoice \(invoice.total - invoice.credited) can be taken back.", field: "amount")
        }
        let fromDue = min(amount, invoice.due)
        let fromPaid = amount - fromDue
        let tax =
            Fraction.halfUp(invoice.tax, invoice.credited + amount, over: invoice.total)
            - Fraction.halfUp(invoice.tax, invoice.credited, over: invoice.total)
        invoice.credited += amount
        let note = try creditNote(of: invoice, amount, tax: tax)
        try book(note, of: invoice, fromPaid: fromPaid, to: destination)
        if invoice.due == 0, invoice.status == .open { invoice.status = .paid }
        try invoices.insert(note)
        try invoices.update(invoice)
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
        note.lines = [InvoiceLine(charge: Charge(kind: .unused, plan: plan, period: period, amount: amount - tax), discount: 0, tax: tax)]
        return note
    }

    private mutating func book(_ note: Invoice, of invoice: Invoice, fromPaid: Int64, to destination: Return) throws {
        let currency = note.currency
        let receivable = Account(.receivable, of: tx.tenant.id, currency)
        var transfers = [
            Transfer(note.total - note.tax, debit: Account(.revenue, currency: currency), credit: receivable),
            Transfer(note.tax, debit: Account(.tax, note.taxCountry.isEmpty ? "none" : note.taxCountry, currency), credit: receivable)
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
            transfers.append(Transfer(fromPaid, debit: receivable, credit: Account(.cash, payment.provider, currency)))
        }
        try post("credit:\(note.id)", "credit_note", "invoice:\(invoice.id)", transfers)
    }

    /// The payer's bank takes a payment back until it is decided. The tenant owes again what it had paid; told again, or late, it changes nothing.
    mutating func dispute(_ reference: String, at provider: String, _ outcome: DisputeOutcome, fee: Int64) throws {
        let store = PaymentStore(tx: tx)
        guard var payment = try store.payment(provider, reference) else { throw Refusal.missing("payment") }
        let (receivable, cash) = (Account(.receivable, of: tx.tenant.id, payment.currency), Account(.cash, provider, payment.currency))
        let amount = payment.amount - payment.refunded
        let subject = "payment:\(payment.id)"
        // A decision that comes before its dispute brings the dispute with it.
        if payment.status == .received, try ledger.posting(key: "dispute:\(payment.id)") == nil {
            try post(
                "dispute:\(payment.id)", "dispute", subject,
                [
                    Transfer(amount, debit: receivable, credit: cash),
                    Transfer(fee, debit: Account(.providerFees, provider, payment.currency), credit: cash)
                ])
            payment.status = .disputed
            if subscription?.status == .active { subscription?.becomePastDue() }
        }
        switch (outcome, payment.status) {
        case (.won, .disputed):
            try post("dispute-won:\(payment.id)", "dispute_won", subject, [Transfer(amount, debit: cash, credit: receivable)])
            payment.status = .received
            try store.update(payment)
            return try recover()
        case (.lost, .disputed): payment.status = .reversed
        default: break
        }
        try store.update(payment)
    }

    enum DisputeOutcome: String, Sendable { case opened, won, lost }
}
