package import Kernel
package import Persistence

package enum WorkerTag {}

/// A process's right to work: whoever writes to a journal names the epoch, and a stale one is refused by the database.
package struct Lease: Sendable, Hashable {
    package let worker: ID<WorkerTag>
    /// Rises with every lease of the deployment.
    package let epoch: Int64

    package init(worker: ID<WorkerTag>, epoch: Int64) {
        self.worker = worker
        self.epoch = epoch
    }
}

/// The table of processes at work.
package struct LeaseStore {
    let tx: SystemTransaction

    static let table = Table(
        "workers", .system, primaryKey: ["epoch"],
        columns: [
            Column("epoch", .integer), Column("id", .uuid), Column("name", .text), Column("started_at", .timestamp), Column("expires_at", .timestamp)
        ],
        indexes: [Index("workers_expiry", on: ["expires_at"])])

    package init(tx: SystemTransaction) { self.tx = tx }

    package func acquire(name: String, for duration: Duration) throws -> Lease {
        let last = try tx.first("SELECT max(epoch) FROM workers") { try $0.column(0, as: Int64?.self) } ?? nil
        let lease = Lease(worker: tx.ids.next(), epoch: (last ?? 0) + 1)
        let now = tx.clock.now()
        try tx.execute(
            """
            INSERT INTO workers (epoch, id, name, started_at, expires_at) VALUES (\(lease.epoch), \(lease.worker), \(name), \(now), \(now + duration))
            """)
        return lease
    }

    /// - Returns: false where the lease has expired or was ended: its holder must stop writing.
    package func renew(_ lease: Lease, for duration: Duration) throws -> Bool {
        let now = tx.clock.now()
        return try tx.execute("UPDATE workers SET expires_at = \(now + duration) WHERE epoch = \(lease.epoch) AND expires_at > \(now)") == 1
    }

    package func end(_ lease: Lease) throws {
        try tx.execute("UPDATE workers SET expires_at = \(tx.clock.now()) WHERE epoch = \(lease.epoch) AND expires_at > \(tx.clock.now())")
    }

    /// Ends every lease but one: for the embedded database, whose folder has one owner.
    package func endAll(except lease: Lease) throws {
        try tx.execute("UPDATE workers SET expires_at = \(tx.clock.now()) WHERE epoch <> \(lease.epoch) AND expires_at > \(tx.clock.now())")
    }

    /// The epochs whose lease holds.
    package func live() throws -> [Int64] {
        try tx.all("SELECT epoch FROM workers WHERE expires_at > \(tx.clock.now()) ORDER BY epoch") { try $0.column(0) }
    }
}
