internal import Kernel
internal import Persistence

enum LicenceTag {}
typealias LicenceID = ID<LicenceTag>

/// A licence that a tenant has bought.
struct Licence: Sendable, Hashable {
    var id: LicenceID
    var product: String
    var seats: Int64
    var startsAt: Timestamp
    var expiresAt: Timestamp
    var graceDays: Int64
    var currency: String
    var price: Int64
    var invoice: InvoiceID
    /// The one that it goes on from.
    var renews: LicenceID?
    var file: String

    static let prices: ClosedRange<Int64> = 500_000...5_000_000
    static let daysMaximum: Int64 = 3_660
}

enum LicenceTables {
    static let keys = Table(
        "licence_keys", .platform, primaryKey: ["id"],
        columns: [Column("id", .uuid), Column("public_key", .blob), Column("sealed", .blob), Column("made_at", .timestamp)], isAppendOnly: true)

    static let licences = Table(
        "licences", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("product", .text), Column("seats", .integer), Column("starts_at", .timestamp),
            Column("expires_at", .timestamp), Column("grace_days", .integer), Column("currency", .text), Column("price", .integer),
            Column("invoice_id", .uuid), Column("renews", .uuid, optional: true), Column("file", .text)
        ],
        indexes: [Index("licences_renews", on: ["tenant_id", "renews"], unique: true, where: .isNotNull("renews"))],
        checks: [.atLeast(column: "seats", 1), .atLeast(column: "price", Licence.prices.lowerBound)])

    static let all = [keys, licences]
}

struct LicenceKeyStore {
    let tx: PlatformTransaction

    /// The one that signs.
    func key() throws -> (publicKey: [UInt8], sealed: [UInt8])? {
        try tx.first("SELECT public_key, sealed FROM licence_keys ORDER BY id LIMIT 1") { (try $0.column(0), try $0.column(1)) }
    }

    func insert(_ publicKey: [UInt8], sealed: [UInt8]) throws {
        let id: ID<LicenceKeyStore> = tx.ids.next()
        try tx.execute(
            "INSERT INTO licence_keys (id, public_key, sealed, made_at) VALUES (\(id), \(publicKey), \(sealed), \(tx.clock.now()))")
    }
}

struct LicenceStore {
    let tx: TenantTransaction

    func insert(_ new: Licence) throws {
        try tx.execute(
            """
            INSERT INTO licences (tenant_id, id, product, seats, starts_at, expires_at, grace_days, currency, price, invoice_id, renews, file)
            VALUES (\(tx.tenant), \(new.id), \(new.product), \(new.seats), \(new.startsAt), \(new.expiresAt), \(new.graceDays), \(new.currency),
                \(new.price), \(new.invoice), \(new.renews), \(new.file))
            """)
    }

    func licence(_ id: LicenceID) throws -> Licence? {
        try tx.first(
            """
            SELECT id, product, seats, starts_at, expires_at, grace_days, currency, price, invoice_id, renews, file FROM licences
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    /// Whether another one goes on from it.
    func isRenewed(_ id: LicenceID) throws -> Bool {
        try tx.first("SELECT id FROM licences WHERE tenant_id = \(tx.tenant) AND renews = \(id)") != nil
    }

    /// Newest first.
    func page(before cursor: LicenceID?, limit: Int) throws -> [Licence] {
        let last = cursor ?? LicenceID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, product, seats, starts_at, expires_at, grace_days, currency, price, invoice_id, renews, file FROM licences
            WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    private static func read(_ row: Row) throws -> Licence {
        Licence(
            id: try row.column(0), product: try row.column(1), seats: try row.column(2), startsAt: try row.column(3), expiresAt: try row.column(4),
            graceDays: try row.column(5), currency: try row.column(6), price: try row.column(7), invoice: try row.column(8),
            renews: try row.column(9), file: try row.column(10))
    }
}
