import Kernel
import Synchronization
import Testing

struct TimedCacheTests {
    private struct Away: Error {}

    private let cache = TimedCache<Int>(lifetime: .seconds(4), entriesMaximum: 2)
    private let a = CacheKey("a")
    private let b = CacheKey("b")
    private let begin = Timestamp(microseconds: 0)

    private func at(_ seconds: Double) -> Timestamp { begin + .seconds(seconds) }

    @Test func `a value is used until its time is over, and not later`() async throws {
        #expect(try await cache.value(of: a, now: at(0)) { 1 } == 1)
        #expect(try await cache.value(of: a, now: at(2.9)) { 2 } == 1)
        #expect(try await cache.value(of: a, now: at(4)) { 3 } == 3)
        await #expect(throws: Away.self) { try await cache.value(of: a, now: at(9)) { throw Away() } }
    }

    @Test func `one of those that ask reads it anew before its time is over, the others go on with what is known`() async throws {
        #expect(try await cache.value(of: a, now: at(0)) { 1 } == 1)
        let renewed = try await cache.value(of: a, now: at(3)) { () async throws -> Int in
            // While it is being read.
            let (meanwhile, late) = (
                try await cache.value(of: a, now: at(3.9)) { 3 }, try await cache.value(of: a, now: at(4)) { 4 }
            )
            #expect(meanwhile == 1 && late == 4)
            return 2
        }
        #expect(renewed == 2)
        #expect(try await cache.value(of: a, now: at(5)) { 5 } == 2)
    }

    @Test func `where it cannot be read anew the value of before holds until its end`() async throws {
        #expect(try await cache.value(of: a, now: at(0)) { 1 } == 1)
        #expect(try await cache.value(of: a, now: at(3)) { throw Away() } == 1)
        await #expect(throws: Away.self) { try await cache.value(of: a, now: at(4)) { throw Away() } }
    }

    @Test func `a value that was kept while the clock was ahead is read anew when it is set back`() async throws {
        #expect(try await cache.value(of: a, now: at(3_600)) { 1 } == 1)
        #expect(try await cache.value(of: a, now: at(0)) { 2 } == 2)
        #expect(try await cache.value(of: a, now: at(1)) { 3 } == 2)
    }

    @Test func `what is forgotten while it is being read is not kept`() async throws {
        let old = try await cache.value(of: a, now: at(0)) {
            cache.forget { $0 == a }
            return 1
        }
        #expect(old == 1)
        #expect(try await cache.value(of: a, now: at(0)) { 2 } == 2)
        #expect(try await cache.value(of: b, now: at(0)) { 3 } == 3)
        cache.forget { $0 == a }
        #expect(try await cache.value(of: a, now: at(0)) { 4 } == 4)
        #expect(try await cache.value(of: b, now: at(0)) { 5 } == 3)
    }

    @Test func `what may not be kept is read each time, and takes the place of what was known`() async throws {
        #expect(try await cache.value(of: a, now: at(0)) { 1 } == 1)
        #expect(try await cache.value(of: a, now: at(3), isKept: { $0 != 2 }) { 2 } == 2)
        #expect(try await cache.value(of: a, now: at(3)) { 3 } == 3)
    }

    @Test func `more than may be kept are forgotten`() async throws {
        let c = CacheKey("c")
        for (number, key) in [a, b, c].enumerated() { #expect(try await cache.value(of: key, now: at(0)) { number } == number) }
        #expect(try await cache.value(of: a, now: at(0)) { 7 } == 7)
        #expect(try await cache.value(of: c, now: at(0)) { 8 } == 2)
    }
}
