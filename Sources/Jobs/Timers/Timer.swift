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

    func isSet(_ tenant: TenantID, kind: String, subject: String) throws -> Bool {
        try tx.first("SELECT 1 FROM timers WHERE tenant_id = \(tenant) AND kind = \(kind) AND subject = \(subject)") != nil
    }

    /// Takes due timers of a kind for a while, so that two services do not fire one at once. Where there are more than `limit`, those of
    /// the lowest rank.
    /// - Parameter without: tenants whose timers are left alone.
    func claimDue(_ kind: String, limit: Int, without tenants: [TenantID] = []) throws -> [Timer] {
        let now = tx.clock.now()
        // No tenant has this id; a list must not be empty.
        let without = tenants + [TenantID(high: 0, low: 0)]
        let isDue: SQL = "kind = \(kind) AND due_at <= \(now) AND claimed_until <= \(now) AND tenant_id NOT IN \(list: without)"
        let due = try tx.all("SELECT 1 FROM timers WHERE \(part: isDue) ORDER BY due_at LIMIT \(limit + 1)").count
        guard due > 0 else { return [] }
        let order: SQL = due > limit ? "rank" : "due_at"
        let rows = try tx.all(
            """
            WITH due AS (
                SELECT tenant_id, kind, subject FROM timers WHERE \(part: isDue) ORDER BY \(part: order) LIMIT \(limit) \(part: tx.skippingLocked))
            UPDATE timers SET claimed_until = \(now + Self.claim), attempts = timers.attempts + 1 FROM due
            WHERE timers.tenant_id = due.tenant_id AND timers.kind = due.kind AND timers.subject = due.subject
            RETURNING timers.tenant_id, timers.kind, timers.subject, timers.due_at, timers.payload, timers.attempts, timers.rank
            """)
        return try rows.map { row -> (Timer, Timestamp) in
            let timer = Timer(
                tenant: try row.column(0), kind: try row.column(1), subject: try row.column(2), dueAt: try row.column(3), payload: try row.column(4),
                attempts: try row.column(5, as: Int.self) - 1)
            return (timer, try row.column(6))
        }.sorted { ($0.1, $0.0.dueAt, $0.0.subject) < ($1.1, $1.0.dueAt, $1.0.subject) }.map(\.0)
    }

    /// Keeps a claim while its handler works.
    func renew(_ timer: Timer) throws { try postpone(timer, by: Self.claim) }

    /// A timer whose handler failed is due again after `wait`.
    func postpone(_ timer: Timer, by wait: Duration, attempts: Int? = nil) throws {
        try tx.execute(
            """
            UPDATE timers SET claimed_until = \(tx.clock.now() + wait), attempts = COALESCE(\(attempts), attempts)
            WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND due_at = \(timer.dueAt)
            """)
    }

    /// A timer that was not handled, as if it had never been claimed, is due again after `wait`.
    func putBack(_ timer: Timer, for wait: Duration) throws {
        try postpone(timer, by: wait, attempts: timer.attempts)
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

    package func hasTimer(kind: String, subject: String) throws -> Bool {
        try TimerStore(tx: system).isSet(tenant.id, kind: kind, subject: subject)
    }

    /// Removes timers, whether they are there or not.
    package func dropTimers(kind: String, subjects: [String]) throws {
        try system.presume("DELETE FROM timers WHERE tenant_id = \(tenant.id) AND kind = \(kind) AND subject IN \(list: subjects)")
    }
}
