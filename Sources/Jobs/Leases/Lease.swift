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

/// A lease as its row stands.
package struct HeldLease: Sendable, Hashable {
    package let epoch: Int64
    /// Another one after every renewal. It is a time by the clock of the holder, which may be off: only whether it changes means something.
    package let mark: Timestamp

    package init(epoch: Int64, mark: Timestamp) {
        self.epoch = epoch
        self.mark = mark
    }
}

/// A process of the deployment whose lease nobody has ended.
package struct WorkingProcess: Sendable, Hashable {
    package var epoch: Int64
    /// Of its machine.
    package var name: String
    /// Parted by commas.
    package var roles: String
    package var version: String
    package var startedAt: Timestamp
    /// Until when its lease holds by its own clock, unless it is renewed.
    package var expiresAt: Timestamp
}

/// The table of processes at work. A lease holds until somebody ends it: its holder, or one who has watched it (`LeaseWatch`).
package struct LeaseStore {
    let tx: SystemTransaction

    static let tableAtFirst = Table(
        "workers", .system, primaryKey: ["epoch"],
        columns: [
            Column("epoch", .integer), Column("id", .uuid), Column("name", .text), Column("started_at", .timestamp), Column("expires_at", .timestamp)
        ],
        indexes: [Index("workers_expiry", on: ["expires_at"])])

    /// What the process does, parted by commas, for those who look on; and the version and build of its program, see `hasOther`.
    static let facts = [Column("roles", .text, default: .text("")), Column("version", .text, default: .text(""))]

    /// What the process knows to do; 0 for programs that do not tell.
    static let format = Column("format", .integer, default: .integer(0))

    /// Rises where processes that work side by side have to know of each other what they do. From 1 on they keep files for the runs that name them.
    static let currentFormat = 1

    static let table: Table = {
        var table = tableAtFirst
        table.columns += facts + [format]
        return table
    }()

    /// In place of a time in the row of a lease that was ended, and comes back for nobody.
    private static let ended = Timestamp(microseconds: 0)

    package init(tx: SystemTransaction) { self.tx = tx }

    package func acquire(name: String, for duration: Duration, roles: String = "", version: String = "") throws -> Lease {
        let last = try tx.first("SELECT max(epoch) FROM workers") { try $0.column(0, as: Int64?.self) } ?? nil
        let lease = Lease(worker: tx.ids.next(), epoch: (last ?? 0) + 1)
        let now = tx.clock.now()
        try tx.execute(
            """
            INSERT INTO workers (epoch, id, name, started_at, expires_at, roles, version, format)
            VALUES (\(lease.epoch), \(lease.worker), \(name), \(now), \(now + duration), \(roles), \(version), \(Self.currentFormat))
            """)
        return lease
    }

    /// - Returns: false where the lease was ended: its holder must stop writing.
    package func renew(_ lease: Lease, for duration: Duration) throws -> Bool {
        try tx.execute(
            "UPDATE workers SET expires_at = \(tx.clock.now() + duration) WHERE epoch = \(lease.epoch) AND expires_at > \(Self.ended)") == 1
    }

    package func end(_ lease: Lease) throws {
        try tx.execute("UPDATE workers SET expires_at = \(Self.ended) WHERE epoch = \(lease.epoch)")
    }

    /// Ends the lease of a process that seems dead, unless it was renewed since it was looked at.
    /// - Returns: whether it was ended.
    package func end(_ held: HeldLease) throws -> Bool {
        try tx.execute("UPDATE workers SET expires_at = \(Self.ended) WHERE epoch = \(held.epoch) AND expires_at = \(held.mark)") == 1
    }

    /// Ends every lease but one: for the embedded database, whose folder has one owner.
    package func endAll(except lease: Lease) throws {
        try tx.execute("UPDATE workers SET expires_at = \(Self.ended) WHERE epoch <> \(lease.epoch) AND expires_at > \(Self.ended)")
    }

    /// The leases that nobody has ended, by epoch.
    package func held() throws -> [HeldLease] {
        try tx.all("SELECT epoch, expires_at FROM workers WHERE expires_at > \(Self.ended) ORDER BY epoch") {
            HeldLease(epoch: try $0.column(0), mark: try $0.column(1))
        }
    }

    /// The processes at work, the oldest first.
    package func processes(limit: Int) throws -> [WorkingProcess] {
        try tx.all(
            """
            SELECT epoch, name, roles, version, started_at, expires_at FROM workers WHERE expires_at > \(Self.ended) ORDER BY epoch LIMIT \(limit)
            """
        ) {
            WorkingProcess(
                epoch: try $0.column(0), name: try $0.column(1), roles: try $0.column(2), version: try $0.column(3), startedAt: try $0.column(4),
                expiresAt: try $0.column(5))
        }
    }

    /// Whether a process is at work that knows less than this program: one that an upgrade has yet to replace. Once there is none there will be none,
    /// since an older program does not start on a newer database.
    package func hasOlder() throws -> Bool {
        try tx.first("SELECT 1 FROM workers WHERE expires_at > \(Self.ended) AND format < \(Self.currentFormat)") { _ in } != nil
    }

    /// Whether a process of another version or build than that of this lease is at work: what one does not know the other may.
    package func hasOther(than lease: Lease) throws -> Bool {
        let row = try tx.first(
            """
            SELECT 1 FROM workers
            WHERE expires_at > \(Self.ended) AND version <> (SELECT version FROM workers WHERE epoch = \(lease.epoch)) LIMIT 1
            """)
        return row != nil
    }

    /// The epochs whose lease holds.
    package func live() throws -> [Int64] { try held().map(\.epoch) }
}
