internal import Kernel
internal import Persistence

enum SaleTables {
    static let sales = Table(
        "sales", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("key", .text), Column("buyer", .uuid), Column("seller", .uuid), Column("listing", .text),
            Column("kind", .text), Column("name", .text), Column("invoice_id", .uuid), Column("currency", .text), Column("amount", .integer),
            Column("share", .integer), Column("earned", .integer), Column("held", .integer), Column("matures_at", .timestamp),
            Column("sold_at", .timestamp)
        ],
        indexes: [
            Index("sales_key", on: ["buyer", "key"], unique: true), Index("sales_invoice", on: ["invoice_id"]),
            Index("sales_seller", on: ["seller", "id"])
        ],
        checks: [
            .atLeast(column: "amount", 1), .atLeast(column: "share", 0), .atMost(column: "share", 10_000), .atLeast(column: "earned", 0),
            .notAbove(left: "earned", right: "amount"), .atLeast(column: "held", 0)
        ])

    static let terms = Table(
        "split_terms", .platform, primaryKey: ["key"], columns: [Column("key", .text), Column("share", .integer)],
        checks: [.atLeast(column: "share", 0), .atMost(column: "share", 10_000)])

    static let all = [sales, terms]
}

struct SaleStore {
    let tx: PlatformTransaction

    func insert(_ new: Sale) throws {
        try tx.execute(
            """
            INSERT INTO sales (id, key, buyer, seller, listing, kind, name, invoice_id, currency, amount, share, earned, held, matures_at, sold_at)
            VALUES (\(new.id), \(new.key), \(new.buyer), \(new.seller), \(new.listing), \(new.kind), \(new.name), \(new.invoice), \(new.currency),
                \(new.amount), \(new.share.value), \(new.earned), \(new.held), \(new.maturesAt), \(new.soldAt))
            """)
    }

    func update(_ sale: Sale) throws {
        try tx.execute(
            "UPDATE sales SET earned = \(sale.earned), held = \(sale.held), matures_at = \(sale.maturesAt) WHERE id = \(sale.id)")
    }

    func sale(_ key: String, of buyer: TenantID) throws -> Sale? {
        try tx.first(
            """
            SELECT id, key, buyer, seller, listing, kind, name, invoice_id, currency, amount, share, earned, held, matures_at, sold_at FROM sales
            WHERE buyer = \(buyer) AND key = \(key)
            """, Self.read)
    }

    func sales(on invoice: InvoiceID) throws -> [Sale] {
        try tx.all(
            """
            SELECT id, key, buyer, seller, listing, kind, name, invoice_id, currency, amount, share, earned, held, matures_at, sold_at FROM sales
            WHERE invoice_id = \(invoice) ORDER BY id
            """, Self.read)
    }

    /// Newest first.
    func page(of seller: TenantID, before cursor: SaleID?, limit: Int) throws -> [Sale] {
        let last = cursor ?? SaleID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, key, buyer, seller, listing, kind, name, invoice_id, currency, amount, share, earned, held, matures_at, sold_at FROM sales
            WHERE seller = \(seller) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// What a seller has earned that cannot be paid out yet, beside what is held.
    func maturing(of seller: TenantID, _ currency: String, at now: Timestamp) throws -> Int64 {
        try tx.all(
            "SELECT earned, held FROM sales WHERE seller = \(seller) AND currency = \(currency) AND matures_at > \(now)"
        ) { row -> Int64 in max(try row.column(0, as: Int64.self) - (try row.column(1, as: Int64.self)), 0) }.reduce(0, +)
    }

    func set(_ terms: SplitTerms) throws {
        try tx.execute(
            """
            INSERT INTO split_terms (key, share) VALUES (\(terms.key), \(terms.share.value)) ON CONFLICT (key) DO UPDATE SET share = excluded.share
            """)
    }

    /// The seller's part of what is sold on an order.
    func share(of order: SaleOrder) throws -> BasisPoints {
        for key in SplitTerms.keys(of: order) {
            if let share: Int = try tx.first("SELECT share FROM split_terms WHERE key = \(key)", { try $0.column(0) }) {
                return try BasisPoints(share)
            }
        }
        return order.kind.creatorShare
    }

    private static func read(_ row: Row) throws -> Sale {
        Sale(
            id: try row.column(0), key: try row.column(1), buyer: try row.column(2), seller: try row.column(3), listing: try row.column(4),
            kind: try row.column(5), name: try row.column(6), invoice: try row.column(7), currency: try row.column(8), amount: try row.column(9),
            share: try BasisPoints(try row.column(10)), earned: try row.column(11), held: try row.column(12), maturesAt: try row.column(13),
            soldAt: try row.column(14))
    }
}

extension SaleKind: SQLBindable, SQLReadable {}
