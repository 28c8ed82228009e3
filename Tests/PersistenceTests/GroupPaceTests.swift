import Testing

@testable import Persistence

struct GroupPaceTests {
    private func pace(_ groups: [Int]) -> GroupPace? {
        groups.reduce(nil) { GroupPace(group: $1, after: $0) }
    }

    @Test func `a caller whose writes come one by one never waits`() {
        #expect(pace([1, 1]) == nil)
        #expect(pace([16, 1]) == nil)
    }

    @Test func `callers that come all at once wait for the last of them, and not for one more`() {
        #expect(pace([3, 7, 7])?.wanted == 7)
        #expect(pace(Array(repeating: 7, count: 200))?.wanted == 7)
    }

    @Test func `as many as came at most are wanted for a while, and a crowd does not wait for more`() {
        #expect(pace([9, 2, 3])?.wanted == 9)
        #expect(pace([9] + Array(repeating: 2, count: 100))?.wanted == 2)
        #expect(pace([60])?.wanted == GroupPace.crowd)
    }
}
