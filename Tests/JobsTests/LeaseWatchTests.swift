import Kernel
import Testing

@testable import Jobs

@Suite struct LeaseWatchTests {
    private func lease(_ epoch: Int64, _ mark: Int64) -> HeldLease { HeldLease(epoch: epoch, mark: Timestamp(seconds: mark)) }

    /// Looks at so many seconds, each answered at once, and returns the epochs found dead at the last.
    private func watch(_ looks: [(at: Int, held: [HeldLease])]) -> [Int64] {
        var watch = LeaseWatch(lifetime: .seconds(15))
        return looks.map { watch.look($0.held, asked: .seconds($0.at), answered: .seconds($0.at)) }.last?.map(\.epoch) ?? []
    }

    @Test func `a lease that does not change for its length is dead, one that changes in any direction is not`() {
        let looks = stride(from: 0, through: 15, by: 3).map { at in (at: at, held: [lease(1, 5), lease(2, Int64(1_000 - at))]) }
        #expect(watch(looks) == [1])
        #expect(watch(Array(looks.dropLast())) == [])
    }

    @Test func `one renewed in between starts anew`() {
        #expect(watch([(0, [lease(1, 5)]), (5, [lease(1, 5)]), (10, [lease(1, 6)]), (15, [lease(1, 6)]), (20, [lease(1, 6)])]) == [])
        #expect(watch([(0, [lease(1, 5)]), (5, [lease(1, 6)]), (10, [lease(1, 6)]), (15, [lease(1, 6)]), (20, [lease(1, 6)])]) == [1])
    }

    @Test func `who was held up, or lost the database, gives the others time to renew`() {
        #expect(watch([(0, [lease(1, 5)]), (3, [lease(1, 5)]), (600, [lease(1, 5)]), (603, [lease(1, 5)])]) == [])
        #expect(watch([(0, [lease(1, 5)]), (100, [lease(1, 5)]), (200, [lease(1, 5)]), (300, [lease(1, 5)])]) == [1], "and comes to an end")
    }

    @Test func `the time that answers take is not counted`() {
        var watch = LeaseWatch(lifetime: .seconds(15))
        for at in stride(from: 0, through: 24, by: 4) {
            #expect(watch.look([lease(1, 5)], asked: .seconds(at), answered: .seconds(at + 2)).isEmpty)
        }
    }
}
