internal import Kernel
internal import Persistence
internal import Tenancy

/// A tenant that brings others, and on what terms.
struct Affiliate: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable, Codable { case affiliate, partner }

    var owner: TenantID
    var kind: Kind = .affiliate
    /// As in its link; in capital letters.
    var code: String
    /// Of what the referred pay, net of tax, discounts and credit that was given.
    var share: BasisPoints = .percent(20)
    /// For so many months from the referral on; for as long as they pay where it is 0.
    var months: Int64 = 0
    /// From a click to what counts as brought by it.
    var windowDays: Int64 = 30
    /// Once for a referral that qualifies: 0, or 100 to 1,000 units of the currency, in minor units.
    var bonus: Int64 = 0
    /// What the referred must have paid, as the commission counts it, to qualify.
    var bonusAfter: Int64 = 0
    var visits: Int64 = 0

    static let bonuses: ClosedRange<Int64> = 10_000...100_000
}

/// Who brought a tenant. Decided once.
struct Referral: Sendable, Hashable {
    var referred: TenantID
    var affiliate: TenantID
    var code: String
    /// The terms of that time.
    var share: BasisPoints
    var bonus: Int64
    var bonusAfter: Int64
    var referredAt: Timestamp
    var endsAt: Timestamp?
    /// What of the bonus is earned now.
    var bonusEarned: Int64 = 0
    var bonusMaturesAt: Timestamp

    /// Of the postings of bonuses, which are about the tenant that was brought.
    static let bonusKind = "referral_bonus"
    static func subject(of referred: TenantID) -> String { "tenant:\(referred)" }
    var subject: String { Self.subject(of: referred) }
}

/// What an affiliate has earned with an invoice so far.
struct Commission: Sendable, Hashable {
    var invoice: InvoiceID
    var affiliate: TenantID
    var referred: TenantID
    var currency: String
    /// What was collected, net of tax, discounts and credit that was given.
    var base: Int64
    var amount: Int64
    var maturesAt: Timestamp
    static let maturity: Duration = .seconds(30 * 86_400)
}

extension Till {
    /// Brings an affiliate's commission of an invoice, and the bonus of the referral, to what is paid now: never more than the platform's own part.
    /// - Parameter sellers: what sellers earn with the invoice.
    func settleCommission(of invoice: Invoice, sellers: Int64) throws {
        let store = ReferralStore(tx: tx.platform)
        guard let referral = try store.referral(of: tx.tenant.id), referral.endsAt.map({ invoice.issuedAt < $0 }) ?? true,
            invoice.issuedAt >= referral.referredAt
        else { return }
        let cash = invoice.paid - (try wallet.drawn(on: invoice.id))
        let base = invoice.total > 0 ? Fraction.halfUp(invoice.total - invoice.tax, cash, over: invoice.total) : 0
        let amount = Split.commission(base, referral.share, platform: base - sellers)
        let known = try store.commission(invoice.id)
        guard (known?.amount ?? 0) != amount || (known?.base ?? 0) != base else { return }
        let change = amount - (known?.amount ?? 0)
        let now = tx.clock.now()
        let matures = change > 0 ? now + Commission.maturity : known?.maturesAt ?? now
        try store.save(
            Commission(
                invoice: invoice.id, affiliate: referral.affiliate, referred: tx.tenant.id, currency: invoice.currency, base: base, amount: amount,
                maturesAt: matures))
        let account = Account(.affiliate, of: referral.affiliate, invoice.currency)
        if change != 0 { try move(change, to: account, "commission", "invoice:\(invoice.id)") }
        try settleBonus(of: referral, invoice.currency)
    }

    /// The bonus is of the currency in which enough was paid first, and stays in that one, whatever is paid in others.
    private func settleBonus(of referral: Referral, _ currency: String) throws {
        guard referral.bonus > 0 else { return }
        let store = ReferralStore(tx: tx.platform)
        var referral = referral
        var booked = try store.bonus(of: referral.referred)
        let own = booked.currency ?? currency
        let earned = try store.collected(from: referral.referred, own) >= referral.bonusAfter ? referral.bonus : 0
        let known = booked.amounts.removeValue(forKey: own) ?? 0
        if earned > known { referral.bonusMaturesAt = tx.clock.now() + Commission.maturity }
        if earned != referral.bonusEarned || earned > known {
            referral.bonusEarned = earned
            try store.update(referral)
        }
        // In other currencies there is none of it.
        var changes: [String: Int64] = booked.amounts.mapValues { -$0 }
        changes[own] = earned - known
        for (currency, change) in changes.sorted(by: { $0.key < $1.key }) where change != 0 {
            try move(change, to: Account(.affiliate, of: referral.affiliate, currency), Referral.bonusKind, referral.subject)
        }
    }
}

extension Billing {
    func affiliate(_ owner: TenantID) async throws -> Affiliate? {
        try await database.readPlatform { tx in try ReferralStore(tx: tx).affiliate(of: owner) }
    }

