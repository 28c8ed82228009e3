internal import Kernel
internal import Synchronization

/// How long one step may still sleep; the requests that run side by side share it.
final class HttpPatience: Sendable {
    private let startedAt: Timestamp
    private let started = ContinuousClock.now
    private let slept = Mutex(Duration.zero)

    init(_ now: Timestamp) { startedAt = now }

    var now: Timestamp { startedAt + (ContinuousClock.now - started) }

    /// Sleeps through a short wait.
    /// - Throws: `HttpPause` for a longer one, to go on at `place`.
    func wait(_ wait: Duration, at place: HttpProgress.Place) async throws {
        guard wait > .zero else { return }
        if let until = try await end(of: wait) { throw HttpPause(until: until, place: place) }
    }

    /// Sleeps through a short wait.
    /// - Returns: when a longer one ends.
    func end(of wait: Duration) async throws -> Timestamp? {
        guard takes(wait) else { return now + wait }
        try await Task.sleep(for: wait)
        return nil
    }

    /// Whether a wait is short enough to be slept through; it then counts as slept.
    private func takes(_ wait: Duration) -> Bool {
        guard wait <= KindLimits.sleep else { return false }
        return slept.withLock { slept in
            guard slept + wait <= KindLimits.sleepInAll else { return false }
            slept += wait
            return true
        }
    }
}
