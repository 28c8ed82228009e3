package import Kernel
internal import Persistence

/// A program's way in: acts in one tenant with the permissions it was given.
package struct APIKey: Sendable, Hashable {
    package var id: APIKeyID
    package var tenant: TenantID
    package var name: String
    /// The first characters of the secret, to tell keys apart.
    package var hint: String
    /// Permission names; empty means all that its creator's role allows.
    package var scopes: [String]
    package var role: Role
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    package var createdAt: Timestamp
    /// The person who made it, or the key with which it was made; nil for those of before that was kept, and of the platform.
    package var madeBy: UserID?
}

/// What some keys may do: a role's permissions, or those of them that are named.
struct KeyGrant: Sendable, Hashable {
    var role: Role
    var scopes: [String]
}

struct APIKeyStore {
    let tx: DirectoryTransaction

    static let tableAtFirst = Table(
        "api_keys", .directory, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("tenant_id", .uuid), Column("name", .text), Column("hint", .text), Column("secret_hash", .blob),
            Column("scopes", .text), Column("role", .text), Column("expires_at", .timestamp, optional: true),
            Column("revoked_at", .timestamp, optional: true), Column("created_at", .timestamp)
        ],
        indexes: [
            Index("api_keys_secret", on: ["secret_hash"], unique: true), Index("api_keys_tenant", on: ["tenant_id", "id"])
        ],
        foreignKeys: [ForeignKey(["tenant_id"], references: "tenants", ["id"])])

    static let madeBy = Column("made_by", .uuid, optional: true)

    static let table: Table = {
        var table = tableAtFirst
        table.columns.append(madeBy)
        return table
    }()

    func insert(_ key: APIKey, secretHash: [UInt8]) throws {
        try tx.execute(
            """
            INSERT INTO api_keys (id, tenant_id, name, hint, secret_hash, scopes, role, expires_at, revoked_at, created_at, made_by)
            VALUES (\(key.id), \(key.tenant), \(key.name), \(key.hint), \(secretHash), \(key.scopes.joined(separator: " ")), \(key.role),
                \(key.expiresAt), \(key.revokedAt), \(key.createdAt), \(key.madeBy))
            """)
    }

    func key(secretHash: [UInt8]) throws -> APIKey? {
        try tx.first(
            """
            SELECT id, tenant_id, name, hint, scopes, role, expires_at, revoked_at, created_at, made_by FROM api_keys
            WHERE secret_hash = \(secretHash)
            """, Self.read)
    }

    func key(_ id: APIKeyID, of tenant: TenantID) throws -> APIKey? {
        try tx.first(
            """
            SELECT id, tenant_id, name, hint, scopes, role, expires_at, revoked_at, created_at, made_by FROM api_keys
            WHERE id = \(id) AND tenant_id = \(tenant)
            """, Self.read)
    }

    /// Newest first, those before `cursor`.
    func page(of tenant: TenantID, before cursor: APIKeyID?, limit: Int) throws -> [APIKey] {
        let last = cursor ?? APIKeyID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, tenant_id, name, hint, scopes, role, expires_at, revoked_at, created_at, made_by FROM api_keys
            WHERE tenant_id = \(tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Those that are neither revoked nor expired.
    func count(of tenant: TenantID, goodAt time: Timestamp) throws -> Int {
        try tx.first(
            """
            SELECT count(*) FROM api_keys
            WHERE tenant_id = \(tenant) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > \(time))
            """
        ) { try $0.column(0) } ?? 0
    }

    func revoke(_ id: APIKeyID, of tenant: TenantID, at time: Timestamp) throws -> Bool {
        try tx.execute("UPDATE api_keys SET revoked_at = \(time) WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL") == 1
    }

    /// - Returns: how many.
    func revokeAll(of tenant: TenantID, at time: Timestamp) throws -> Int {
        try tx.execute("UPDATE api_keys SET revoked_at = \(time) WHERE tenant_id = \(tenant) AND revoked_at IS NULL")
    }

    /// What the keys may do that a person made and that are not revoked, each once.
    func grants(madeBy user: UserID, of tenant: TenantID) throws -> [KeyGrant] {
        try tx.all(
            "SELECT DISTINCT role, scopes FROM api_keys WHERE tenant_id = \(tenant) AND made_by = \(user) AND revoked_at IS NULL"
        ) { row in
            let scopes: String = try row.column(1)
            return KeyGrant(role: try row.column(0), scopes: scopes.split(separator: " ").map(String.init))
        }
    }

    /// - Returns: how many.
    func revokeAll(_ grant: KeyGrant, madeBy user: UserID, of tenant: TenantID, at time: Timestamp) throws -> Int {
        try tx.execute(
            """
            UPDATE api_keys SET revoked_at = \(time)
            WHERE tenant_id = \(tenant) AND made_by = \(user) AND role = \(grant.role) AND scopes = \(grant.scopes.joined(separator: " "))
                AND revoked_at IS NULL
            """)
    }

    private static func read(_ row: Row) throws -> APIKey {
        let scopes: String = try row.column(4)
        return APIKey(
            id: try row.column(0), tenant: try row.column(1), name: try row.column(2), hint: try row.column(3),
            scopes: scopes.split(separator: " ").map(String.init), role: try row.column(5), expiresAt: try row.column(6),
            revokedAt: try row.column(7), createdAt: try row.column(8), madeBy: try row.column(9))
    }
}