    /// Joins, or takes another code; terms stay as they are.
    /// - Throws: `bad_code`, `code_taken`
    func join(_ owner: TenantID, code: String, by principal: Principal) async throws -> Affiliate {
        let code = try Coupon.checkedCode(code)
        return try await database.write(in: owner) { tx in
            let store = ReferralStore(tx: tx.platform)
            if let other = try store.affiliate(code: code), other.owner != owner {
                throw Refusal(.conflict, "code_taken", "Somebody else has this code.", field: "code")
            }
            var affiliate = try store.affiliate(of: owner) ?? Affiliate(owner: owner, code: code)
            affiliate.code = code
            try store.save(affiliate)
            try tx.audit(principal, "affiliate.join", "tenant:\(owner)", ["code": .string(code)])
            return affiliate
        }
    }

    /// An operator's word on what an affiliate or partner gets with those it brings from now on.
    func setTerms(_ affiliate: Affiliate, by principal: Principal) async throws -> Affiliate {
        try await database.write(in: Tenancy.platformLog) { tx in
            let store = ReferralStore(tx: tx.platform)
            guard let known = try store.affiliate(of: affiliate.owner) else { throw Refusal.missing("affiliate") }
            var new = affiliate
            (new.code, new.visits) = (known.code, known.visits)
            try store.save(new)
            try tx.audit(principal, "affiliate.terms", "tenant:\(affiliate.owner)", ["share": .string(String(new.share.value))])
            return new
        }
    }

    /// - Returns: whether there is such a code.
    func visit(_ text: String) async throws -> Bool {
        guard let code = try? Coupon.checkedCode(text) else { return false }
        return try await database.writePlatform { tx in try ReferralStore(tx: tx).visit(code) }
    }

    /// Notes who brought a tenant: once, before it was ever invoiced, and not by itself.
    /// - Parameter clickedAt: when its person followed the link; nil where the code was typed.
    /// - Throws: `unknown_code`, `click_too_old`, `self_referral`, `already_referred`, `not_new`
    @discardableResult
    func refer(_ tenant: TenantID, code text: String, clickedAt: Timestamp?, by principal: Principal) async throws -> Referral {
        let code = try Coupon.checkedCode(text)
        guard let affiliate = try await database.readPlatform({ tx in try ReferralStore(tx: tx).affiliate(code: code) }) else {
            throw Refusal.invalid("code", "unknown_code", "Nobody has this code.")
        }
        if let clickedAt, clickedAt + .seconds(affiliate.windowDays * 86_400) < clock.now() || clickedAt > clock.now() + .seconds(300) {
            throw Refusal(.conflict, "click_too_old", "The link was followed too long ago.")
        }
        guard affiliate.owner != tenant, try await !shares(tenant, with: affiliate.owner) else {
            throw Refusal(.conflict, "self_referral", "Who has this code belongs to this tenant.")
        }
        return try await database.write(in: tenant) { tx in
            let store = ReferralStore(tx: tx.platform)
            guard try store.referral(of: tenant) == nil else { throw Refusal(.conflict, "already_referred", "Who brought this tenant is known.") }
            guard try InvoiceStore(tx: tx).page(before: nil, limit: 1).isEmpty else {
                throw Refusal(.conflict, "not_new", "Only who was never invoiced can be brought.")
            }
            let now = tx.clock.now()
            let ends = affiliate.months > 0 ? BillingCalendar(zone: "UTC").moment(months: affiliate.months, after: now) : nil
            let referral = Referral(
                referred: tenant, affiliate: affiliate.owner, code: code, share: affiliate.share, bonus: affiliate.bonus,
                bonusAfter: affiliate.bonusAfter, referredAt: now, endsAt: ends, bonusMaturesAt: now)
            try store.insert(referral)
            try tx.audit(principal, "referral.note", "tenant:\(affiliate.owner)", ["code": .string(code)])
            return referral
        }
    }

    /// Whether two tenants are the same people's: a member in common, or the same VAT number or address for invoices.
    private func shares(_ tenant: TenantID, with other: TenantID) async throws -> Bool {
        let own = Set(try await tenancy.members(of: tenant).map(\.user))
        if try await tenancy.members(of: other).contains(where: { own.contains($0.user) }) { return true }
        guard let mine = try await profile(of: tenant), let theirs = try await profile(of: other) else { return false }
        func same(_ left: String?, _ right: String?) -> Bool { left != nil && left?.lowercased() == right?.lowercased() }
        return same(mine.vatId, theirs.vatId) || same(mine.email, theirs.email)
    }

    func referrals(by owner: TenantID, before cursor: TenantID?, limit: Int) async throws -> [(Referral, earned: Int64)] {
        try await database.readPlatform { tx in
            let store = ReferralStore(tx: tx)
            return try store.page(of: owner, before: cursor, limit: limit).map { ($0, try store.earned(with: $0.referred)) }
        }
    }
}
