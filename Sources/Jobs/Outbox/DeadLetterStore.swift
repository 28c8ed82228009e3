package import Kernel
package import Persistence

/// The deliveries given up of one tenant; of the platform itself where it has none.
package struct DeadLetters: Sendable, Hashable {
    package var tenant: TenantID?
    package var count: Int
    /// When the oldest of their events happened.
    package var oldest: Timestamp
}

/// Deliveries that were tried as often as they may be.
package struct DeadLetterStore {
    let tx: SystemTransaction

    package init(tx: SystemTransaction) { self.tx = tx }

    /// By tenant, those with the most first.
    package func tally(limit: Int) throws -> [DeadLetters] {
        try tx.all(
            """
            SELECT e.tenant_id, count(*), min(e.at) FROM outbox_deliveries d JOIN outbox_events e ON e.id = d.event_id
            WHERE d.state = \("dead") GROUP BY e.tenant_id ORDER BY count(*) DESC, e.tenant_id LIMIT \(limit)
            """
        ) { DeadLetters(tenant: try $0.column(0), count: try $0.column(1), oldest: try $0.column(2)) }
    }
}
