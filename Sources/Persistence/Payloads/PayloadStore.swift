internal import Crypto
package import Kernel

/// SHA-256 of a payload's bytes; its name within a tenant.
package struct PayloadHash: Sendable, Hashable, SQLBindable, SQLReadable {
    package let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
    package init(of content: [UInt8]) { bytes = Array(SHA256.hash(data: content)) }
    package init(sqlValue: SQLValue) throws { bytes = try [UInt8](sqlValue: sqlValue) }
    package var sqlValue: SQLValue { .blob(bytes) }

    package var hex: String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { out in
            for (index, byte) in bytes.enumerated() {
                out[index * 2] = Self.digits[Int(byte >> 4)]
                out[index * 2 + 1] = Self.digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }
    private static let digits = Array("0123456789abcdef".utf8)
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

    /// Stores what fits the table, and counts it among what the tenant stores where it is new. A larger payload is prepared outside the
    /// transaction with `BlobStore.keep`.
    /// - Parameter user: what it is stored for; once its last user is gone the payload goes too.
    package func store(_ payload: PreparedPayload, for user: PayloadUser) throws {
        try StorageUse(tx: tx).add(payload)
        try tx.presume(
            """
            INSERT INTO payloads (tenant_id, hash, byte_count, encoding, content, stored_at)
            VALUES (\(tx.tenant), \(payload.hash), \(payload.byteCount), \(payload.encoding), \(payload.content), \(tx.clock.now()))
            ON CONFLICT (tenant_id, hash) DO NOTHING
            """)
        try tx.presume(
            """
            INSERT INTO payload_uses (tenant_id, hash, user_id) VALUES (\(tx.tenant), \(payload.hash), \(user.id))
            ON CONFLICT (tenant_id, hash, user_id) DO NOTHING
            """)
    }

    /// Lets another user have what is stored already.
    /// - Returns: how many bytes it is; nil where this tenant has no such payload.
    package func share(_ hash: PayloadHash, with user: PayloadUser) throws -> Int? {
        let byteCount: Int? = try tx.first("SELECT byte_count FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(hash)") { try $0.column(0) }
        guard let byteCount else { return nil }
        try tx.execute(
            """
            INSERT INTO payload_uses (tenant_id, hash, user_id) VALUES (\(tx.tenant), \(hash), \(user.id))
            ON CONFLICT (tenant_id, hash, user_id) DO NOTHING
            """)
        return byteCount
    }

    /// The same for several; those that this tenant does not have are passed over.
    package func share(_ hashes: [PayloadHash], with user: PayloadUser) throws {
        guard !hashes.isEmpty else { return }
        try tx.presume(
            """
            INSERT INTO payload_uses (tenant_id, hash, user_id)
            SELECT \(tx.tenant), hash, \(user.id) FROM payloads WHERE tenant_id = \(tx.tenant) AND hash IN \(list: hashes)
            ON CONFLICT (tenant_id, hash, user_id) DO NOTHING
            """)
    }

    /// All that is stored for a user. Every use of the tenant is looked at, so this is for users that seldom go, and no work for the writer.
    package func uses(of user: PayloadUser) throws -> Set<PayloadHash> {
        let hashes = try tx.all("SELECT hash FROM payload_uses WHERE tenant_id = \(tx.tenant) AND user_id = \(user.id)") {
            try $0.column(0, as: PayloadHash.self)
        }
        return Set(hashes)
    }

    /// Those of some that are stored for a user.
    package func uses(among hashes: [PayloadHash], of user: PayloadUser) throws -> [PayloadHash] {
        guard !hashes.isEmpty else { return [] }
        return try tx.all(
            "SELECT hash FROM payload_uses WHERE tenant_id = \(tx.tenant) AND hash IN \(list: hashes) AND user_id = \(user.id)"
        ) { try $0.column(0, as: PayloadHash.self) }
    }

    /// Ends a user's uses and removes the payloads that nobody else uses, giving back what they took. Their blobs go with the next sweep.
    /// - Parameter hashes: of all that it was stored for; an index to find them by would be one more page to write for each run.
    /// - Returns: how many bytes were given back.
    @discardableResult
    package func release(_ hashes: Set<PayloadHash>, of user: PayloadUser) throws -> Int {
        var freed = 0
        for hash in hashes {
            try tx.execute("DELETE FROM payload_uses WHERE tenant_id = \(tx.tenant) AND hash = \(hash) AND user_id = \(user.id)")
            guard try tx.first("SELECT 1 FROM payload_uses WHERE tenant_id = \(tx.tenant) AND hash = \(hash) LIMIT 1") == nil else { continue }
            freed += try tx.first("SELECT byte_count FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(hash)") { try $0.column(0) } ?? 0
            try tx.execute("DELETE FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(hash)")
        }
        if freed > 0 { try StorageUse(tx: tx).remove(freed) }
        return freed
    }

    /// Where a payload lies.
    package enum Place: Sendable {
        /// In the table.
        case here([UInt8])
        /// In the blob store: `BlobStore.pieces` reads it.
        case blob(byteCount: Int)
    }

    /// - Returns: nil where this tenant has no such payload.
    package func find(_ hash: PayloadHash) throws -> Place? {
        let row = try tx.first("SELECT encoding, byte_count FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(hash)")
        guard let row else { return nil }
        if try row.column(0, as: String.self) == "blob" { return .blob(byteCount: try row.column(1)) }
        return try load(hash, blobs: nil).map { .here($0) }
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

    /// Takes bytes as they come, and writes those that do not fit the table to the blob store on the way.
    /// - Throws: `too_large` for more than `limit` bytes; what the pieces throw.
    package init(_ pieces: BytePieces, upTo limit: Int = Limits.fileBytes, tenant: TenantID, blobs: any BlobStore) async throws {
        let intake = Intake(pieces, limit: limit)
        let head = try await intake.head(PayloadStore.inlineMaximum)
        guard head.count > PayloadStore.inlineMaximum else {
            self.init(head)
            return
        }
        let (hash, byteCount) = try await blobs.keep(BytePieces { try await intake.next() }, tenant: tenant)
        self.init(hash: hash, byteCount: byteCount)
    }

    /// Bytes of which the first are looked at before all are taken. Used by one task at a time.
    private final class Intake: @unchecked Sendable {
        private var source: BytePieces.AsyncIterator
        private let limit: Int
        private var count = 0
        private var waiting: [UInt8]?

        init(_ pieces: BytePieces, limit: Int) {
            source = pieces.makeAsyncIterator()
            self.limit = limit
        }

        /// All there is, where that is no more than `maximum`; else what came so far, which is given out again.
        func head(_ maximum: Int) async throws -> [UInt8] {
            var head: [UInt8] = []
            while head.count <= maximum, let piece = try await next() { head += piece }
            waiting = head
            return head
        }

        func next() async throws -> [UInt8]? {
            if let waiting {
                self.waiting = nil
                return waiting
            }
            guard let piece = try await source.next() else { return nil }
            count += piece.count
            guard count <= limit else { throw Refusal(.tooLarge, "too_large", "The file is larger than \(limit) bytes.") }
            return piece
        }
    }

    /// One whose bytes lie in the blob store.
    private init(hash: PayloadHash, byteCount: Int) {
        self.hash = hash
        self.byteCount = byteCount
        encoding = "blob"
        content = []
    }
}
