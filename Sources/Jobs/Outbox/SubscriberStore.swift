internal import Kernel
package import Persistence

/// The subscribers that the processes of a deployment know. Of two versions that run side by side each may know some that the other does not:
/// whichever makes the deliveries of an event makes them for all.
package struct SubscriberStore {
    let tx: SystemTransaction

    static let table = Table(
        "outbox_subscribers", .system, primaryKey: ["name"],
        columns: [Column("name", .text), Column("event", .text), Column("seen_at", .timestamp)])

    /// For how long a subscriber is waited for that no process names any more.
    static let lifetime: Duration = .seconds(86_400)

    package init(tx: SystemTransaction) { self.tx = tx }

    /// Notes those that this process knows.
    package func note(_ subscribers: [Subscriber]) throws {
        for subscriber in subscribers.sorted(by: { $0.name < $1.name }) {
            try tx.execute(
                """
                INSERT INTO outbox_subscribers (name, event, seen_at) VALUES (\(subscriber.name), \(subscriber.event), \(tx.clock.now()))
                ON CONFLICT (name) DO UPDATE SET event = excluded.event, seen_at = excluded.seen_at
                """)
        }
    }

    /// By the event's name, those of all processes.
    func known() throws -> [String: [String]] {
        let all = try tx.all("SELECT event, name FROM outbox_subscribers ORDER BY name") { row in
            Subscriber(event: try row.column(0), name: try row.column(1))
        }
        return Dictionary(grouping: all, by: \.event).mapValues { $0.map(\.name) }
    }

    /// Removes those that no process has named for long, and what waits for them.
    func forget() throws {
        let gone: [String] = try tx.all("SELECT name FROM outbox_subscribers WHERE seen_at < \(tx.clock.now() - Self.lifetime)") { try $0.column(0) }
        guard !gone.isEmpty else { return }
        try tx.execute("DELETE FROM outbox_deliveries WHERE subscriber IN \(list: gone)")
        try tx.execute("DELETE FROM outbox_subscribers WHERE name IN \(list: gone)")
        try tx.execute(
            """
            DELETE FROM outbox_events
            WHERE is_fanned_out = \(true) AND NOT EXISTS (SELECT 1 FROM outbox_deliveries WHERE event_id = outbox_events.id)
            """)
    }
}
