internal import Synchronization

/// Makes time-ordered ids: 48 bits of milliseconds, then a 12-bit counter within the millisecond, then 62 random bits.
/// Two ids of one source never compare in the wrong order, even when the clock steps back.
package final class IDs: Sendable {
    private let clock: Clock
    private let random: @Sendable () -> UInt64
    private let last = Mutex<UInt64>(0)

    package init(clock: Clock, random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }) {
        self.clock = clock
        self.random = random
    }

    package func next<Thing>(_: Thing.Type = Thing.self) -> ID<Thing> {
        let now = UInt64(clear: clock.now().milliseconds) << 12
        let tick: UInt64 = last.withLock { last in
            last = max(last + 1, now)
            return last
        }
        return ID(
            high: (tick >> 12) << 16 | 0x7000 | (tick & 0xFFF),
            low: 0x8000_0000_0000_0000 | (random() >> 2))
    }
}

extension UInt64 {
    fileprivate init(clear value: Int64) { self = value < 0 ? 0 : UInt64(value) }
}
