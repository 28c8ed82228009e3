internal import Kernel
internal import Persistence
internal import Tenancy

/// A tenant's billing within one transaction: its subscription and invoices as they are, in its own time, and what changes them.
struct Till {
    struct Terms: Sendable {
        var catalogue: Catalogue
        var calendar: BillingCalendar
        var seller: SellerTerms
        var tenancy: Tenancy
        /// What plans that the list no longer has include, for who has them.
        var kept: [PlanName: PlanLimits] = [:]
    }

    let tx: TenantTransaction
    let terms: Terms
    var now: Timestamp
    var subscription: Subscription?
    /// Issued here, for whoever asked.
    var issued: [Invoice] = []

    init(tx: TenantTransaction, terms: Terms) throws {
        self.tx = tx
        now = try BillingProfileStore(tx: tx).now()
        subscription = try SubscriptionStore(tx: tx).subscription()
        var own = terms
        if let subscription { try own.keep(subscription, in: tx) }
        self.terms = own
    }

    var invoices: InvoiceStore { InvoiceStore(tx: tx) }
    var ledger: LedgerStore { LedgerStore(tx: tx.platform) }

    func found() throws -> Subscription {
        guard let subscription else { throw Refusal.missing("subscription") }
        return subscription
    }

    /// Renewals and dunning up to now.
    mutating func catchUp() throws {
        for _ in 0..<Self.renewalsMaximum {
            guard let ended = subscription else { break }
            var renewed = ended
            guard let renewal = try renewed.renew(at: now, terms.catalogue, terms.calendar) else { break }
            subscription = renewed
            try expireCredit(at: renewal.ended.end)
            // Where no period follows, what began in the last minute and is dated after it counts in none.
            let end = renewed.status == .cancelled ? renewal.ended.end + Self.tallyTime : renewal.ended.end
            var charges: [Charge] = try ended.overageCap > 0 ? overage(of: ended, until: end).charges : []
            charges += renewal.charges
            if !charges.isEmpty { try issue(charges, at: renewal.ended.end) }
        }
        try expireCredit(at: now)
        try dun()
    }

    /// More periods than this are gone over in the next rounds.
    private static let renewalsMaximum = 60

    /// Writes what has changed, puts the plan's limits into force, and says when to look again.
    mutating func close() throws {
        if let subscription { try close(subscription) }
        // A sandbox's time moves only when somebody moves it.
        guard try !BillingProfileStore(tx: tx).hasClock() else { return }
        let reminders = try invoices.open().filter { $0.reminders < Dunning.steps.count }.map { $0.dueAt + Dunning.steps[$0.reminders] }
        let expiries = try wallet.usable().compactMap(\.expiresAt)
        try BillingDueStore(tx: tx.system).set(tx.tenant.id, (reminders + expiries + [subscription?.nextDue].compactMap { $0 }).min())
    }

    private func close(_ subscription: Subscription) throws {
        try SubscriptionStore(tx: tx).save(subscription)
        try noteRevenue(of: subscription)
        let isSuspended = try PaymentPartStore(tx: tx).isSuspending()
        let more = try subscription.addons.map { ($0.quantity, try terms.catalogue.addon($0.code)) }
        try terms.tenancy.grant(subscription.plan, kept: terms.kept[subscription.plan], in: tx) { limits in
            // A trial charges nothing: what is used up and cannot come back begins with the first period that is paid.
            for (quantity, addon) in more where addon.limit != .executions || subscription.status != .trialing { limits.raise(addon, by: quantity) }
            if !subscription.isGranted || isSuspended {
                limits.executionsPerMonth = 0
            } else if subscription.overageCap > 0, subscription.status != .trialing, let included = limits.executionsPerMonth {
                limits.executionsPerMonth = included + Int(subscription.overageCap)
            }
        }
    }
}

/// When an overdue invoice is spoken of, and when patience ends.
enum Dunning {
    /// After the due date: told three times, then the subscription ends.
    static let steps: [Duration] = [.seconds(0), .seconds(3 * 86_400), .seconds(7 * 86_400), .seconds(21 * 86_400)]
}

