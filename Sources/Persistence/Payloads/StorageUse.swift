internal import Crypto
package import Kernel

/// What a payload is stored for: a run, a workflow or a part of it, a row of a data table, a file of the disk, a logo, or whatever may name it for
/// ever.
package struct PayloadUser: Sendable, Hashable {
    let id: ID<PayloadUser>

    /// - Parameter thing: whatever it is for; ids are unique among all things.
    package init<Thing>(_ thing: ID<Thing>) { id = ID(high: thing.high, low: thing.low) }

    /// A part of a thing that has no id of its own, such as a row of a table: known by the first half of a digest.
    package init<Thing>(_ part: String, of thing: ID<Thing>) {
        let digest = Array(SHA256.hash(data: thing.bytes + Array(part.utf8)))
        guard let id = ID<PayloadUser>(bytes: Array(digest.prefix(16))) else { preconditionFailure("a digest has 32 bytes") }
        self.id = id
    }

    private init() { id = ID(high: 0, low: 0) }

    /// Files that stay: what names them is not counted. All attachments of items were stored for it before runs held theirs.
    package static let files = PayloadUser()

    static let table = Table(
        "payload_uses", .tenant, primaryKey: ["hash", "user_id"], columns: [Column("hash", .blob), Column("user_id", .uuid)])
}

/// How many bytes a tenant stores, before compression: those of payloads counted in the transaction that stores or removes them, those that runs
/// hold in their own texts once the figures of their hour are.
package struct StorageUse {
    let tx: TenantTransaction

    static let table = Table(
        "storage_use", .tenant, primaryKey: ["kind"],
        columns: [Column("kind", .text), Column("bytes", .integer), Column("allowed", .integer, optional: true)],
        checks: [.atLeast(column: "bytes", 0)])

    private static let payloads = "payloads"

    package init(tx: TenantTransaction) { self.tx = tx }

    package func bytes() throws -> Int {
        try tx.first("SELECT bytes FROM storage_use WHERE tenant_id = \(tx.tenant) AND kind = \(Self.payloads)") { try $0.column(0) } ?? 0
    }

    /// Sets how many bytes the tenant may store; nil is any number.
    package func allow(_ allowed: Int?) throws {
        askAnew()
        try tx.execute(
            """
            INSERT INTO storage_use (tenant_id, kind, bytes, allowed) VALUES (\(tx.tenant), \(Self.payloads), 0, \(allowed))
            ON CONFLICT (tenant_id, kind) DO UPDATE SET allowed = excluded.allowed
            """)
    }

    /// - Returns: whether no more is stored than is allowed. Asked by a statement that finds no row, since that need not be waited for.
    package func isAllowed() throws -> Bool {
        guard let share = tx.session.share else { return try isAllowedNow() }
        // One asks for all that begin within a moment, and only a yes is kept.
        guard let yes = try share.value(of: tx.tenant.id, make: { try isAllowedNow() ? Yes() : nil }) else { return false }
        guard !yes.holds else { return true }
        guard try isAllowedNow() else {
            share.forget(Yes.self, of: tx.tenant.id)
            return false
        }
        yes.renew()
        return true
    }

    /// Holds until more is stored or the limit changes. A moment at most, since other processes may do that.
    private final class Yes: CommitShared {
        private static let lifetime: Duration = .seconds(1)
        private var end = ContinuousClock.now + Yes.lifetime
        let lasts = true
        var holds: Bool { ContinuousClock.now < end }
        func renew() { end = ContinuousClock.now + Self.lifetime }
    }

    /// The next that begins asks anew.
    private func askAnew() {
        tx.session.share?.forget(Yes.self, of: tx.tenant.id)
        tx.session.memory?.forget(Yes.self, of: tx.tenant.id)
    }

    private func isAllowedNow() throws -> Bool {
        try tx.presume(
            "UPDATE storage_use SET bytes = bytes WHERE tenant_id = \(tx.tenant) AND kind = \(Self.payloads) AND bytes > allowed", changes: 0)
    }

    /// Counts a payload that is not stored yet.
    func add(_ payload: PreparedPayload) throws {
        askAnew()
        try tx.presume(
            """
            INSERT INTO storage_use (tenant_id, kind, bytes) SELECT \(tx.tenant), \(Self.payloads), \(payload.byteCount)
            WHERE NOT EXISTS (SELECT 1 FROM payloads WHERE tenant_id = \(tx.tenant) AND hash = \(payload.hash))
            ON CONFLICT (tenant_id, kind) DO UPDATE SET bytes = storage_use.bytes + excluded.bytes
            """)
    }

    /// Counts bytes that lie elsewhere than in the payload store.
    package func add(bytes: Int) throws {
        guard bytes > 0 else { return }
        askAnew()
        try tx.execute(
            """
            INSERT INTO storage_use (tenant_id, kind, bytes) VALUES (\(tx.tenant), \(Self.payloads), \(bytes))
            ON CONFLICT (tenant_id, kind) DO UPDATE SET bytes = storage_use.bytes + excluded.bytes
            """)
    }

    package func remove(_ bytes: Int) throws {
        try tx.execute(
            """
            UPDATE storage_use SET bytes = CASE WHEN bytes < \(bytes) THEN 0 ELSE bytes - \(bytes) END
            WHERE tenant_id = \(tx.tenant) AND kind = \(Self.payloads)
            """)
    }
}
