package import Persistence

/// Where answers to requests with an `Idempotency-Key` are kept: per tenant, and for requests without one in the directory.
/// A row is a claim first (status null), then an answer; a claim left by a crash may be taken over after `locked_until`.
package enum IdempotencyTables {
    package static let tenant = Table(
        "idempotency_keys", .tenant, primaryKey: ["actor", "key"], columns: columns,
        indexes: [Index("idempotency_keys_expiry", on: ["tenant_id", "expires_at"])])
    package static let directory = Table(
        "directory_idempotency_keys", .directory, primaryKey: ["actor", "key"], columns: columns,
        indexes: [Index("directory_idempotency_keys_expiry", on: ["expires_at"])])

    package static let migration = Migration("http.0001-idempotency", [.createTable(tenant), .createTable(directory)])

    private static let columns = [
        Column("actor", .text),
        Column("key", .text),
        Column("fingerprint", .blob),
        Column("claim", .uuid),
        Column("locked_until", .timestamp),
        Column("expires_at", .timestamp),
        Column("status", .integer, optional: true),
        Column("content_type", .text, optional: true),
        Column("location", .text, optional: true),
        Column("body", .blob, optional: true),
        Column("is_sealed", .boolean)
    ]
}

extension Module {
    /// What the surface itself brings: its tables.
    package static let httpSurface = Module(
        name: "http", tables: [IdempotencyTables.tenant, IdempotencyTables.directory], migrations: [IdempotencyTables.migration])
}
