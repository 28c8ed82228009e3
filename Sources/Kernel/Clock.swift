internal import Foundation

/// Where the time comes from; passed in everywhere, so that a test can set it.
package struct Clock: Sendable {
    /// The time of day, which can be set forward and back.
    package let now: @Sendable () -> Timestamp
    /// Since some beginning; it only goes forward.
    package let elapsed: @Sendable () -> Duration
    /// - Throws: `CancellationError` when the task is cancelled.
    package let sleep: @Sendable (Duration) async throws -> Void

    /// A time of day of one's own beside the machine's way of waiting.
    package init(now: @escaping @Sendable () -> Timestamp) {
        self.init(now: now, elapsed: { Self.start.duration(to: .now) }, sleep: { try await Task.sleep(for: $0) })
    }

    package init(
        now: @escaping @Sendable () -> Timestamp, elapsed: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.elapsed = elapsed
        self.sleep = sleep
    }

    private static let start = ContinuousClock.now

    /// The machine's clock.
    package static let system = Clock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
