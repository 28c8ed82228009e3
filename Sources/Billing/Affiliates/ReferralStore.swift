internal import Kernel
internal import Persistence

enum ReferralTables {
    static let affiliates = Table(
        "affiliates", .platform, primaryKey: ["owner"],
        columns: [
            Column("owner", .uuid), Column("kind", .text), Column("code", .text), Column("share", .integer), Column("months", .integer),
            Column("window_days", .integer), Column("bonus", .integer), Column("bonus_after", .integer), Column("visits", .integer)
        ],
        indexes: [Index("affiliates_code", on: ["code"], unique: true)],
        checks: [
            .oneOf(column: "kind", values: Affiliate.Kind.allCases.map(\.rawValue)), .atLeast(column: "share", 0), .atMost(column: "share", 10_000),
            .atLeast(column: "window_days", 1), .atMost(column: "window_days", 365), .atLeast(column: "bonus", 0),
            .atMost(column: "bonus", Affiliate.bonuses.upperBound), .atLeast(column: "bonus_after", 0)
        ])

    static let referrals = Table(
        "referrals", .platform, primaryKey: ["referred"],
        columns: [
            Column("referred", .uuid), Column("affiliate", .uuid), Column("code", .text), Column("share", .integer), Column("bonus", .integer),
            Column("bonus_after", .integer), Column("referred_at", .timestamp), Column("ends_at", .timestamp, optional: true),
            Column("bonus_earned", .integer), Column("bonus_matures_at", .timestamp)
        ],
        indexes: [Index("referrals_affiliate", on: ["affiliate", "referred"])],
        checks: [.atLeast(column: "bonus_earned", 0), .notAbove(left: "bonus_earned", right: "bonus")])

    static let commissions = Table(
        "commissions", .platform, primaryKey: ["invoice_id"],
        columns: [
            Column("invoice_id", .uuid), Column("affiliate", .uuid), Column("referred", .uuid), Column("currency", .text), Column("base", .integer),
            Column("amount", .integer), Column("matures_at", .timestamp)
        ],
        indexes: [
            Index("commissions_affiliate", on: ["affiliate", "currency", "matures_at"]), Index("commissions_referred", on: ["referred"])
        ],
        checks: [.atLeast(column: "base", 0), .atLeast(column: "amount", 0), .notAbove(left: "amount", right: "base")])

    static let all = [affiliates, referrals, commissions]
}

struct ReferralStore {
    let tx: PlatformTransaction

    func affiliate(of owner: TenantID) throws -> Affiliate? {
        try tx.first(
            "SELECT owner, kind, code, share, months, window_days, bonus, bonus_after, visits FROM affiliates WHERE owner = \(owner)",
            Self.readAffiliate)
    }

    func affiliate(code: String) throws -> Affiliate? {
        try tx.first(
            "SELECT owner, kind, code, share, months, window_days, bonus, bonus_after, visits FROM affiliates WHERE code = \(code)",
            Self.readAffiliate)
    }

    func save(_ affiliate: Affiliate) throws {
        try tx.execute(
            """
            INSERT INTO affiliates (owner, kind, code, share, months, window_days, bonus, bonus_after, visits)
            VALUES (\(affiliate.owner), \(affiliate.kind), \(affiliate.code), \(affiliate.share.value), \(affiliate.months), \(affiliate.windowDays),
                \(affiliate.bonus), \(affiliate.bonusAfter), \(affiliate.visits))
            ON CONFLICT (owner) DO UPDATE SET kind = excluded.kind, code = excluded.code, share = excluded.share, months = excluded.months,
                window_days = excluded.window_days, bonus = excluded.bonus, bonus_after = excluded.bonus_after
            """)
    }

    func visit(_ code: String) throws -> Bool { try tx.execute("UPDATE affiliates SET visits = visits + 1 WHERE code = \(code)") == 1 }

    func referral(of tenant: TenantID) throws -> Referral? {
        try tx.first(
            """
            SELECT referred, affiliate, code, share, bonus, bonus_after, referred_at, ends_at, bonus_earned, bonus_matures_at FROM referrals
            WHERE referred = \(tenant)
            """, Self.read)
    }

    func insert(_ new: Referral) throws {
        try tx.execute(
            """
            INSERT INTO referrals (referred, affiliate, code, share, bonus, bonus_after, referred_at, ends_at, bonus_earned, bonus_matures_at)
            VALUES (\(new.referred), \(new.affiliate), \(new.code), \(new.share.value), \(new.bonus), \(new.bonusAfter), \(new.referredAt),
                \(new.endsAt), \(new.bonusEarned), \(new.bonusMaturesAt))
            """)
    }

