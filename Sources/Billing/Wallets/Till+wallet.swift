internal import HTTPSurface
internal import Kernel
internal import Persistence
internal import Tenancy

/// A tenant's wallet: its balance is the ledger's, its grants say what of that was given and when it is gone.
extension Till {
    var wallet: WalletStore { WalletStore(tx: tx) }

    func walletAccount(_ currency: String) -> Account { Account(.wallet, of: tx.tenant.id, currency) }

    /// Gives credit that nobody paid for; what is drawn of it lessens the revenue.
    func grant(_ amount: Int64, _ currency: String, expiresAt: Timestamp?, reason: String) throws -> WalletGrant {
        let grant = WalletGrant(
            id: tx.ids.next(), currency: currency, amount: amount, left: amount, reason: reason, expiresAt: expiresAt, grantedAt: now)
        try post(
            "grant:\(grant.id)", "wallet_grant", "wallet_grant:\(grant.id)",
            [Transfer(amount, debit: Account(.revenue, currency: currency), credit: walletAccount(currency))])
        try wallet.insert(grant)
        return grant
    }

    /// Takes back what was given and not used until a moment.
    func expireCredit(at moment: Timestamp) throws {
        for grant in try wallet.usable() where grant.expiresAt.map({ $0 <= moment }) ?? false {
            // What is given back later to a grant that has expired goes the same way again, under a key of its own.
            let id: WalletGrantID = tx.ids.next()
            try post(
                "expiry:\(id)", "wallet_expiry", "wallet_grant:\(grant.id)",
                [Transfer(grant.left, debit: walletAccount(grant.currency), credit: Account(.revenue, currency: grant.currency))])
            try wallet.set(left: 0, of: grant.id)
        }
    }

    /// Pays an invoice with what the wallet has: what expires first, then what was given, last what was paid for.
    func payFromWallet(_ invoice: inout Invoice) throws {
        let account = walletAccount(invoice.currency)
        let most = min(-(try ledger.balance(of: account)), invoice.due)
        // What is left of the invoice can be asked for.
        let amount = most - most % Money.step(of: invoice.currency)
        guard amount > 0 else { return }
        var rest = amount
        // The same grant may have paid a part of it before.
        let drawn = Dictionary(uniqueKeysWithValues: try wallet.draws(on: invoice.id).map { ($0.grant, $0.amount) })
        for grant in try wallet.usable() where grant.currency == invoice.currency && rest > 0 {
            let part = min(grant.left, rest)
            try wallet.set(left: grant.left - part, of: grant.id)
            try wallet.put((drawn[grant.id] ?? 0) + part, of: grant.id, on: invoice.id)
            rest -= part
        }
        // One transfer for all grants, of which there may be more than a posting has transfers.
        let receivable = Account(.receivable, of: tx.tenant.id, invoice.currency)
        let (kind, subject) = ("wallet_payment", "invoice:\(invoice.id)")
        // When it is issued, and each time that somebody pays with credit that came later.
        let earlier = try ledger.postings(kind, about: subject).count
        let key = earlier == 0 ? "wallet:\(invoice.id)" : "wallet:\(invoice.id):\(earlier)"
        try post(key, kind, subject, [Transfer(amount, debit: account, credit: receivable)])
        invoice.paid += amount
    }

    /// Pays an open invoice with credit that came after it was issued.
    /// - Throws: `nothing_due`, `wallet_empty`
    mutating func payFromWallet(_ id: InvoiceID) throws -> Invoice {
        guard var invoice = try invoices.invoice(id) else { throw Refusal.missing("invoice") }
        guard invoice.status == .open, invoice.due > 0 else { throw Refusal(.conflict, "nothing_due", "Nothing of this is due.") }
        let before = invoice.paid
        try payFromWallet(&invoice)
        guard invoice.paid > before else { throw Refusal(.conflict, "wallet_empty", "There is no credit in \(invoice.currency).") }
        if invoice.due == 0 { try settle(&invoice) } else { try invoices.update(invoice) }
        try settleShares(of: invoice)
        try recover()
        return invoice
    }

    /// Gives back to grants what an invoice had drawn from them, the youngest first; what has expired meanwhile is gone at once.
    func restore(_ amount: Int64, from invoice: InvoiceID) throws {
        var rest = amount
        for draw in try wallet.draws(on: invoice) where rest > 0 {
            guard let grant = try wallet.grant(draw.grant) else { continue }
            let part = min(draw.amount, rest)
            try wallet.set(left: grant.left + part, of: grant.id)
            try wallet.put(draw.amount - part, of: grant.id, on: invoice)
            rest -= part
        }
    }

