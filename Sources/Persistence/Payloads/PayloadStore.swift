internal import Crypto
package import Kernel

/// SHA-256 of a payload's bytes; its name within a tenant.
package struct PayloadHash: Sendable, Hashable, SQLBindable, SQLReadable {
    package let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
    package init(of content: [UInt8]) { bytes = Array(SHA256.hash(data: content)) }
    package init(sqlValue: SQLValue) throws { bytes = try [UInt8](sqlValue: sqlValue) }
    package var sqlValue: SQLValue { .blob(bytes) }

    package var hex: String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// Bytes stored once by hash within a tenant, never shared between tenants. Up to `inlineMaximum` lie in the table, compressed where that
/// helps; larger ones in the blob store, synced before their row is written.
package struct PayloadStore {
    private let tx: TenantTransaction

    package init(tx: TenantTransaction) { self.tx = tx }

    /// Above this many bytes a payload goes to the blob store.
    package static let inlineMaximum = 32 << 10
    /// Below this many bytes compressing costs more than it saves.
    static let compressMinimum = 512

    static let table = Table(
        "payloads", .tenant, primaryKey: ["hash"],
        columns: [
            Column("hash", .blob), Column("byte_count", .integer), Column("encoding", .text), Column("content", .blob),
            Column("stored_at", .timestamp)
        ],
        checks: [.oneOf(column: "encoding", values: ["raw", "zstd", "blob"]), .atLeast(column: "byte_count", 0)])

    /// Stores what fits the table. A larger payload is prepared outside the transaction with `BlobStore.keep`.
    /// - Returns: whether it was new.
    @discardableResult
    package func store(_ payload: PreparedPayload) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO payloads (tenant_id, hash, byte_count, encoding, content, stored_at)
            VALUES (\(tx.tenant), \(payload.hash), \(payload.byteCount), \(payload.encoding), \(payload.content), \(tx.clock.now()))
            ON CONFLICT (tenant_id, hash) DO NOTHING
            """) == 1
    }

    /// - Returns: nil where this tenant has no such payload.
    /// - Throws: `PersistenceError.driver` where its bytes are damaged or gone.
    package func load(_ hash: PayloadHash, blobs: (any BlobStore)?) throws -> [UInt8]? {
        let row = try tx.first("SELECT encoding, byte_count, content FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(hash)")
        guard let row else { return nil }
        let content: [UInt8] = try row.column(2)
        switch try row.column(0, as: String.self) {
        case "raw": return content
        case "zstd": return try Zstandard.decompress(content, count: try row.column(1))
        default:
            guard let content = try blobs?.load(hash, tenant: tx.tenant.id) else {
                throw PersistenceError.driver(code: "BLOB", message: "the bytes of the payload \(hash.hex) are not in the blob store")
            }
            return content
        }
    }
}

/// A payload hashed and compressed before the transaction, so that the writer does neither.
package struct PreparedPayload: Sendable, Hashable {
    package let hash: PayloadHash
    package let byteCount: Int
    let encoding: String
    let content: [UInt8]

    /// For payloads that fit the table.
    package init(_ bytes: [UInt8]) {
        hash = PayloadHash(of: bytes)
        byteCount = bytes.count
        if bytes.count >= PayloadStore.compressMinimum, let packed = Zstandard.compress(bytes) {
            encoding = "zstd"
            content = packed
        } else {
            encoding = "raw"
            content = bytes
        }
    }

    /// Writes a large payload to the blob store first.
    package init(_ bytes: [UInt8], tenant: TenantID, blobs: any BlobStore) async throws {
        guard bytes.count > PayloadStore.inlineMaximum else {
            self.init(bytes)
            return
        }
        self.init(hash: PayloadHash(of: bytes), byteCount: bytes.count)
        try await blobs.keep(bytes, hash, tenant: tenant)
    }

    /// One whose bytes lie in the blob store.
    private init(hash: PayloadHash, byteCount: Int) {
        self.hash = hash
        self.byteCount = byteCount
        encoding = "blob"
        content = []
    }
}