    func update(_ referral: Referral) throws {
        try tx.execute(
            """
            UPDATE referrals SET bonus_earned = \(referral.bonusEarned), bonus_matures_at = \(referral.bonusMaturesAt)
            WHERE referred = \(referral.referred)
            """)
    }

    /// Newest tenants first.
    func page(of owner: TenantID, before cursor: TenantID?, limit: Int) throws -> [Referral] {
        let last = cursor ?? TenantID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT referred, affiliate, code, share, bonus, bonus_after, referred_at, ends_at, bonus_earned, bonus_matures_at FROM referrals
            WHERE affiliate = \(owner) AND referred < \(last) ORDER BY referred DESC LIMIT \(limit)
            """, Self.read)
    }

    func commission(_ invoice: InvoiceID) throws -> Commission? {
        try tx.first(
            "SELECT invoice_id, affiliate, referred, currency, base, amount, matures_at FROM commissions WHERE invoice_id = \(invoice)",
            Self.readCommission)
    }

    func save(_ commission: Commission) throws {
        try tx.execute(
            """
            INSERT INTO commissions (invoice_id, affiliate, referred, currency, base, amount, matures_at)
            VALUES (\(commission.invoice), \(commission.affiliate), \(commission.referred), \(commission.currency), \(commission.base),
                \(commission.amount), \(commission.maturesAt))
            ON CONFLICT (invoice_id) DO UPDATE SET base = excluded.base, amount = excluded.amount, matures_at = excluded.matures_at
            """)
    }

    func commissions(from referred: TenantID) throws -> [Commission] {
        try tx.all(
            """
            SELECT invoice_id, affiliate, referred, currency, base, amount, matures_at FROM commissions WHERE referred = \(referred)
            ORDER BY invoice_id
            """, Self.readCommission)
    }

    func collected(from referred: TenantID, _ currency: String) throws -> Int64 {
        try commissions(from: referred).reduce(0) { $1.currency == currency ? $0 + $1.base : $0 }
    }

    /// With a referral, its bonus too.
    func earned(with referred: TenantID) throws -> Int64 {
        try commissions(from: referred).reduce(try referral(of: referred)?.bonusEarned ?? 0) { $0 + $1.amount }
    }

    /// What an affiliate has earned that cannot be paid out yet.
    func maturing(of owner: TenantID, _ currency: String, at now: Timestamp) throws -> Int64 {
        let commissions: [Int64] = try tx.all(
            "SELECT amount FROM commissions WHERE affiliate = \(owner) AND currency = \(currency) AND matures_at > \(now)"
        ) { try $0.column(0) }
        let brought: [TenantID] = try tx.all(
            "SELECT referred FROM referrals WHERE affiliate = \(owner) AND bonus_earned > 0 AND bonus_matures_at > \(now)"
        ) { try $0.column(0) }
        let bonuses: [Int64] = try brought.map { try max(bonus(of: $0).amounts[currency] ?? 0, 0) }
        return (commissions + bonuses).reduce(0, +)
    }

    /// The currency in which the bonus for a tenant was earned first, nil where it never was, and what of it is booked in each.
    func bonus(of referred: TenantID) throws -> (currency: String?, amounts: [String: Int64]) {
        var (first, amounts): (String?, [String: Int64]) = (nil, [:])
        for posting in try LedgerStore(tx: tx).postings(Referral.bonusKind, about: Referral.subject(of: referred)) {
            for (account, change) in posting.changes where account.kind == .affiliate {
                first = first ?? account.currency
                amounts[account.currency, default: 0] -= change
            }
        }
        return (first, amounts)
    }

    private static func readAffiliate(_ row: Row) throws -> Affiliate {
        Affiliate(
            owner: try row.column(0), kind: try row.column(1), code: try row.column(2), share: try BasisPoints(try row.column(3)),
            months: try row.column(4), windowDays: try row.column(5), bonus: try row.column(6), bonusAfter: try row.column(7),
            visits: try row.column(8))
    }

    private static func read(_ row: Row) throws -> Referral {
        Referral(
            referred: try row.column(0), affiliate: try row.column(1), code: try row.column(2), share: try BasisPoints(try row.column(3)),
            bonus: try row.column(4), bonusAfter: try row.column(5), referredAt: try row.column(6), endsAt: try row.column(7),
            bonusEarned: try row.column(8), bonusMaturesAt: try row.column(9))
    }

    private static func readCommission(_ row: Row) throws -> Commission {
        Commission(
            invoice: try row.column(0), affiliate: try row.column(1), referred: try row.column(2), currency: try row.column(3),
            base: try row.column(4), amount: try row.column(5), maturesAt: try row.column(6))
    }
}

extension Affiliate.Kind: SQLBindable, SQLReadable {}
