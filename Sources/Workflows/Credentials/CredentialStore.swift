internal import Kernel
internal import Persistence

/// Credentials; the secrets are sealed by the key vault for `credential:<id>`.
struct CredentialStore {
    let tx: TenantTransaction

    static let table = Table(
        "credentials", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("type", .text), Column("name", .text), Column("shown_fields", .text), Column("roles", .text),
            Column("created_by", .text), Column("created_at", .timestamp), Column("updated_at", .timestamp), Column("revision", .integer),
            Column("sealed", .blob)
        ],
        indexes: [Index("credentials_name", on: ["tenant_id", "type", "name"], unique: true)])

    func insert(_ credential: Credential, sealed: [UInt8]) throws {
        try tx.execute(
            """
            INSERT INTO credentials (tenant_id, id, type, name, shown_fields, roles, created_by, created_at, updated_at, revision, sealed)
            VALUES (\(tx.tenant), \(credential.id), \(credential.type), \(credential.name), \(JSON.object(credential.shownFields).serialized),
                \(Self.text(credential.roles)), \(credential.createdBy), \(credential.createdAt), \(credential.updatedAt), \(credential.revision),
                \(sealed))
            """)
    }

    func credential(_ id: CredentialID) throws -> Credential? {
        try tx.first(
            """
            SELECT id, type, name, shown_fields, roles, created_by, created_at, updated_at, revision
            FROM credentials WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    func id(type: String, name: String) throws -> CredentialID? {
        try tx.first("SELECT id FROM credentials WHERE tenant_id = \(tx.tenant) AND type = \(type) AND name = \(name)") { try $0.column(0) }
    }

    func sealed(_ id: CredentialID) throws -> [UInt8]? {
        try tx.first("SELECT sealed FROM credentials WHERE tenant_id = \(tx.tenant) AND id = \(id)") { try $0.column(0) }
    }

    func count() throws -> Int {
        try tx.first("SELECT count(*) FROM credentials WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0
    }

    func all() throws -> [Credential] { try page(before: nil, limit: Limits.credentialsPerTenant) }

    /// Newest first, those before `cursor`.
    func page(before cursor: CredentialID?, limit: Int) throws -> [Credential] {
        let last = cursor ?? CredentialID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, type, name, shown_fields, roles, created_by, created_at, updated_at, revision
            FROM credentials WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// - Returns: false where someone else changed it in between.
    func update(_ credential: Credential, sealed: [UInt8], expecting revision: Int) throws -> Bool {
        try tx.execute(
            """
            UPDATE credentials SET name = \(credential.name), shown_fields = \(JSON.object(credential.shownFields).serialized),
                roles = \(Self.text(credential.roles)), updated_at = \(credential.updatedAt), revision = \(credential.revision), sealed = \(sealed)
            WHERE tenant_id = \(tx.tenant) AND id = \(credential.id) AND revision = \(revision)
            """) == 1
    }

    /// Keeps other secrets of the same revision, as of somebody who uses it and changes nothing; does nothing where it was changed.
    func reseal(_ id: CredentialID, sealed: [UInt8], expecting revision: Int) throws {
        try tx.execute("UPDATE credentials SET sealed = \(sealed) WHERE tenant_id = \(tx.tenant) AND id = \(id) AND revision = \(revision)")
    }

    /// - Returns: whether there was one.
    func delete(_ id: CredentialID) throws -> Bool {
        try tx.execute("DELETE FROM credentials WHERE tenant_id = \(tx.tenant) AND id = \(id)") == 1
    }

    private static func text(_ roles: Set<Role>) -> String { roles.map(\.rawValue).sorted().joined(separator: " ") }

    private static func read(_ row: Row) throws -> Credential {
        let roles: String = try row.column(4)
        let shown: String = try row.column(3)
        return Credential(
            id: try row.column(0), type: try row.column(1), name: try row.column(2), shownFields: try JSON(parsing: shown).object ?? [:],
            roles: Set(roles.split(separator: " ").compactMap { Role(rawValue: String($0)) }), createdBy: try row.column(5),
            createdAt: try row.column(6), updatedAt: try row.column(7), revision: try row.column(8))
    }
}