extension Till {
    /// Goes over the open invoices that are overdue: the first step makes the subscription past due, the last ends it.
    private mutating func dun() throws {
        for invoice in try invoices.open() {
            var invoice = invoice
            let before = invoice.reminders
            while invoice.reminders < Dunning.steps.count, invoice.dueAt + Dunning.steps[invoice.reminders] <= now {
                invoice.reminders += 1
                subscription?.becomePastDue()
                if invoice.reminders == Dunning.steps.count { try endUnpaid() }
                try tx.emit(InvoiceOverdue(invoice, step: invoice.reminders))
                if invoice.reminders < Dunning.steps.count { try order(chargeOf: invoice, attempt: invoice.reminders) }
            }
            if invoice.reminders != before { try invoices.update(invoice) }
        }
    }

    private mutating func endUnpaid() throws {
        guard let old = subscription, old.status != .cancelled else { return }
        var ended = old
        ended.end()
        let charges = try settle(old, before: &ended)
        subscription = ended
        if !charges.isEmpty { try issue(charges, at: now) }
    }

    /// Makes an invoice of charges, books it, and takes what the wallet has.
    /// - Parameters:
    ///   - currency: the subscription's where it is left out.
    ///   - isSubscribed: that coupons are for it.
    @discardableResult
    mutating func issue(_ asked: [Charge], at moment: Timestamp, currency given: String? = nil, isSubscribed: Bool = true) throws -> Invoice {
        guard let buyer = try BillingProfileStore(tx: tx).profile() else {
            throw Refusal(.conflict, "profile_required", "Say first who is to be invoiced: name, address and country.")
        }
        let currency = given ?? subscription?.currency ?? "USD"
        var charges = asked
        if isSubscribed { try discount(&charges, currency) }
        let decision = VATRules(seller: terms.seller.party.country).decide(country: buyer.country, hasVATID: buyer.vatId != nil)
        let figures = InvoiceFigures(charges, rate: decision.rate, step: Money.step(of: currency))
        precondition(figures.total >= 0, "what would bring an invoice below zero is given back apart")
        let id: InvoiceID = tx.ids.next()
        var invoice = Invoice(
            id: id, kind: .invoice, number: try invoices.number(terms.seller.series, for: id), series: terms.seller.series, status: .open,
            currency: currency, subtotal: figures.subtotal, discount: figures.discount, tax: figures.tax, total: figures.total, paid: 0, credited: 0,
            treatment: decision.treatment, rate: decision.rate, taxCountry: decision.country, seller: terms.seller.party, buyer: buyer,
            issuedAt: moment, dueAt: moment + .seconds(Int64(terms.seller.dueDays) * 86_400), corrects: nil, reminders: 0, lines: figures.lines)
        let receivable = Account(.receivable, of: tx.tenant.id, currency)
        if invoice.total > 0 {
            try post(
                "invoice:\(id)", "invoice", "invoice:\(id)",
                [
                    Transfer(figures.total - figures.tax, debit: receivable, credit: Account(.revenue, currency: currency)),
                    Transfer(figures.tax, debit: receivable, credit: Account(.tax, decision.country.isEmpty ? "none" : decision.country, currency))
                ])
            try payFromWallet(&invoice)
        }
        if invoice.due == 0 { invoice.status = .paid }
        try invoices.insert(invoice)
        try order(chargeOf: invoice, attempt: 0)
        try tx.emit(InvoiceIssued(invoice))
        if invoice.paid > 0 { try settleShares(of: invoice) }
        issued.append(invoice)
        return invoice
    }

    @discardableResult
    func post(_ key: String, _ kind: String, _ subject: String, _ transfers: [Transfer]) throws -> Bool {
        try ledger.post(Posting(id: tx.ids.next(), key: key, kind: kind, subject: subject, at: tx.clock.now(), transfers: transfers)).isNew
    }
}
