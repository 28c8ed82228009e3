internal import Kernel
internal import Persistence

struct WebhookEndpointStore {
    let tx: TenantTransaction

    static let table = Table(
        "webhook_endpoints", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("url", .text), Column("description", .text), Column("event_types", .text), Column("status", .text),
            Column("reason", .text, optional: true), Column("secret", .blob), Column("former_secret", .blob, optional: true),
            Column("former_until", .timestamp, optional: true), Column("failing_since", .timestamp, optional: true), Column("created_at", .timestamp),
            Column("updated_at", .timestamp)
        ],
        checks: [.oneOf(column: "status", values: ["enabled", "disabled"])])

    /// Sealed secrets, and until when the former one signs too.
    struct Secrets: Sendable {
        var current: [UInt8]
        var former: [UInt8]?
        var formerUntil: Timestamp?
    }

    func insert(_ endpoint: WebhookEndpoint, secret: [UInt8]) throws {
        try tx.execute(
            """
            INSERT INTO webhook_endpoints (tenant_id, id, url, description, event_types, status, reason, secret, created_at, updated_at)
            VALUES (\(tx.tenant), \(endpoint.id), \(endpoint.url), \(endpoint.description), \(Self.text(endpoint.eventTypes)), \(endpoint.status),
                \(endpoint.reason), \(secret), \(endpoint.createdAt), \(endpoint.updatedAt))
            """)
    }

    func update(_ endpoint: WebhookEndpoint) throws {
        try tx.execute(
            """
            UPDATE webhook_endpoints SET url = \(endpoint.url), description = \(endpoint.description), event_types = \(Self.text(endpoint.eventTypes)),
                status = \(endpoint.status), reason = \(endpoint.reason), failing_since = \(endpoint.failingSince), updated_at = \(endpoint.updatedAt)
            WHERE tenant_id = \(tx.tenant) AND id = \(endpoint.id)
            """)
    }

    func setSecret(_ secret: [UInt8], formerUntil: Timestamp, of id: WebhookEndpointID) throws {
        try tx.execute(
            """
            UPDATE webhook_endpoints SET former_secret = secret, secret = \(secret), former_until = \(formerUntil), updated_at = \(tx.clock.now())
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """)
    }

    func delete(_ id: WebhookEndpointID) throws -> Bool {
        try tx.execute("DELETE FROM webhook_endpoints WHERE tenant_id = \(tx.tenant) AND id = \(id)") == 1
    }

    func endpoint(_ id: WebhookEndpointID) throws -> WebhookEndpoint? {
        try tx.first(
            """
            SELECT id, url, description, event_types, status, reason, failing_since, created_at, updated_at FROM webhook_endpoints
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    /// All of the tenant, oldest first; there are few.
    func all() throws -> [WebhookEndpoint] {
        try tx.all(
            """
            SELECT id, url, description, event_types, status, reason, failing_since, created_at, updated_at FROM webhook_endpoints
            WHERE tenant_id = \(tx.tenant) ORDER BY id LIMIT \(Limits.webhookEndpointsPerTenant)
            """, Self.read)
    }

    func secrets(of id: WebhookEndpointID) throws -> Secrets? {
        try tx.first(
            "SELECT secret, former_secret, former_until FROM webhook_endpoints WHERE tenant_id = \(tx.tenant) AND id = \(id)"
        ) { Secrets(current: try $0.column(0), former: try $0.column(1), formerUntil: try $0.column(2)) }
    }

    private static func text(_ names: [String]) -> String { JSON.array(names.map { .string($0) }).serialized }

    private static func read(_ row: Row) throws -> WebhookEndpoint {
        let names = try JSON(parsing: try row.column(3, as: String.self)).array ?? []
        return WebhookEndpoint(
            id: try row.column(0), url: try row.column(1), description: try row.column(2), eventTypes: names.compactMap(\.text),
            status: try row.column(4), reason: try row.column(5), failingSince: try row.column(6), createdAt: try row.column(7),
            updatedAt: try row.column(8))
    }
}
