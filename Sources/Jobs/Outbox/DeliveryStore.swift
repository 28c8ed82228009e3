internal import Kernel
internal import Persistence

struct DeliveryStore {
    let tx: SystemTransaction

    static let batchMaximum = 200
    /// Due deliveries that are looked for at once, and claimed bit by bit.
    static let lookMaximum = 2_000
    static let claim: Duration = .seconds(60)
    /// For how long at most a claim is renewed: what takes longer is left to others.
    static let renewalMaximum: Duration = .seconds(900)
    /// After a failure; longer than a claim.
    static let waitMaximum: Duration = .seconds(1 << 10)

    /// An event that has no deliveries yet.
    struct Fresh: Sendable {
        var id: ID<OutboxEventTag>
        var name: String
        var subject: String
    }

    /// A delivery as it was found: who changes its row from that takes it.
    struct Due: Sendable, Hashable {
        var event: ID<OutboxEventTag>
        var subscriber: String
        var dueAt: Timestamp
    }

    /// Of each tenant the oldest first, and the tenants in turn: one with many events does not hold up the others.
    func fresh() throws -> [Fresh] {
        let oldest = try tx.all(
            "SELECT id, name, subject FROM outbox_events WHERE is_fanned_out = \(false) ORDER BY id LIMIT \(Self.batchMaximum + 1)", Self.readFresh)
        guard oldest.count > Self.batchMaximum else { return oldest }
        return try tx.all(
            """
            SELECT id, name, subject FROM (
                SELECT id, name, subject, row_number() OVER (PARTITION BY tenant_id ORDER BY id) AS place
                FROM outbox_events WHERE is_fanned_out = \(false)) AS fresh
            ORDER BY place, id LIMIT \(Self.batchMaximum)
            """, Self.readFresh)
    }

    private static func readFresh(_ row: Row) throws -> Fresh {
        Fresh(id: try row.column(0), name: try row.column(1), subject: try row.column(2))
    }

    func fanOut(_ wanted: [String: [String]]) throws { try fanOut(try fresh(), wanted) }

    /// One delivery row for each event and subscriber; events that nobody in the deployment wants are removed. What another has fanned out
    /// meanwhile is left as it is.
    func fanOut(_ events: [Fresh], _ wanted: [String: [String]]) throws {
        // In one order everywhere, so that no two wait for each other.
        for event in events.sorted(by: { $0.id < $1.id }) {
            let subscribers = wanted[event.name] ?? []
            guard !subscribers.isEmpty else {
                try tx.execute("DELETE FROM outbox_events WHERE id = \(event.id) AND is_fanned_out = \(false)")
                continue
            }
            let taken = try tx.execute("UPDATE outbox_events SET is_fanned_out = \(true) WHERE id = \(event.id) AND is_fanned_out = \(false)")
            guard taken == 1 else { continue }
            for subscriber in subscribers {
                try tx.execute(
                    """
                    INSERT INTO outbox_deliveries (event_id, subscriber, subject, state, attempts, due_at)
                    VALUES (\(event.id), \(subscriber), \(event.subject), \("pending"), 0, \(tx.clock.now()))
                    ON CONFLICT (event_id, subscriber) DO NOTHING
                    """)
            }
        }
    }

    /// Due deliveries of these subscribers, of each subscriber and subject the oldest alone: of each tenant the oldest first, and the tenants in
    /// turn.
    func due(of subscribers: [String]) throws -> [Due] {
        guard !subscribers.isEmpty else { return [] }
        return try tx.all(
            """
            SELECT event_id, subscriber, due_at FROM (
                SELECT d.event_id, d.subscriber, d.due_at, row_number() OVER (PARTITION BY e.tenant_id ORDER BY d.event_id, d.subscriber) AS place
                FROM outbox_deliveries d JOIN outbox_events e ON e.id = d.event_id
                WHERE d.state = \("pending") AND d.due_at <= \(tx.clock.now()) AND d.subscriber IN \(list: subscribers) AND NOT EXISTS (
                    SELECT 1 FROM outbox_deliveries o
                    WHERE o.subscriber = d.subscriber AND o.subject = d.subject AND o.state = \("pending") AND o.event_id < d.event_id)) AS due
            ORDER BY place, event_id, subscriber LIMIT \(Self.lookMaximum)
            """
        ) { Due(event: try $0.column(0), subscriber: try $0.column(1), dueAt: try $0.column(2)) }
    }

    /// Takes deliveries for a while, but those that another has taken since they were found.
    func claim(_ found: some Collection<Due>) throws -> [Delivery] {
        let now = tx.clock.now()
        // In one order everywhere, so that no two wait for each other.
        let inOrder = found.sorted { ($0.event, $0.subscriber) < ($1.event, $1.subscriber) }
        let taken = try inOrder.filter { due in
            try tx.execute(
                """
                UPDATE outbox_deliveries SET due_at = \(now + Self.claim)
                WHERE event_id = \(due.event) AND subscriber = \(due.subscriber) AND state = \("pending") AND due_at = \(due.dueAt)
                """) == 1
        }
        guard !taken.isEmpty else { return [] }
        var places: [Key: Int] = [:]
        for (place, due) in found.enumerated() { places[Key(due.event, due.subscriber)] = place }
        let deliveries: [Delivery] = try tx.all(
            """
            SELECT d.event_id, d.subscriber, d.attempts, e.tenant_id, e.name, e.subject, e.key, e.payload, e.at
            FROM outbox_deliveries d JOIN outbox_events e ON e.id = d.event_id WHERE d.event_id IN \(list: taken.map(\.event))
            """
        ) { row in
            Delivery(
                event: try row.column(0), tenant: try row.column(3), name: try row.column(4), subject: try row.column(5), key: try row.column(6),
                payload: try JSON(parsing: try row.column(7, as: String.self)), at: try row.column(8), subscriber: try row.column(1),
                attempts: try row.column(2), claimedAt: now)
        }
        func turn(_ delivery: Delivery) -> Int? { places[Key(delivery.event, delivery.subscriber)] }
        let mine = Set(taken.map { Key($0.event, $0.subscriber) })
        return deliveries.filter { mine.contains(Key($0.event, $0.subscriber)) }.sorted { (turn($0) ?? 0) < (turn($1) ?? 0) }
    }

    private struct Key: Hashable {
        let event: ID<OutboxEventTag>
        let subscriber: String

        init(_ event: ID<OutboxEventTag>, _ subscriber: String) {
            self.event = event
            self.subscriber = subscriber
        }
    }

    func claimDue(of subscribers: [String]) throws -> [Delivery] { try claim(try due(of: subscribers).prefix(Self.batchMaximum)) }

    /// Keeps what is still being delivered from others.
    func renew(_ deliveries: [Delivery]) throws {
        let now = tx.clock.now()
        for delivery in deliveries where now - delivery.claimedAt < Self.renewalMaximum {
            try tx.execute(
                """
                UPDATE outbox_deliveries SET due_at = \(now + Self.claim)
                WHERE event_id = \(delivery.event) AND subscriber = \(delivery.subscriber) AND state = \("pending")
                    AND attempts = \(delivery.attempts)
                """)
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
        let wait = min(Duration.seconds(1 << min(delivery.attempts, 10)), Self.waitMaximum)
        try tx.execute(
            """
            UPDATE outbox_deliveries SET attempts = attempts + 1, due_at = \(tx.clock.now() + wait), error = \(words),
                state = \(isLast ? "dead" : "pending")
            WHERE event_id = \(delivery.event) AND subscriber = \(delivery.subscriber)
            """)
    }
}
