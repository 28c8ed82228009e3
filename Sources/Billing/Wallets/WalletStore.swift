internal import Kernel
internal import Persistence

enum WalletGrantTag {}
typealias WalletGrantID = ID<WalletGrantTag>

/// Credit that was given and not paid for. What a wallet holds beyond its grants was paid for and does not expire.
struct WalletGrant: Sendable, Hashable {
    var id: WalletGrantID
    var currency: String
    var amount: Int64
    /// What of it was not drawn yet.
    var left: Int64
    var reason: String
    /// What is left then is gone.
    var expiresAt: Timestamp?
    var grantedAt: Timestamp

    /// The order in which grants are drawn: what expires first, then the oldest. All of them before what was paid for.
    static func isDrawnBefore(_ left: WalletGrant, _ right: WalletGrant) -> Bool {
        (left.expiresAt?.microseconds ?? .max, left.id) < (right.expiresAt?.microseconds ?? .max, right.id)
    }
}

enum WalletTables {
    static let grants = Table(
        "wallet_grants", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("currency", .text), Column("amount", .integer), Column("unspent", .integer), Column("reason", .text),
            Column("expires_at", .timestamp, optional: true), Column("granted_at", .timestamp)
        ], checks: [.atLeast(column: "amount", 1), .atLeast(column: "unspent", 0), .notAbove(left: "unspent", right: "amount")])

    /// What invoices have drawn from grants.
    static let draws = Table(
        "wallet_draws", .tenant, primaryKey: ["invoice_id", "grant_id"],
        columns: [Column("invoice_id", .uuid), Column("grant_id", .uuid), Column("amount", .integer)], checks: [.atLeast(column: "amount", 0)])

    static let all = [grants, draws]
}

struct WalletStore {
    let tx: TenantTransaction

    func insert(_ new: WalletGrant) throws {
        try tx.execute(
            """
            INSERT INTO wallet_grants (tenant_id, id, currency, amount, unspent, reason, expires_at, granted_at)
            VALUES (\(tx.tenant), \(new.id), \(new.currency), \(new.amount), \(new.left), \(new.reason), \(new.expiresAt), \(new.grantedAt))
            """)
    }

    func set(left: Int64, of id: WalletGrantID) throws {
        try tx.execute("UPDATE wallet_grants SET unspent = \(left) WHERE tenant_id = \(tx.tenant) AND id = \(id)")
    }

    /// Those with something left, in the order in which they are drawn.
    func usable() throws -> [WalletGrant] {
        try tx.all(
            """
            SELECT id, currency, amount, unspent, reason, expires_at, granted_at FROM wallet_grants
            WHERE tenant_id = \(tx.tenant) AND unspent > 0 ORDER BY id
            """, Self.read
        ).sorted(by: WalletGrant.isDrawnBefore)
    }

    func grant(_ id: WalletGrantID) throws -> WalletGrant? {
        try tx.first(
            """
            SELECT id, currency, amount, unspent, reason, expires_at, granted_at FROM wallet_grants
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    /// Newest first.
    func page(before cursor: WalletGrantID?, limit: Int) throws -> [WalletGrant] {
        let last = cursor ?? WalletGrantID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, currency, amount, unspent, reason, expires_at, granted_at FROM wallet_grants
            WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    func put(_ amount: Int64, of grant: WalletGrantID, on invoice: InvoiceID) throws {
        try tx.execute(
            """
            INSERT INTO wallet_draws (tenant_id, invoice_id, grant_id, amount) VALUES (\(tx.tenant), \(invoice), \(grant), \(amount))
            ON CONFLICT (tenant_id, invoice_id, grant_id) DO UPDATE SET amount = excluded.amount
            """)
    }

    /// What of an invoice was paid from grants; the grant made last first.
    func draws(on invoice: InvoiceID) throws -> [(grant: WalletGrantID, amount: Int64)] {
        try tx.all(
            """
            SELECT grant_id, amount FROM wallet_draws WHERE tenant_id = \(tx.tenant) AND invoice_id = \(invoice) AND amount > 0
            ORDER BY grant_id DESC
            """
        ) { (try $0.column(0), try $0.column(1)) }
    }

    func drawn(on invoice: InvoiceID) throws -> Int64 { try draws(on: invoice).reduce(0) { $0 + $1.amount } }

    private static func read(_ row: Row) throws -> WalletGrant {
        WalletGrant(
            id: try row.column(0), currency: try row.column(1), amount: try row.column(2), left: try row.column(3), reason: try row.column(4),
            expiresAt: try row.column(5), grantedAt: try row.column(6))
    }
}
