package import HTTPSurface
package import Kernel
internal import Synchronization

/// The generic cell rate algorithm (ITU-T I.371) per key: an even rate with a burst of one second's worth, one number of state a key.
/// State is of this process; with several gateways each allows the rate.
package final class RateLimiter: Sendable {
    private struct State {
        var arrivals: [String: Int64] = [:]
        /// Keys above which the next sweep comes; twice what the last one left, so that sweeping stays cheap when all keys are busy.
        var sweepAbove = RateLimiter.keysMaximum
    }
    private let state = Mutex(State())
    private let clock: Clock

    /// From this many keys on those whose burst is full again are forgotten.
    static let keysMaximum = 100_000

    package init(clock: Clock) { self.clock = clock }

    /// - Parameter perSecond: the rate; nil is unlimited.
    package func take(_ key: String, perSecond: Int?) -> RateDecision? {
        guard let perSecond, perSecond > 0 else { return nil }
        let now = clock.now().microseconds
        let interval = max(1, 1_000_000 / Int64(perSecond))
        let burst = interval * Int64(perSecond)
        return state.withLock { state in
            // None is ahead by more than the burst, unless the clock was set back: nobody waits for it to catch up.
            let known = state.arrivals[key] ?? now
            let theoretical = known - now > burst ? now : max(known, now)
            let next = theoretical + interval
            let allowedAt = next - burst
            guard allowedAt <= now else {
                return RateDecision(
                    isAllowed: false, limit: perSecond, remaining: 0, reset: .microseconds(theoretical - now),
                    retryAfter: .microseconds(allowedAt - now))
            }
            state.arrivals[key] = next
            if state.arrivals.count > state.sweepAbove {
                state.arrivals = state.arrivals.filter { $0.value > now }
                state.sweepAbove = max(Self.keysMaximum, state.arrivals.count * 2)
            }
            return RateDecision(
                isAllowed: true, limit: perSecond, remaining: Int((burst - (next - now)) / interval),
                reset: .microseconds(next - now))
        }
    }
}
