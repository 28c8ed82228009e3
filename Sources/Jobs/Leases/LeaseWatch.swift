internal import Kernel

/// Tells which processes are dead: those whose lease was not renewed while this process watched it for the lease's length, by a clock
/// that only goes forward. No two clocks are compared, so that none may be set wrong or jump and take the runs of the living.
package struct LeaseWatch: Sendable {
    private struct Seen {
        var mark: Timestamp
        /// How long it has been seen with this mark.
        var age: Duration
    }

    private let lifetime: Duration
    private var seen: [Int64: Seen] = [:]
    private var answered: Duration?

    /// - Parameter lifetime: how long a lease lasts without being renewed.
    package init(lifetime: Duration) { self.lifetime = lifetime }

    /// Between two looks more time than this counts as this much: whoever did not look may have been held up, or have lost the database as
    /// all others did, and they need the time to renew when it is back.
    package static func creditMaximum(_ lifetime: Duration) -> Duration { lifetime / 3 }

    /// Notes what a look found.
    /// - Parameters:
    ///   - asked: on the clock that only goes forward, before the rows were read.
    ///   - answered: the same clock, after it.
    /// - Returns: the leases to end, if they still have the mark.
    package mutating func look(_ held: [HeldLease], asked: Duration, answered: Duration) -> [HeldLease] {
        precondition(answered >= asked, "this clock only goes forward")
        let credit = self.answered.map { min(max(asked - $0, .zero), Self.creditMaximum(lifetime)) } ?? .zero
        self.answered = answered
        var now: [Int64: Seen] = [:]
        for lease in held {
            let before = seen[lease.epoch].flatMap { $0.mark == lease.mark ? $0.age : nil }
            now[lease.epoch] = Seen(mark: lease.mark, age: before.map { $0 + credit } ?? .zero)
        }
        seen = now
        return held.filter { (now[$0.epoch]?.age ?? .zero) >= lifetime }
    }
}
