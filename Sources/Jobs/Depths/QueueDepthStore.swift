internal import Kernel
package import Persistence

/// How much waits, and how late the oldest of it is.
package struct QueueDepths: Sendable, Hashable {
    /// Runs that wait for a time, or to be taken up.
    package var runsParked: Int
    package var timersDue: Int
    package var timersLag: Duration
    /// Events not yet handed out, and deliveries not yet made.
    package var outboxPending: Int
    package var outboxLag: Duration
    package var outboxDead: Int
}

package struct QueueDepthStore {
    let tx: SystemTransaction

    package init(tx: SystemTransaction) { self.tx = tx }

    package func depths() throws -> QueueDepths {
        let now = tx.clock.now()
        let timers = try tally("SELECT count(*), min(due_at) FROM timers WHERE due_at <= \(now)")
        let parked = try tally("SELECT count(*), min(due_at) FROM timers WHERE kind = \("run.resume")")
        let fresh = try tally("SELECT count(*), min(at) FROM outbox_events WHERE is_fanned_out = \(false)")
        let waiting = try tally("SELECT count(*), min(due_at) FROM outbox_deliveries WHERE state = \("pending")")
        let dead = try tally("SELECT count(*), min(due_at) FROM outbox_deliveries WHERE state = \("dead")")
        func age(_ time: Timestamp?) -> Duration { time.map { max(.zero, now - $0) } ?? .zero }
        return QueueDepths(
            runsParked: parked.count, timersDue: timers.count, timersLag: age(timers.oldest), outboxPending: fresh.count + waiting.count,
            outboxLag: max(age(fresh.oldest), age(waiting.oldest)), outboxDead: dead.count)
    }

    private func tally(_ sql: SQL) throws -> (count: Int, oldest: Timestamp?) {
        try tx.first(sql) { (try $0.column(0), try $0.column(1)) } ?? (0, nil)
    }
}
