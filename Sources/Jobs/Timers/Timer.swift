package import Kernel
package import Persistence

/// Something to be done at a time, kept as a row: of a tenant, found by kind and subject.
package struct Timer: Sendable, Hashable {
    package var tenant: TenantID
    /// Names the handler: `run.resume`, `schedule.fire`.
    package var kind: String
    /// What it is about; setting the same subject again moves the timer.
    package var subject: String
    package var dueAt: Timestamp
    package var payload: String
    package var attempts: Int
}

package struct TimerStore {
    let tx: SystemTransaction

    static let table = Table(
        "timers", .system, primaryKey: ["tenant_id", "kind", "subject"],
        columns: [
            Column("tenant_id", .uuid), Column("kind", .text), Column("subject", .text), Column("due_at", .timestamp),
            Column("claimed_until", .timestamp), Column("attempts", .integer), Column("payload", .text)
        ],
        indexes: [Index("timers_due", on: ["due_at"])])

    /// How long a claimed timer is left to its claimer.
    static let claim: Duration = .seconds(60)

    package init(tx: SystemTransaction) { self.tx = tx }

    func set(_ tenant: TenantID, kind: String, subject: String, dueAt: Timestamp, payload: String) throws {
        try tx.execute(
            """
            INSERT INTO timers (tenant_id, kind, subject, due_at, claimed_until, attempts, payload)
            VALUES (\(tenant), \(kind), \(subject), \(dueAt), \(Timestamp(microseconds: 0)), 0, \(payload))
            ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET due_at = excluded.due_at, claimed_until = excluded.claimed_until, attempts = 0,
                payload = excluded.payload
            """)
    }

    func cancel(_ tenant: TenantID, kind: String, subject: String) throws -> Bool {
        try tx.execute("DELETE FROM timers WHERE tenant_id = \(tenant) AND kind = \(kind) AND subject = \(subject)") == 1
    }

    /// Takes due timers for a while, so that two services do not fire one at once.
    func claimDue(limit: Int) throws -> [Timer] {
        let now = tx.clock.now()
        let due = try tx.all(
            """
            SELECT tenant_id, kind, subject, due_at, payload, attempts, claimed_until FROM timers
            WHERE due_at <= \(now) AND claimed_until <= \(now) ORDER BY due_at LIMIT \(limit)
            """)
        return try due.compactMap { row in
            let timer = Timer(
                tenant: try row.column(0), kind: try row.column(1), subject: try row.column(2), dueAt: try row.column(3), payload: try row.column(4),
                attempts: try row.column(5))
            let before: Timestamp = try row.column(6)
            let taken = try tx.execute(
                """
                UPDATE timers SET claimed_until = \(now + Self.claim), attempts = attempts + 1
                WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND claimed_until = \(before)
                """)
            return taken == 1 ? timer : nil
        }
    }

    /// A timer whose handler failed is due again after `wait`.
    func postpone(_ timer: Timer, by wait: Duration) throws {
        try tx.execute(
            """
            UPDATE timers SET claimed_until = \(tx.clock.now() + wait)
            WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND due_at = \(timer.dueAt)
            """)
    }

    /// When the next timer can be claimed: due, and not left to another claimer or a wait after a failure.
    func nextDue() throws -> Timestamp? {
        try tx.first("SELECT min(CASE WHEN claimed_until > due_at THEN claimed_until ELSE due_at END) FROM timers") {
            try $0.column(0, as: Timestamp?.self)
        } ?? nil
    }
}

extension TenantTransaction {
    /// Sets or moves a timer in the transaction of the change that wants it.
    package func setTimer(kind: String, subject: String, dueAt: Timestamp, payload: String = "") throws {
        try TimerStore(tx: system).set(tenant.id, kind: kind, subject: subject, dueAt: dueAt, payload: payload)
        afterCommit { TimerService.wake.raise() }
    }

    /// Removes a timer; the handler does so in the transaction of its effect, so that the effect happens once.
    /// - Returns: whether it was there.
    @discardableResult
    package func cancelTimer(kind: String, subject: String) throws -> Bool {
        try TimerStore(tx: system).cancel(tenant.id, kind: kind, subject: subject)
    }
}
