internal import Kernel
package import Persistence

/// Messages, their deliveries and the attempts made.
struct WebhookDeliveryStore {
    let tx: TenantTransaction

    static let messages = Table(
        "webhook_messages", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("key", .text), Column("event_type", .text), Column("payload", .text), Column("created_at", .timestamp)
        ],
        indexes: [
            Index("webhook_messages_key", on: ["tenant_id", "key"], unique: true), Index("webhook_messages_age", on: ["tenant_id", "created_at"])
        ])

    static let deliveries = Table(
        "webhook_deliveries", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("endpoint_id", .uuid), Column("message_id", .uuid), Column("event_type", .text), Column("state", .text),
            Column("attempts", .integer), Column("tries", .integer), Column("next_at", .timestamp, optional: true),
            Column("last_status", .integer, optional: true), Column("created_at", .timestamp)
        ],
        indexes: [
            Index("webhook_deliveries_endpoint", on: ["tenant_id", "endpoint_id", "id"]),
            Index("webhook_deliveries_message", on: ["tenant_id", "message_id", "endpoint_id"], unique: true)
        ],
        foreignKeys: [
            ForeignKey(["tenant_id", "endpoint_id"], references: "webhook_endpoints", ["tenant_id", "id"], onDelete: .cascade),
            ForeignKey(["tenant_id", "message_id"], references: "webhook_messages", ["tenant_id", "id"], onDelete: .cascade)
        ],
        checks: [.oneOf(column: "state", values: WebhookDelivery.State.allCases.map(\.rawValue))])

    static let attempts = Table(
        "webhook_attempts", .tenant, primaryKey: ["delivery_id", "number"],
        columns: [
            Column("delivery_id", .uuid), Column("number", .integer), Column("at", .timestamp), Column("duration_us", .integer),
            Column("status", .integer, optional: true), Column("error", .text, optional: true), Column("response", .text, optional: true)
        ],
        foreignKeys: [ForeignKey(["tenant_id", "delivery_id"], references: "webhook_deliveries", ["tenant_id", "id"], onDelete: .cascade)])

    /// - Returns: false where the tenant has a message of this key: the event came again.
    func insert(message id: WebhookMessageID, key: String, type: String, payload: String) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO webhook_messages (tenant_id, id, key, event_type, payload, created_at)
            VALUES (\(tx.tenant), \(id), \(key), \(type), \(payload), \(tx.clock.now())) ON CONFLICT (tenant_id, key) DO NOTHING
            """) == 1
    }

    func insert(_ delivery: WebhookDelivery) throws {
        try tx.execute(
            """
            INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, event_type, state, attempts, tries, next_at, created_at)
            VALUES (\(tx.tenant), \(delivery.id), \(delivery.endpoint), \(delivery.message), \(delivery.eventType), \(delivery.state),
                \(delivery.attempts), \(delivery.tries), \(delivery.nextAt), \(delivery.createdAt))
            """)
    }

    func update(_ delivery: WebhookDelivery) throws {
        try tx.execute(
            """
            UPDATE webhook_deliveries SET state = \(delivery.state), attempts = \(delivery.attempts), tries = \(delivery.tries),
                next_at = \(delivery.nextAt), last_status = \(delivery.lastStatus)
            WHERE tenant_id = \(tx.tenant) AND id = \(delivery.id)
            """)
    }

    func insert(_ attempt: WebhookAttempt, of delivery: WebhookDeliveryID) throws {
        try tx.execute(
            """
            INSERT INTO webhook_attempts (tenant_id, delivery_id, number, at, duration_us, status, error, response)
            VALUES (\(tx.tenant), \(delivery), \(attempt.number), \(attempt.at), \(attempt.duration.microseconds), \(attempt.status), \(attempt.error),
                \(attempt.response))
            ON CONFLICT (tenant_id, delivery_id, number) DO NOTHING
            """)
    }

    func delivery(_ id: WebhookDeliveryID) throws -> WebhookDelivery? {
        try tx.first(
            """
            SELECT id, endpoint_id, message_id, event_type, state, attempts, tries, next_at, last_status, created_at FROM webhook_deliveries
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    /// Of an endpoint, newest first, those before `cursor`.
    func page(of endpoint: WebhookEndpointID, before cursor: WebhookDeliveryID?, limit: Int) throws -> [WebhookDelivery] {
        let last = cursor ?? WebhookDeliveryID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, endpoint_id, message_id, event_type, state, attempts, tries, next_at, last_status, created_at FROM webhook_deliveries
            WHERE tenant_id = \(tx.tenant) AND endpoint_id = \(endpoint) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Those of an endpoint in one of some states, made in a span of time, oldest first.
    func between(
        _ since: Timestamp, _ until: Timestamp, of endpoint: WebhookEndpointID, states: [WebhookDelivery.State], limit: Int
    ) throws -> [WebhookDelivery] {
        try tx.all(
            """
            SELECT id, endpoint_id, message_id, event_type, state, attempts, tries, next_at, last_status, created_at FROM webhook_deliveries
            WHERE tenant_id = \(tx.tenant) AND endpoint_id = \(endpoint) AND state IN \(list: states) AND created_at >= \(since) AND created_at < \(until)
            ORDER BY id LIMIT \(limit)
            """, Self.read)
    }

    func payload(of message: WebhookMessageID) throws -> String? {
        try tx.first("SELECT payload FROM webhook_messages WHERE tenant_id = \(tx.tenant) AND id = \(message)") { try $0.column(0) }
    }

    func attempts(of delivery: WebhookDeliveryID, limit: Int) throws -> [WebhookAttempt] {
        try tx.all(
            """
            SELECT number, at, duration_us, status, error, response FROM webhook_attempts
            WHERE tenant_id = \(tx.tenant) AND delivery_id = \(delivery) ORDER BY number DESC LIMIT \(limit)
            """
        ) {
            WebhookAttempt(
                number: try $0.column(0), at: try $0.column(1), duration: .microseconds(try $0.column(2, as: Int64.self)), status: try $0.column(3),
                error: try $0.column(4), response: try $0.column(5))
        }
    }

    /// Removes messages made before a time, with their deliveries.
    func remove(before time: Timestamp) throws {
        try tx.execute("DELETE FROM webhook_messages WHERE tenant_id = \(tx.tenant) AND created_at < \(time)")
    }

    private static func read(_ row: Row) throws -> WebhookDelivery {
        WebhookDelivery(
            id: try row.column(0), endpoint: try row.column(1), message: try row.column(2), eventType: try row.column(3), state: try row.column(4),
            attempts: try row.column(5), tries: try row.column(6), nextAt: try row.column(7), lastStatus: try row.column(8),
            createdAt: try row.column(9))
    }
}

