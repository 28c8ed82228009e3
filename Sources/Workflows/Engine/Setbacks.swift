internal import Kernel
internal import Persistence
internal import Synchronization

/// Runs that could not go on in this process, with their rows still in its name, until they are taken up again.
///
/// Where the database was away for a moment that is at once. Where it answers and refuses what a run writes, or the run cannot be read, the same comes
/// of it again, and the steps before it are done again: each time it waits twice as long.
final class Setbacks: Sendable {
    struct Run: Sendable, Hashable {
        var tenant: TenantID
        /// Clock time elapsed.
        var since: Duration
        var due: Duration
    }

    private struct State {
        var waiting: [RunID: Run] = [:]
        var refusals: [RunID: Int] = [:]
    }

    /// Refusals after which a run begins to wait.
    static let patience = 3
    static let waits: ClosedRange<Duration> = .seconds(5)...(.seconds(3_600))

    private let state = Mutex(State())

    func add(_ run: RunID, tenant: TenantID, after error: any Error, at now: Duration) {
        state.withLock { state in
            var wait: Duration = .zero
            if Self.isRefusal(error) {
                let count = (state.refusals[run] ?? 0) + 1
                state.refusals[run] = count
                if count > Self.patience { wait = min(Self.waits.lowerBound * (1 << min(count - Self.patience - 1, 20)), Self.waits.upperBound) }
            }
            state.waiting[run] = Run(tenant: tenant, since: now, due: now + wait)
        }
    }

    /// Takes out those whose time has come.
    func takeDue(at now: Duration) -> [RunID: Run] {
        state.withLock { state in
            let due = state.waiting.filter { $0.value.due <= now }
            for id in due.keys { state.waiting[id] = nil }
            return due
        }
    }

    /// Puts one back that is to be looked for once more.
    func keep(_ run: RunID, _ known: Run) { state.withLock { if $0.waiting[run] == nil { $0.waiting[run] = known } } }

    /// Lets one not wait any longer.
    func hurry(_ run: RunID, at now: Duration) {
        state.withLock { state in
            if let known = state.waiting[run], known.due > now { state.waiting[run]?.due = now }
        }
    }

    /// It went on.
    func forget(_ run: RunID) { _ = state.withLock { $0.refusals.removeValue(forKey: run) } }

    /// Whether the same would come of it again.
    static func isRefusal(_ error: any Error) -> Bool {
        switch error as? PersistenceError {
        case .diskFull, .locked, .unavailable, .contended: false
        case .constraint, .decoding, .unscoped, .schema, .driver: true
        case nil: !(error is CancellationError)
        }
    }
}
