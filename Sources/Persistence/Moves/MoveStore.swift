package import Kernel

/// Which tenants have gone to another database or come from one, and the rows of the system's tables that are laid aside on the way: what is not there
/// can neither come due nor be taken up.
package struct MoveStore {
    let tx: SystemTransaction

    package enum Direction: String, Sendable, SQLBindable, SQLReadable { case outward = "out", inward = "in" }
    package enum State: String, Sendable, SQLBindable, SQLReadable { case copying, done }

    package struct Move: Sendable, Hashable {
        package var direction: Direction
        package var state: State
        /// What the tenant's status was before it was held.
        package var statusBefore: String
        /// Where it goes, or comes from; without secrets.
        package var peer: String

        package init(direction: Direction, state: State, statusBefore: String, peer: String) {
            self.direction = direction
            self.state = state
            self.statusBefore = statusBefore
            self.peer = peer
        }
    }

    static let moves = Table(
        "tenant_moves", .system, primaryKey: ["tenant_id"],
        columns: [
            Column("tenant_id", .uuid), Column("direction", .text), Column("state", .text), Column("status_before", .text), Column("peer", .text),
            Column("started_at", .timestamp), Column("finished_at", .timestamp, optional: true)
        ],
        checks: [.oneOf(column: "direction", values: ["out", "in"]), .oneOf(column: "state", values: ["copying", "done"])])

    static let parcels = Table(
        "move_parcels", .system, primaryKey: ["tenant_id", "table_name", "seq"],
        columns: [Column("tenant_id", .uuid), Column("table_name", .text), Column("seq", .integer), Column("content", .blob)])

    package init(tx: SystemTransaction) { self.tx = tx }

    package func move(of tenant: TenantID) throws -> Move? {
        try tx.first("SELECT direction, state, status_before, peer FROM tenant_moves WHERE tenant_id = \(tenant)") {
            Move(direction: try $0.column(0), state: try $0.column(1), statusBefore: try $0.column(2), peer: try $0.column(3))
        }
    }

    /// Those that are not, or not wholly, here: gone, or still on their way.
    package func elsewhere() throws -> Set<TenantID> {
        Set(
            try tx.all("SELECT tenant_id FROM tenant_moves WHERE direction = \(Direction.outward) OR state = \(State.copying)") {
                try $0.column(0, as: TenantID.self)
            })
    }

    package func begin(_ move: Move, of tenant: TenantID) throws {
        try tx.execute(
            """
            INSERT INTO tenant_moves (tenant_id, direction, state, status_before, peer, started_at)
            VALUES (\(tenant), \(move.direction), \(move.state), \(move.statusBefore), \(move.peer), \(tx.clock.now()))
            """)
    }

    package func forget(_ tenant: TenantID) throws { try tx.execute("DELETE FROM tenant_moves WHERE tenant_id = \(tenant)") }

    package func finish(_ tenant: TenantID) throws {
        try tx.execute("UPDATE tenant_moves SET state = \(State.done), finished_at = \(tx.clock.now()) WHERE tenant_id = \(tenant)")
        try tx.execute("DELETE FROM move_parcels WHERE tenant_id = \(tenant)")
    }

    /// Takes rows out of a system table.
    package func layAside(_ rows: [[SQLValue]], of table: String, tenant: TenantID) throws {
        for (seq, row) in rows.enumerated() {
            try tx.execute(
                """
                INSERT INTO move_parcels (tenant_id, table_name, seq, content) VALUES (\(tenant), \(table), \(seq), \(RowCoding.encode(row)))
                """)
        }
    }

    package func laidAside(of table: String, tenant: TenantID) throws -> [[SQLValue]] {
        try tx.all("SELECT content FROM move_parcels WHERE tenant_id = \(tenant) AND table_name = \(table) ORDER BY seq") {
            try RowCoding.decode(try $0.column(0))
        }
    }

    /// The rows of the outbox's deliveries, which name their tenant by their event alone.
    package func deliveries(of tenant: TenantID) throws -> [[SQLValue]] {
        let rows = try tx.all(
            """
            SELECT d.event_id, d.subscriber, d.subject, d.state, d.attempts, d.due_at, d.error
            FROM outbox_deliveries d JOIN outbox_events e ON e.id = d.event_id WHERE e.tenant_id = \(tenant) ORDER BY d.event_id, d.subscriber
            """)
        return try rows.map { row in try zip(row.values, Outbox.deliveries.columns).map { try RowCoding.canonical($0, $1.kind) } }
    }
}
