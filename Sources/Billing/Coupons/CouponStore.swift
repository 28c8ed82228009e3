internal import Kernel
internal import Persistence

enum CouponTables {
    static let coupons = Table(
        "coupons", .platform, primaryKey: ["code"],
        columns: [
            Column("code", .text), Column("name", .text), Column("share", .integer, optional: true), Column("amount", .integer, optional: true),
            Column("currency", .text, optional: true), Column("lasting", .text), Column("months", .integer), Column("redemptions_maximum", .integer),
            Column("redeemed", .integer), Column("expires_at", .timestamp, optional: true), Column("is_withdrawn", .boolean),
            Column("created_at", .timestamp)
        ],
        checks: [
            .oneOf(column: "lasting", values: ["once", "months", "forever"]), .atLeast(column: "share", 1), .atMost(column: "share", 10_000),
            .atLeast(column: "amount", 1), .notAbove(left: "redeemed", right: "redemptions_maximum")
        ])

    /// What a tenant has redeemed, each code once.
    static let redemptions = Table(
        "coupon_redemptions", .tenant, primaryKey: ["code"],
        columns: [
            Column("code", .text), Column("share", .integer, optional: true), Column("amount", .integer, optional: true),
            Column("currency", .text, optional: true), Column("lasting", .text), Column("months", .integer), Column("redeemed_at", .timestamp),
            Column("first_use", .timestamp, optional: true)
        ],
        checks: [
            .oneOf(column: "lasting", values: ["once", "months", "forever"]), .atLeast(column: "share", 1), .atMost(column: "share", 10_000),
            .atLeast(column: "amount", 1)
        ])

    static let all = [coupons, redemptions]
}

struct CouponStore {
    let tx: PlatformTransaction

    /// - Throws: `coupon_exists`
    func insert(_ new: Coupon) throws {
        let (share, amount, currency) = new.reduction.columns
        let (lasting, months) = new.lasting.columns
        let count = try tx.execute(
            """
            INSERT INTO coupons (code, name, share, amount, currency, lasting, months, redemptions_maximum, redeemed, expires_at, is_withdrawn,
                created_at)
            VALUES (\(new.code), \(new.name), \(share), \(amount), \(currency), \(lasting), \(months), \(new.redemptionsMaximum), 0,
                \(new.expiresAt), \(false), \(tx.clock.now())) ON CONFLICT (code) DO NOTHING
            """)
        guard count == 1 else { throw Refusal(.conflict, "coupon_exists", "There is a coupon of this code.", field: "code") }
    }

    func coupon(_ code: String) throws -> Coupon? {
        try tx.first(
            """
            SELECT code, name, share, amount, currency, lasting, months, redemptions_maximum, redeemed, expires_at, is_withdrawn FROM coupons
            WHERE code = \(code)
            """, Self.read)
    }

    /// By code.
    func page(after code: String, limit: Int) throws -> [Coupon] {
        try tx.all(
            """
            SELECT code, name, share, amount, currency, lasting, months, redemptions_maximum, redeemed, expires_at, is_withdrawn FROM coupons
            WHERE code > \(code) ORDER BY code LIMIT \(limit)
            """, Self.read)
    }

    func withdraw(_ code: String) throws { try tx.execute("UPDATE coupons SET is_withdrawn = \(true) WHERE code = \(code)") }

    /// Takes one of the redemptions that are left.
    /// - Returns: whether there was one.
    func take(_ code: String) throws -> Bool {
        try tx.execute("UPDATE coupons SET redeemed = redeemed + 1 WHERE code = \(code) AND redeemed < redemptions_maximum") == 1
    }

    private static func read(_ row: Row) throws -> Coupon {
        Coupon(
            code: try row.column(0), name: try row.column(1), reduction: try Coupon.Reduction(row, from: 2),
            lasting: try Coupon.Lasting(row, from: 5), redemptionsMaximum: try row.column(7), redeemed: try row.column(8),
            expiresAt: try row.column(9), isWithdrawn: try row.column(10))
    }
}

struct RedemptionStore {
    let tx: TenantTransaction

    /// Oldest first.
    func all() throws -> [Redemption] {
        try tx.all(
            """
            SELECT code, share, amount, currency, lasting, months, redeemed_at, first_use FROM coupon_redemptions WHERE tenant_id = \(tx.tenant)
            ORDER BY redeemed_at, code
            """
        ) { row in
            Redemption(
                code: try row.column(0), reduction: try Coupon.Reduction(row, from: 1), lasting: try Coupon.Lasting(row, from: 4),
                redeemedAt: try row.column(6), firstUse: try row.column(7))
        }
    }

    func insert(_ new: Redemption) throws {
        let (share, amount, currency) = new.reduction.columns
        let (lasting, months) = new.lasting.columns
        try tx.execute(
            """
            INSERT INTO coupon_redemptions (tenant_id, code, share, amount, currency, lasting, months, redeemed_at, first_use)
            VALUES (\(tx.tenant), \(new.code), \(share), \(amount), \(currency), \(lasting), \(months), \(new.redeemedAt), \(new.firstUse))
            """)
    }

    func use(_ redemption: Redemption) throws {
        try tx.execute(
            """
            UPDATE coupon_redemptions SET first_use = \(redemption.firstUse) WHERE tenant_id = \(tx.tenant) AND code = \(redemption.code)
            """)
    }
}

extension Coupon.Reduction {
    fileprivate var columns: (Int64?, Int64?, String?) {
        switch self {
        case .share(let share): (Int64(share.value), nil, nil)
        case .amount(let amount, let currency): (nil, amount, currency)
        }
    }

    fileprivate init(_ row: Row, from place: Int) throws {
        if let share: Int64 = try row.column(place) {
            self = .share(try BasisPoints(Int(share)))
        } else {
            self = .amount(try row.column(place + 1), try row.column(place + 2))
        }
    }
}

extension Coupon.Lasting {
    fileprivate var columns: (String, Int64) {
        switch self {
        case .once: ("once", 0)
        case .months(let months): ("months", months)
        case .forever: ("forever", 0)
        }
    }

    fileprivate init(_ row: Row, from place: Int) throws {
        self =
            switch try row.column(place, as: String.self) {
            case "once": .once
            case "months": .months(try row.column(place + 1))
            default: .forever
            }
    }
}
