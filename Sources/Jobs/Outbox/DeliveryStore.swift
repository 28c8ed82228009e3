internal import Kernel
internal import Persistence

struct DeliveryStore {
    let tx: SystemTransaction

    static let batchMaximum = 200
    static let claim: Duration = .seconds(60)

    /// One delivery row for each event and subscriber; events that nobody in the deployment wants are removed.
    func fanOut(_ wanted: [String: [String]]) throws {
        let events = try tx.all("SELECT id, name, subject FROM outbox_events WHERE is_fanned_out = \(false) ORDER BY id LIMIT \(Self.batchMaximum)")
        for row in events {
            let id: ID<OutboxEventTag> = try row.column(0)
            let subject: String = try row.column(2)
            let subscribers = wanted[try row.column(1)] ?? []
            guard !subscribers.isEmpty else {
                try tx.execute("DELETE FROM outbox_events WHERE id = \(id)")
                continue
            }
            for subscriber in subscribers {
                try tx.execute(
                    """
                    INSERT INTO outbox_deliveries (event_id, subscriber, subject, state, attempts, due_at)
                    VALUES (\(id), \(subscriber), \(subject), \("pending"), 0, \(tx.clock.now())) ON CONFLICT (event_id, subscriber) DO NOTHING
                    """)
            }
            try tx.execute("UPDATE outbox_events SET is_fanned_out = \(true) WHERE id = \(id)")
        }
    }

    /// Due deliveries of these subscribers, of each subscriber and subject the oldest alone, taken for a while.
    func claimDue(of subscribers: [String]) throws -> [Delivery] {
        guard !subscribers.isEmpty else { return [] }
        let now = tx.clock.now()
        let rows = try tx.all(
            """
            SELECT d.event_id, d.subscriber, d.attempts, d.due_at, e.tenant_id, e.name, e.subject, e.key, e.payload, e.at
            FROM outbox_deliveries d JOIN outbox_events e ON e.id = d.event_id
            WHERE d.state = \("pending") AND d.due_at <= \(now) AND d.subscriber IN \(list: subscribers) AND NOT EXISTS (
                SELECT 1 FROM outbox_deliveries o
                WHERE o.subscriber = d.subscriber AND o.subject = d.subject AND o.state = \("pending") AND o.event_id < d.event_id)
            ORDER BY d.event_id LIMIT \(Self.batchMaximum)
            """)
        return try rows.compactMap { row in
            let event: ID<OutboxEventTag> = try row.column(0)
            let subscriber: String = try row.column(1)
            let due: Timestamp = try row.column(3)
            let taken = try tx.execute(
                """
                UPDATE outbox_deliveries SET due_at = \(now + Self.claim)
                WHERE event_id = \(event) AND subscriber = \(subscriber) AND state = \("pending") AND due_at = \(due)
                """)
            guard taken == 1 else { return nil }
            return Delivery(
                event: event, tenant: try row.column(4), name: try row.column(5), subject: try row.column(6), key: try row.column(7),
                payload: try JSON(parsing: try row.column(8, as: String.self)), at: try row.column(9), subscriber: subscriber,
                attempts: try row.column(2))
        }
    }

    /// Removes the delivery, and the event with its last one.
    func finish(_ delivery: Delivery) throws {
        try tx.execute("DELETE FROM outbox_deliveries WHERE event_id = \(delivery.event) AND subscriber = \(delivery.subscriber)")
        try tx.execute(
            """
            DELETE FROM outbox_events
            WHERE id = \(delivery.event) AND NOT EXISTS (SELECT 1 FROM outbox_deliveries WHERE event_id = \(delivery.event))
            """)
    }

    /// Tried again after a wait that doubles, or dead.
    func fail(_ delivery: Delivery, _ words: String, isLast: Bool) throws {
        let wait = Duration.seconds(1 << min(delivery.attempts, 10))
        try tx.execute(
            """
            UPDATE outbox_deliveries SET attempts = attempts + 1, due_at = \(tx.clock.now() + wait), error = \(words),
                state = \(isLast ? "dead" : "pending")
            WHERE event_id = \(delivery.event) AND subscriber = \(delivery.subscriber)
            """)
    }
}