/// Which deliveries are due when, over all tenants: ids and times alone.
package struct WebhookQueueStore {
    let tx: SystemTransaction

    static let table = Table(
        "webhook_queue", .system, primaryKey: ["tenant_id", "delivery_id"],
        columns: [Column("tenant_id", .uuid), Column("delivery_id", .uuid), Column("due_at", .timestamp), Column("claimed_until", .timestamp)],
        indexes: [Index("webhook_queue_due", on: ["due_at"])])

    /// How long a claimed delivery is left to its claimer; longer than a request may wait and take.
    static let claim: Duration = .seconds(120)

    struct Entry: Sendable, Hashable {
        var tenant: TenantID
        var delivery: WebhookDeliveryID
    }

    package init(tx: SystemTransaction) { self.tx = tx }

    func set(_ entry: Entry, dueAt: Timestamp) throws {
        try tx.execute(
            """
            INSERT INTO webhook_queue (tenant_id, delivery_id, due_at, claimed_until)
            VALUES (\(entry.tenant), \(entry.delivery), \(dueAt), \(Timestamp(microseconds: 0)))
            ON CONFLICT (tenant_id, delivery_id) DO UPDATE SET due_at = excluded.due_at, claimed_until = excluded.claimed_until
            """)
    }

    func remove(_ entry: Entry) throws {
        try tx.execute("DELETE FROM webhook_queue WHERE tenant_id = \(entry.tenant) AND delivery_id = \(entry.delivery)")
    }

    /// Takes what is due, but of no tenant in `full`.
    func claimDue(limit: Int, without full: [TenantID]) throws -> [Entry] {
        let now = tx.clock.now()
        // A list that is empty would match nothing either way, so it holds an id that no tenant has.
        let skipped = full.isEmpty ? [TenantID(high: 0, low: 0)] : full
        let rows = try tx.all(
            """
            SELECT tenant_id, delivery_id, claimed_until FROM webhook_queue
            WHERE due_at <= \(now) AND claimed_until <= \(now) AND tenant_id NOT IN \(list: skipped) ORDER BY due_at LIMIT \(limit)
            """)
        return try rows.compactMap { row in
            let entry = Entry(tenant: try row.column(0), delivery: try row.column(1))
            let before: Timestamp = try row.column(2)
            let taken = try tx.execute(
                """
                UPDATE webhook_queue SET claimed_until = \(now + Self.claim)
                WHERE tenant_id = \(entry.tenant) AND delivery_id = \(entry.delivery) AND claimed_until = \(before)
                """)
            return taken == 1 ? entry : nil
        }
    }

    /// Entries that are due, or claimed until, later than a time, in the order of their keys, those after another one.
    func later(than time: Timestamp, after last: Entry?, limit: Int) throws -> [Entry] {
        let tenant: TenantID = last?.tenant ?? TenantID(high: 0, low: 0)
        let delivery: WebhookDeliveryID = last?.delivery ?? WebhookDeliveryID(high: 0, low: 0)
        return try tx.all(
            """
            SELECT tenant_id, delivery_id FROM webhook_queue
            WHERE (due_at > \(time) OR claimed_until > \(time))
                AND (tenant_id > \(tenant) OR (tenant_id = \(tenant) AND delivery_id > \(delivery)))
            ORDER BY tenant_id, delivery_id LIMIT \(limit)
            """
        ) { Entry(tenant: try $0.column(0), delivery: try $0.column(1)) }
    }

    func times(of entry: Entry) throws -> (dueAt: Timestamp, claimedUntil: Timestamp)? {
        try tx.first(
            "SELECT due_at, claimed_until FROM webhook_queue WHERE tenant_id = \(entry.tenant) AND delivery_id = \(entry.delivery)"
        ) { (try $0.column(0), try $0.column(1)) }
    }

    func nextDue() throws -> Timestamp? {
        try tx.first("SELECT min(CASE WHEN claimed_until > due_at THEN claimed_until ELSE due_at END) FROM webhook_queue") {
            try $0.column(0, as: Timestamp?.self)
        } ?? nil
    }

    /// How many wait, and since when the oldest that is due does.
    package func depth() throws -> (count: Int, lag: Duration) {
        let found: (Int, Timestamp?)? = try tx.first("SELECT count(*), min(due_at) FROM webhook_queue") { (try $0.column(0), try $0.column(1)) }
        return (found?.0 ?? 0, found?.1.map { max(.zero, tx.clock.now() - $0) } ?? .zero)
    }
}
