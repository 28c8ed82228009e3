internal import Kernel
internal import Persistence

enum AddonTables {
    static let addons = Table(
        "addons", .platform, primaryKey: ["code"],
        columns: [
            Column("code", .text), Column("name", .text), Column("monthly", .integer), Column("currency", .text), Column("raises", .text),
            Column("units", .integer), Column("quantity_maximum", .integer), Column("is_withdrawn", .boolean)
        ],
        checks: [
            .oneOf(column: "raises", values: Addon.Limit.allCases.map(\.rawValue)), .atLeast(column: "monthly", 0), .atLeast(column: "units", 0),
            .atLeast(column: "quantity_maximum", 1)
        ])

    static let items = Table(
        "subscription_addons", .tenant, primaryKey: ["code"],
        columns: [
            Column("code", .text), Column("quantity", .integer), Column("pending", .integer, optional: true), Column("creditable", .integer),
            Column("discounted", .integer)
        ],
        checks: [
            .atLeast(column: "quantity", 1), .atLeast(column: "pending", 0), .atLeast(column: "creditable", 0), .atLeast(column: "discounted", 0),
            .notAbove(left: "discounted", right: "creditable")
        ])

    static let all = [addons, items]
}

struct AddonStore {
    let tx: PlatformTransaction

    static let addonsMaximum = 200

    /// By code, also what is withdrawn: who has it keeps it.
    func all() throws -> [Addon] {
        try tx.all("SELECT code, name, monthly, currency, raises, units, quantity_maximum, is_withdrawn FROM addons ORDER BY code") { row in
            Addon(
                code: try row.column(0), name: try row.column(1), monthly: try row.column(2), currency: try row.column(3), limit: try row.column(4),
                units: try row.column(5), quantityMaximum: try row.column(6), isWithdrawn: try row.column(7))
        }
    }

    /// - Throws: `addon_exists`, `limit_reached`
    func insert(_ new: Addon) throws {
        let known = try all()
        guard !known.contains(where: { $0.code == new.code }) else {
            throw Refusal(.conflict, "addon_exists", "There is an add-on of this code.", field: "code")
        }
        guard known.count < Self.addonsMaximum else {
            throw Refusal(.limitReached, "limit_reached", "There are \(Self.addonsMaximum) add-ons already.")
        }
        try tx.execute(
            """
            INSERT INTO addons (code, name, monthly, currency, raises, units, quantity_maximum, is_withdrawn)
            VALUES (\(new.code), \(new.name), \(new.monthly), \(new.currency), \(new.limit), \(new.units), \(new.quantityMaximum), \(false))
            """)
    }

    /// - Returns: whether it is there.
    func withdraw(_ code: String) throws -> Bool { try tx.execute("UPDATE addons SET is_withdrawn = \(true) WHERE code = \(code)") == 1 }
}

struct AddonItemStore {
    let tx: TenantTransaction

    func all() throws -> [AddonItem] {
        try tx.all(
            "SELECT code, quantity, pending, creditable, discounted FROM subscription_addons WHERE tenant_id = \(tx.tenant) ORDER BY code"
        ) { row in
            AddonItem(
                code: try row.column(0), quantity: try row.column(1), pending: try row.column(2), creditable: try row.column(3),
                discounted: try row.column(4))
        }
    }

    /// Those a subscription has, in place of those it had.
    func save(_ items: [AddonItem]) throws {
        try tx.execute("DELETE FROM subscription_addons WHERE tenant_id = \(tx.tenant)")
        for item in items {
            try tx.execute(
                """
                INSERT INTO subscription_addons (tenant_id, code, quantity, pending, creditable, discounted)
                VALUES (\(tx.tenant), \(item.code), \(item.quantity), \(item.pending), \(item.creditable), \(item.discounted))
                """)
        }
    }
}

extension Addon.Limit: SQLBindable, SQLReadable {}
