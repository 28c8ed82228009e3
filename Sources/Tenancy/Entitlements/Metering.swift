package import Kernel
package import Persistence

/// Usage as it happened, written in the work's own transaction; billing prices it later.
struct UsageEventStore {
    let tx: TenantTransaction

    static let table = Table(
        "usage_events", .tenant, primaryKey: ["key"],
        columns: [
            Column("key", .text), Column("metric", .text), Column("quantity", .integer), Column("at", .timestamp), Column("dimensions", .text)
        ],
        indexes: [Index("usage_events_at", on: ["tenant_id", "metric", "at"])])
}

extension TenantTransaction {
    /// Records usage once for a key: a repeat of the same key changes nothing.
    package func meter(_ metric: String, quantity: Int, key: String, at: Timestamp, dimensions: JSONObject = [:]) throws {
        try execute(
            """
            INSERT INTO usage_events (tenant_id, key, metric, quantity, at, dimensions)
            VALUES (\(tenant), \(key), \(metric), \(quantity), \(at), \(JSON.object(dimensions).serialized))
            ON CONFLICT (tenant_id, key) DO NOTHING
            """)
    }
}
