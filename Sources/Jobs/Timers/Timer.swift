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
            // Among those that are due, which comes first: the time for most, later for tenants with many.
            Column("rank", .timestamp), Column("claimed_until", .timestamp), Column("attempts", .integer), Column("payload", .text)
        ],
        indexes: [Index("timers_due", on: ["kind", "due_at"]), Index("timers_rank", on: ["kind", "rank"])])

    /// How long a claimed timer is left to its claimer, who renews the claim while its handler works.
    static let claim: Duration = .seconds(15)

    package init(tx: SystemTransaction) { self.tx = tx }

    func set(_ tenant: TenantID, kind: String, subject: String, dueAt: Timestamp, rank: Timestamp, payload: String) throws {
        try tx.presume(
            """
            INSERT INTO timers (tenant_id, kind, subject, due_at, rank, claimed_until, attempts, payload)
            VALUES (\(tenant), \(kind), \(subject), \(dueAt), \(rank), \(Timestamp(microseconds: 0)), 0, \(payload))
            ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET due_at = excluded.due_at, rank = excluded.rank,
                claimed_until = excluded.claimed_until, attempts = 0, payload = excluded.payload
            """)
    }

    func cancel(_ tenant: TenantID, kind: String, subject: String) throws -> Bool {
        try tx.execute("DELETE FROM timers WHERE tenant_id = \(tenant) AND kind = \(kind) AND subject = \(subject)") == 1
    }

    /// Takes due timers of a kind for a while, so that two services do not fire one at once. Where there are more than `limit`, those of
    /// the lowest rank.
    /// - Parameter without: tenants whose timers are left alone.
    func claimDue(_ kind: String, limit: Int, without tenants: [TenantID] = []) throws -> [Timer] {
        let now = tx.clock.now()
        // No tenant has this id; a list must not be empty.
        let without = tenants + [TenantID(high: 0, low: 0)]
        var due = try tx.all(
            """
            SELECT tenant_id, kind, subject, due_at, payload, attempts, claimed_until FROM timers
            WHERE kind = \(kind) AND due_at <= \(now) AND claimed_until <= \(now) AND tenant_id NOT IN \(list: without) ORDER BY due_at LIMIT \(limit + 1)
            """)
        if due.count > limit {
            due = try tx.all(
                """
                SELECT tenant_id, kind, subject, due_at, payload, attempts, claimed_until FROM timers
                WHERE kind = \(kind) AND due_at <= \(now) AND claimed_until <= \(now) AND tenant_id NOT IN \(list: without) ORDER BY rank LIMIT \(limit)
                """)
        }
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

    /// Keeps a claim while its handler works.
    func renew(_ timer: Timer) throws { try postpone(timer, by: Self.claim) }

    /// A timer whose handler failed is due again after `wait`.
    func postpone(_ timer: Timer, by wait: Duration) throws {
        try tx.execute(
            """
            UPDATE timers SET claimed_until = \(tx.clock.now() + wait)
            WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND due_at = \(timer.dueAt)
            """)
    }

    /// When the next timer of these kinds can be claimed: due, and not left to another claimer or a wait after a failure.
    func nextDue(_ kinds: [String]) throws -> Timestamp? { try kinds.compactMap(nextDue).min() }

    private func nextDue(_ kind: String) throws -> Timestamp? {
        let now = tx.clock.now()
        let free: Timestamp? = try tx.first(
            "SELECT due_at FROM timers WHERE kind = \(kind) AND claimed_until <= \(now) ORDER BY due_at LIMIT 1"
        ) { try $0.column(0) }
        if let free, free <= now { return free }
        // Whatever is due is claimed: so many as are at work, or were turned away.
        let claimed: Timestamp? =
            try tx.first(
                "SELECT min(claimed_until) FROM timers WHERE kind = \(kind) AND due_at <= \(now) AND claimed_until > \(now)"
            ) { try $0.column(0, as: Timestamp?.self) } ?? nil
        return [free, claimed].compactMap { $0 }.min()
    }
}

extension TenantTransaction {
    /// Sets or moves a timer in the transaction of the change that wants it.
    /// - Parameter rank: its place among those that are due at once; the time where it is nil.
    package func setTimer(kind: String, subject: String, dueAt: Timestamp, rank: Timestamp? = nil, payload: String = "") throws {
        try TimerStore(tx: system).set(tenant.id, kind: kind, subject: subject, dueAt: dueAt, rank: rank ?? dueAt, payload: payload)
        // What is due later the sweeps find.
        guard dueAt <= clock.now() + TimerService.sweep else { return }
        afterCommit {
            TimerService.wake.raise()
            WakeRelay.shared.tell(.timers)
        }
    }

    /// Removes a timer; the handler does so in the transaction of its effect, so that the effect happens once.
    /// - Returns: whether it was there.
    @discardableResult
    package func cancelTimer(kind: String, subject: String) throws -> Bool {
        try TimerStore(tx: system).cancel(tenant.id, kind: kind, subject: subject)
    }
}
