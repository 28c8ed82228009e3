internal import Glibc
internal import Synchronization

/// Makes time-ordered ids: 48 bits of milliseconds, then a 12-bit counter within the millisecond, then 62 random bits.
/// Two ids of one source never compare in the wrong order, even when the clock steps back.
package final class IDs: Sendable {
    private let clock: Clock
    private let random: @Sendable () -> UInt64
    private let last = Mutex<UInt64>(0)

    package init(clock: Clock, random: @escaping @Sendable () -> UInt64) {
        self.clock = clock
        self.random = random
    }

    package convenience init(clock: Clock) {
        let numbers = RandomNumbers()
        self.init(clock: clock) { numbers.next() }
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

/// Random numbers of the system, which gives 256 bytes for the price of eight (getentropy(3)).
private final class RandomNumbers: Sendable {
    private struct State {
        var numbers = [UInt64](repeating: 0, count: 32)
        var left = 0
    }

    private let state = Mutex(State())

    func next() -> UInt64 {
        state.withLock { state in
            if state.left == 0 {
                let isFilled = state.numbers.withUnsafeMutableBytes { getentropy($0.baseAddress!, $0.count) == 0 }
                precondition(isFilled, "the system has no random numbers")
                state.left = state.numbers.count
            }
            state.left -= 1
            return state.numbers[state.left]
        }
    }
}
