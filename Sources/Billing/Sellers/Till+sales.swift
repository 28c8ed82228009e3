package import Kernel
internal import Persistence
internal import Tenancy

/// Sales of sellers, by way of the platform: the buyer is invoiced by us, and what is collected brings the seller a part.
extension Till {
    /// Invoices something of a seller; the same key again is the same sale.
    /// - Throws: `own_listing`, `unknown_seller`, `key_reused`, `sandbox`, `out_of_range`, `profile_required`
    mutating func sell(_ order: SaleOrder) throws -> Sale {
        let store = SaleStore(tx: tx.platform)
        if let known = try store.sale(order.key, of: tx.tenant.id) {
            guard known.seller == order.seller, known.listing == order.listing, known.amount == order.amount.minorUnits,
                known.currency == order.amount.currency
            else { throw Posting.conflict }
            return known
        }
        guard order.seller != tx.tenant.id else { throw Refusal(.conflict, "own_listing", "A seller does not buy from itself.") }
        guard try !BillingProfileStore(tx: tx).hasClock() else {
            throw Refusal(.conflict, "sandbox", "A sandbox buys nothing of others: its time is not theirs.")
        }
        guard try PayeeStore(tx: tx.platform).payee(order.seller) != nil else {
            throw Refusal.invalid("seller", "unknown_seller", "The seller has not said yet how it is paid.")
        }
        let amount = try AmountBounds.checked(order.amount.minorUnits, field: "amount", minimum: 1)
        let item = ChargeItem(code: order.listing, name: order.name)
        let charge = Charge(
            kind: .plan, plan: subscription?.plan ?? .starter, period: BillingPeriod(start: now, end: now), amount: amount, item: item)
        let invoice = try issue([charge], at: now, currency: order.amount.currency, isSubscribed: false)
        let sale = try note(order, on: invoice)
        try settleShares(of: invoice)
        return try store.sale(order.key, of: tx.tenant.id) ?? sale
    }

    /// Writes down that a line of an invoice was sold for a seller; what is paid of it is settled after.
    @discardableResult
    func note(_ order: SaleOrder, on invoice: Invoice) throws -> Sale {
        let store = SaleStore(tx: tx.platform)
        let sale = Sale(
            id: tx.ids.next(), key: order.key, buyer: tx.tenant.id, seller: order.seller, listing: order.listing, kind: order.kind, name: order.name,
            invoice: invoice.id, currency: order.amount.currency, amount: order.amount.minorUnits, share: try store.share(of: order), maturesAt: now,
            soldAt: now)
        try store.insert(sale)
        return sale
    }

    /// Brings what others earn with an invoice to what is paid of it now: more when money came, less when it went back.
    func settleShares(of invoice: Invoice) throws {
        guard invoice.kind == .invoice else { return }
        try settleEnrolments(of: invoice)
        let store = SaleStore(tx: tx.platform)
        let sales = try store.sales(on: invoice.id)
        // While a bank disputes a payment of the invoice, what was earned with it waits.
        let isHeld = try !sales.isEmpty && PaymentPartStore(tx: tx).isDisputed(invoice.id)
        var sellers: Int64 = 0
        for sale in sales {
            var new = sale
            new.earned = sale.earned(paid: invoice.paid, of: invoice.total)
            new.held = isHeld ? new.earned : 0
            sellers += new.earned
            guard new != sale else { continue }
            if new.earned > sale.earned { new.maturesAt = tx.clock.now() + Sale.maturity }
            try store.update(new)
            let account = Account(.seller, of: sale.seller, sale.currency)
            if new.earned != sale.earned { try move(new.earned - sale.earned, to: account, "sale_share", "sale:\(sale.id)") }
            if new.held != sale.held { try hold(new.held - sale.held, sale, new.held > sale.held ? "hold" : "release") }
        }
        try settleCommission(of: invoice, sellers: sellers)
    }

    /// From the platform's revenue to somebody else, or back.
    func move(_ amount: Int64, to account: Account, _ kind: String, _ subject: String) throws {
        let id: PostingID = tx.ids.next()
        try post("\(kind):\(id)", kind, subject, [Transfer(amount, debit: Account(.revenue, currency: account.currency), credit: account)])
    }

    /// Brings what was earned with the invoices of a payment to what holds after a dispute of it was opened or decided.
    func settleShares(of payment: Payment) throws {
        for (id, _) in try PaymentPartStore(tx: tx).parts(of: payment.id) {
            if let invoice = try invoices.invoice(id) { try settleShares(of: invoice) }
        }
    }

    /// A bank's fee for a dispute that was lost is on the seller whose sale was paid, where there was one.
    func passFee(of payment: Payment) throws {
        let parts = PaymentPartStore(tx: tx)
        let fee = try parts.fee(payment.id)
        guard fee > 0 else { return }
        for (id, _) in try parts.parts(of: payment.id) {
            guard let sale = try SaleStore(tx: tx.platform).sales(on: id).first else { continue }
            try post(
                "dispute-fee:\(payment.id)", "dispute_fee", "sale:\(sale.id)",
                [
                    Transfer(
                        fee, debit: Account(.seller, of: sale.seller, sale.currency), credit: Account(.providerFees, payment.provider, sale.currency))
                ])
            return
        }
    }

    private func hold(_ amount: Int64, _ sale: Sale, _ kind: String) throws {
        let id: PostingID = tx.ids.next()
        try post(
            "\(kind):\(id)", kind, "sale:\(sale.id)",
            [
                Transfer(
                    amount, debit: Account(.seller, of: sale.seller, sale.currency), credit: Account(.hold, of: sale.seller, sale.currency))
            ])
    }
}

extension Billing {
    /// Sells something of a seller to a tenant: invoices it, and gives the seller its part of what is collected.
    /// - Throws: as `Till.sell`
    package func sell(_ order: SaleOrder, to buyer: TenantID, by principal: Principal) async throws -> Sale {
        guard (1...Posting.keyLengthMaximum / 2).contains(order.key.utf8.count) else {
            throw Refusal.invalid("key", "out_of_range", "key has 1 to \(Posting.keyLengthMaximum / 2) bytes.")
        }
        let sale = try await atTill(of: buyer) { till in
            let sale = try till.sell(order)
            try till.tx.audit(principal, "sale.make", "sale:\(sale.id)", ["listing": .string(order.listing)])
            return sale
        }
        try await giveOrders(of: buyer)
        return sale
    }

    func sales(of seller: TenantID, before cursor: SaleID?, limit: Int) async throws -> [Sale] {
        try await database.readPlatform { tx in try SaleStore(tx: tx).page(of: seller, before: cursor, limit: limit) }
    }

    func agree(_ terms: SplitTerms, by principal: Principal) async throws {
        try await database.write(in: Tenancy.platformLog) { tx in
            try SaleStore(tx: tx.platform).set(terms)
            try tx.audit(principal, "split_terms.update", "split_terms:\(terms.key)", ["share": .string(String(terms.share.value))])
        }
    }
}
