internal import Kernel

/// Events that were written with the change they tell of. Jobs delivers them.
package enum Outbox {
    package static let events = Table(
        "outbox_events", .system, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("tenant_id", .uuid, optional: true), Column("name", .text), Column("version", .integer),
            Column("subject", .text), Column("key", .text), Column("payload", .text), Column("at", .timestamp),
            Column("is_fanned_out", .boolean, default: .boolean(false))
        ],
        indexes: [Index("outbox_events_new", on: ["is_fanned_out", "id"])])

    package static let deliveries = Table(
        "outbox_deliveries", .system, primaryKey: ["event_id", "subscriber"],
        columns: [
            Column("event_id", .uuid), Column("subscriber", .text), Column("subject", .text), Column("state", .text),
            Column("attempts", .integer), Column("due_at", .timestamp), Column("error", .text, optional: true)
        ],
        indexes: [
            Index("outbox_deliveries_due", on: ["due_at"], where: .equals("state", "pending")),
            Index("outbox_deliveries_subject", on: ["subscriber", "subject", "event_id"], where: .equals("state", "pending"))
        ],
        foreignKeys: [ForeignKey(["event_id"], references: "outbox_events", ["id"], onDelete: .cascade)],
        checks: [.oneOf(column: "state", values: ["pending", "done", "dead"])])
}

extension SystemTransaction {
    func emit(_ event: some Event, tenant: TenantID?) throws {
        let id: ID<OutboxEventTag> = ids.next()
        try presume(
            """
            INSERT INTO outbox_events (id, tenant_id, name, version, subject, key, payload, at)
            VALUES (\(id), \(tenant), \(type(of: event).name), \(type(of: event).version), \(event.subject), \(event.key ?? id.description),
                \(event.payload.serialized), \(clock.now()))
            """)
        OutboxSignal.shared.raise(after: session)
    }
}

package enum OutboxEventTag {}

extension TenantTransaction {
    /// Writes an event of this tenant into the outbox, delivered at least once after the commit.
    package func emit(_ event: some Event) throws { try system.emit(event, tenant: tenant.id) }
}

extension DirectoryTransaction {
    /// Writes an event of no tenant into the outbox.
    package func emit(_ event: some Event) throws { try system.emit(event, tenant: nil) }
}
