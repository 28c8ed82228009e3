import Kernel
import Testing

@testable import Persistence

@Suite struct TurnQueueTests {
    private let one = TenantID(high: 1, low: 1)
    private let other = TenantID(high: 1, low: 2)

    private func drained(_ queue: TurnQueue<String>) -> [String] {
        var rest = queue
        var all: [String] = []
        while let next = rest.popFirst() { all.append(next) }
        return all
    }

    @Test func `a tenant with much work waits for its turns, and keeps its order`() {
        var queue = TurnQueue<String>()
        for number in 1...4 { queue.append("a\(number)", of: one) }
        queue.append("b1", of: other)
        queue.append("b2", of: other)
        #expect(drained(queue) == ["a1", "b1", "a2", "b2", "a3", "a4"])
    }

    @Test func `what is of no tenant is every other one`() {
        var queue = TurnQueue<String>()
        for number in 1...2 { queue.append("a\(number)", of: one) }
        queue.append("b1", of: other)
        for number in 1...4 { queue.append("own\(number)", of: nil) }
        #expect(drained(queue) == ["own1", "a1", "own2", "b1", "own3", "a2", "own4"])
    }

    @Test func `nothing is lost or turned about among very many`() {
        var queue = TurnQueue<Int>()
        var taken: [Int] = []
        for number in 0..<1_000 {
            queue.append(number, of: one)
            if number % 3 == 0, let next = queue.popFirst() { taken.append(next) }
        }
        while let next = queue.popFirst() { taken.append(next) }
        #expect(taken == Array(0..<1_000) && queue.isEmpty)
    }
}
