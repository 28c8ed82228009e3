internal import Kernel
internal import Persistence

/// Upkeep that comes again: done by one process of the deployment at a time, and safe to be done twice.
package struct Duty: Sendable {
    /// Unique and stable: it names the row.
    package let name: String
    /// From the end of one round to the beginning of the next.
    package let interval: Duration
    let work: @Sendable () async throws -> Void

    package init(_ name: String, every interval: Duration, work: @escaping @Sendable () async throws -> Void) {
        precondition(interval > .zero, "a duty needs an interval")
        self.name = name
        self.interval = interval
        self.work = work
    }
}

/// When each duty is due next, and how long its claimer keeps it to itself.
///
/// What lies further ahead than a duty's interval, or than a claim, was written by a clock that has been set back since, and counts as past.
struct DutyStore {
    let tx: SystemTransaction

    /// So much may a clock be set back before that counts.
    static let slack: Duration = .seconds(60)

    static let table = Table(
        "duties", .system, primaryKey: ["name"],
        columns: [Column("name", .text), Column("due_at", .timestamp), Column("claimed_until", .timestamp)])

    /// Whether a claim may succeed: asked first, since most looks find nothing to do and need not write.
    func isDue(_ duty: Duty) throws -> Bool {
        let now = tx.clock.now()
        let row = try tx.first("SELECT due_at, claimed_until FROM duties WHERE name = \(duty.name)")
        guard let row else { return true }
        let (due, claimed): (Timestamp, Timestamp) = (try row.column(0), try row.column(1))
        return (due <= now || due > now + duty.interval + Self.slack) && (claimed <= now || claimed > now + DutyService.claim + Self.slack)
    }

    /// Takes a due duty that nobody has.
    /// - Returns: the end of the claim, which names it; nil where it is not due or another has it.
    func claim(_ duty: Duty, for time: Duration) throws -> Timestamp? {
        let now = tx.clock.now()
        let until = now + time
        try tx.execute(
            """
            INSERT INTO duties (name, due_at, claimed_until) VALUES (\(duty.name), \(now), \(Timestamp(microseconds: 0))) ON CONFLICT (name) DO NOTHING
            """)
        let taken = try tx.execute(
            """
            UPDATE duties SET claimed_until = \(until)
            WHERE name = \(duty.name) AND (due_at <= \(now) OR due_at > \(now + duty.interval + Self.slack))
                AND (claimed_until <= \(now) OR claimed_until > \(until + Self.slack))
            """)
        return taken == 1 ? until : nil
    }

    /// Ends a claim; nothing happens where another has taken the duty over meanwhile.
    func finish(_ duty: Duty, claim: Timestamp) throws {
        try tx.execute(
            """
            UPDATE duties SET due_at = \(tx.clock.now() + duty.interval), claimed_until = \(Timestamp(microseconds: 0))
            WHERE name = \(duty.name) AND claimed_until = \(claim)
            """)
    }

    /// Gives a claim back: the duty is as due as it was.
    func release(_ duty: Duty, claim: Timestamp) throws {
        try tx.execute(
            "UPDATE duties SET claimed_until = \(Timestamp(microseconds: 0)) WHERE name = \(duty.name) AND claimed_until = \(claim)")
    }
}
