internal import Kernel
internal import Persistence
internal import Tenancy

extension Till {
    /// Takes a coupon for what is charged from now on: each code once for a tenant, one at a time, and no more often than it may be redeemed.
    /// - Throws: `unknown_coupon`, `coupon_used`, `coupon_active`, `coupon_spent`, `other_currency`
    func redeem(_ text: String) throws {
        let code = try Coupon.checkedCode(text)
        let store = CouponStore(tx: tx.platform)
        guard let coupon = try store.coupon(code), !coupon.isWithdrawn, coupon.expiresAt.map({ now < $0 }) ?? true else {
            throw Refusal.invalid("code", "unknown_coupon", "There is no coupon of this code.")
        }
        let known = try RedemptionStore(tx: tx).all()
        guard !known.contains(where: { $0.code == code }) else {
            throw Refusal(.conflict, "coupon_used", "This coupon was redeemed here already.", field: "code")
        }
        guard !known.contains(where: { $0.isInForce(at: now, terms.calendar) }) else {
            throw Refusal(.conflict, "coupon_active", "Another coupon is in force; one at a time.", field: "code")
        }
        // Before there is a subscription it is held against what there can be: a coupon that is never used up would keep every other away.
        let currencies = subscription.map { Set([$0.currency]) } ?? terms.catalogue.currencies
        if case .amount(_, let currency) = coupon.reduction, !currencies.contains(currency) {
            throw Refusal.invalid("code", "other_currency", "This coupon is in \(currency).")
        }
        guard try store.take(code) else {
            throw Refusal(.conflict, "coupon_spent", "This coupon was redeemed as often as it may be.", field: "code")
        }
        try RedemptionStore(tx: tx).insert(
            Redemption(code: code, reduction: coupon.reduction, lasting: coupon.lasting, redeemedAt: now, firstUse: nil))
    }

    /// Takes a coupon in force off the charges of an invoice to be, and remembers with the subscription what was taken off.
    mutating func discount(_ charges: inout [Charge], _ currency: String) throws {
        let store = RedemptionStore(tx: tx)
        for redemption in try store.all() {
            var used = redemption
            used.apply(to: &charges, currency, terms.calendar)
            if used != redemption { try store.use(used) }
        }
        subscription?.note(charges)
    }
}

extension Billing {
    func coupons(after code: String, limit: Int) async throws -> [Coupon] {
        try await database.readPlatform { tx in try CouponStore(tx: tx).page(after: code, limit: limit) }
    }

    /// - Throws: `coupon_exists`
    func make(_ coupon: Coupon, by principal: Principal) async throws -> Coupon {
        try await database.write(in: Tenancy.platformLog) { tx in
            try CouponStore(tx: tx.platform).insert(coupon)
            try tx.audit(principal, "coupon.create", "coupon:\(coupon.code)")
        }
        return coupon
    }

    /// Nobody redeems it any more; who has keeps it.
    func withdrawCoupon(_ text: String, by principal: Principal) async throws {
        let code = try Coupon.checkedCode(text)
        try await database.write(in: Tenancy.platformLog) { tx in
            let store = CouponStore(tx: tx.platform)
            guard try store.coupon(code) != nil else { throw Refusal.missing("coupon") }
            try store.withdraw(code)
            try tx.audit(principal, "coupon.withdraw", "coupon:\(code)")
        }
    }

    func redemptions(of tenant: TenantID) async throws -> [Redemption] {
        try await database.read(in: tenant) { tx in try RedemptionStore(tx: tx).all() }
    }
}