    /// What of the wallet was paid for.
    func paidCredit(_ currency: String) throws -> Int64 {
        let given = try wallet.usable().reduce(0) { $1.currency == currency ? $0 + $1.left : $0 }
        return max(-(try ledger.balance(of: walletAccount(currency))) - given, 0)
    }

    /// A payment that no invoice had asked for went back on the provider's own pages: it is taken from what was paid into the wallet.
    /// - Throws: `exceeds_wallet` where it was spent.
    func withdraw(_ amount: Int64, to payment: Payment) throws {
        guard amount <= (try paidCredit(payment.currency)) else {
            throw Refusal(.conflict, "exceeds_wallet", "What was paid into the wallet with this payment is spent.")
        }
        var payment = payment
        payment.refunded += amount
        try PaymentStore(tx: tx).update(payment)
        let (kind, subject) = ("wallet_withdrawal", "payment:\(payment.id)")
        // Where a refund is kept after all, as much may go back a second time.
        let earlier = try LedgerStore(tx: tx.platform).postings(kind, about: subject).count
        try post(
            "withdrawal:\(payment.id):\(payment.refunded):\(earlier)", kind, subject,
            [Transfer(amount, debit: walletAccount(payment.currency), credit: Account(.cash, payment.provider, payment.currency))])
    }
}

extension Billing {
    /// - Parameter claim: of the request, whose answer is kept in the same transaction: one that is sent again after a crash gives nothing twice.
    /// - Throws: `out_of_range`
    func grant(
        _ amount: Int64, _ currency: String, expiresAt: Timestamp?, reason: String, to tenant: TenantID, by principal: Principal,
        claim: IdempotencyClaim? = nil
    ) async throws -> WalletGrant {
        let amount = try AmountBounds.checked(amount, field: "amount", minimum: 1)
        return try await atTill(of: tenant) { till in
            if let expiresAt, expiresAt <= till.now { throw Refusal.invalid("expires_at", "out_of_range", "expires_at lies in the future.") }
            let grant = try till.grant(amount, currency, expiresAt: expiresAt, reason: reason)
            try till.tx.audit(principal, "wallet.grant", "wallet_grant:\(grant.id)", ["amount": .string("\(amount) \(currency)")])
            try claim?.record(WalletGrantView(grant), status: 201, in: till.tx)
            return grant
        }
    }

    /// Pays an open invoice with what the wallet has, as far as that goes.
    /// - Throws: `nothing_due`, `wallet_empty`
    func payFromWallet(_ id: InvoiceID, of tenant: TenantID, by principal: Principal, claim: IdempotencyClaim? = nil) async throws -> Invoice {
        try await atTill(of: tenant) { till in
            let invoice = try till.payFromWallet(id)
            try till.tx.audit(principal, "invoice.pay_from_wallet", "invoice:\(id)", ["due": .string("\(invoice.due) \(invoice.currency)")])
            try claim?.record(InvoiceView(invoice), status: 201, in: till.tx)
            return invoice
        }
    }

    func grants(of tenant: TenantID, before cursor: WalletGrantID?, limit: Int) async throws -> [WalletGrant] {
        try await database.read(in: tenant) { tx in try WalletStore(tx: tx).page(before: cursor, limit: limit) }
    }

    static let topUpAmounts: ClosedRange<Int64> = 500...100_000_000

    /// A page of a provider on which credit is paid into the wallet.
    /// - Throws: `provider_missing`, `profile_required`, `out_of_range`, `provider_unavailable`
    func topUp(_ amount: Int64, _ currency: String, at name: String, of tenant: TenantID, by principal: Principal) async throws -> HostedPage {
        guard Self.topUpAmounts.contains(amount) else {
            throw Refusal.invalid(
                "amount", "out_of_range", "amount lies between \(Self.topUpAmounts.lowerBound) and \(Self.topUpAmounts.upperBound).")
        }
        let (known, id) = try await database.read(in: tenant) { tx in (try BillingProfileStore(tx: tx).profile(), tx.ids.next() as InvoiceID) }
        guard let party = known else {
            throw Refusal(.conflict, "profile_required", "Say first who is to be invoiced: name, address and country.")
        }
        let provider = try await providers.provider(name)
        let customer = try await customer(of: tenant, party, at: provider)
        let order = HostedOrder(
            tenant: tenant, invoice: id, number: "Credit", amount: Money(minorUnits: amount, currency: currency), customer: customer,
            returnTo: "\(providers.publicURL)\(BillingPages.address)", key: "top-up:\(id)")
        let page = try await asked(name) { try await provider.checkout(order) }
        try await database.write(in: tenant) { tx in
            try ProviderObjectStore(tx: tx.platform).note(name, page.reference, of: tenant, nil)
            try tx.audit(principal, "wallet.top_up", "payment_provider:\(name)", ["amount": .string("\(amount) \(currency)")])
        }
        return page
    }
}
