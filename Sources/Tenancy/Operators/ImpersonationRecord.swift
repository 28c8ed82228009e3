package import Kernel
internal import Persistence

/// An operator's access to a tenant: asked for with a reason, for a time, with a role; kept for good, so that the tenant can look it up.
package struct ImpersonationRecord: Sendable, Hashable {
    package var id: ID<Impersonation>
    package var operatorID: UserID
    package var tenant: TenantID
    package var role: Role
    package var reason: String
    package var startedAt: Timestamp
    /// When it is over at the latest.
    package var expiresAt: Timestamp
    /// When somebody ended it before.
    package var endedAt: Timestamp?

    package func isOpen(at now: Timestamp) -> Bool { endedAt == nil && expiresAt > now }
}

/// The cookie of an operator within a tenant.
package enum ImpersonationCookie {
    package static let name = "aias_impersonation"

    static func fullName(isSecure: Bool) -> String { isSecure ? "__Host-\(name)" : name }

    static func set(_ token: String, seconds: Int64, isSecure: Bool) -> String {
        "\(fullName(isSecure: isSecure))=\(token); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(seconds)\(isSecure ? "; Secure" : "")"
    }

    static func clear(isSecure: Bool) -> String {
        "\(fullName(isSecure: isSecure))=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\(isSecure ? "; Secure" : "")"
    }
}

struct ImpersonationStore {
    let tx: DirectoryTransaction

    static let table = Table(
        "impersonations", .directory, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("token_hash", .blob), Column("operator_id", .uuid), Column("tenant_id", .uuid), Column("role", .text),
            Column("reason", .text), Column("started_at", .timestamp), Column("expires_at", .timestamp),
            Column("ended_at", .timestamp, optional: true)
        ],
        indexes: [
            Index("impersonations_token", on: ["token_hash"], unique: true), Index("impersonations_tenant", on: ["tenant_id", "id"]),
            Index("impersonations_operator", on: ["operator_id"])
        ],
        foreignKeys: [ForeignKey(["operator_id"], references: "users", ["id"]), ForeignKey(["tenant_id"], references: "tenants", ["id"])])

    func insert(_ record: ImpersonationRecord, tokenHash: [UInt8]) throws {
        try tx.execute(
            """
            INSERT INTO impersonations (id, token_hash, operator_id, tenant_id, role, reason, started_at, expires_at)
            VALUES (\(record.id), \(tokenHash), \(record.operatorID), \(record.tenant), \(record.role), \(record.reason), \(record.startedAt),
                \(record.expiresAt))
            """)
    }

    func record(tokenHash: [UInt8]) throws -> ImpersonationRecord? {
        try tx.first(
            """
            SELECT id, operator_id, tenant_id, role, reason, started_at, expires_at, ended_at FROM impersonations WHERE token_hash = \(tokenHash)
            """, Self.read)
    }

    func record(_ id: ID<Impersonation>, of tenant: TenantID) throws -> ImpersonationRecord? {
        try tx.first(
            """
            SELECT id, operator_id, tenant_id, role, reason, started_at, expires_at, ended_at FROM impersonations
            WHERE id = \(id) AND tenant_id = \(tenant)
            """, Self.read)
    }

    /// Newest first, those before `cursor`.
    func page(of tenant: TenantID, before cursor: ID<Impersonation>?, limit: Int) throws -> [ImpersonationRecord] {
        let last = cursor ?? ID<Impersonation>(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, operator_id, tenant_id, role, reason, started_at, expires_at, ended_at FROM impersonations
            WHERE tenant_id = \(tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// - Returns: false where it was over already.
    func end(_ id: ID<Impersonation>, at now: Timestamp) throws -> Bool {
        try tx.execute("UPDATE impersonations SET ended_at = \(now) WHERE id = \(id) AND ended_at IS NULL AND expires_at > \(now)") == 1
    }

    func endAll(of user: UserID, at now: Timestamp) throws {
        try tx.execute("UPDATE impersonations SET ended_at = \(now) WHERE operator_id = \(user) AND ended_at IS NULL AND expires_at > \(now)")
    }

    private static func read(_ row: Row) throws -> ImpersonationRecord {
        ImpersonationRecord(
            id: try row.column(0), operatorID: try row.column(1), tenant: try row.column(2), role: try row.column(3), reason: try row.column(4),
            startedAt: try row.column(5), expiresAt: try row.column(6), endedAt: try row.column(7))
    }
}
