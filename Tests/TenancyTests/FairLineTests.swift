import Testing

@testable import Tenancy

/// Who waits for a password's hash, and in which order.
@Suite struct FairLineTests {
    private static func rest(of line: FairLine<String>) -> [String] {
        var line = line
        var served: [String] = []
        while let next = line.next() { served.append(next) }
        #expect(line.count == 0)
        return served
    }

    @Test func `networks take turns, and who comes alone waits for no flood`() {
        var line = FairLine<String>(places: 8)
        for number in 1...5 { _ = line.enter("flood \(number)", from: "a") }
        _ = line.enter("ana", from: "b")
        _ = line.enter("ben 1", from: "c")
        _ = line.enter("ben 2", from: "c")
        #expect(Self.rest(of: line) == ["flood 1", "ana", "ben 1", "flood 2", "ben 2", "flood 3", "flood 4", "flood 5"])
    }

    @Test func `where all places are taken, who has the most gives up the last one`() throws {
        var line = FairLine<String>(places: 4)
        for number in 1...4 { _ = line.enter("flood \(number)", from: "a") }
        guard case .refused = line.enter("flood 5", from: "a") else { throw Unexpected() }
        guard case .replaces("flood 4") = line.enter("ana", from: "b") else { throw Unexpected() }
        guard case .replaces("flood 3") = line.enter("ben", from: "c") else { throw Unexpected() }
        guard case .refused = line.enter("ana again", from: "b") else { throw Unexpected() }
        #expect(line.count == 4)
        #expect(Self.rest(of: line) == ["flood 1", "ana", "ben", "flood 2"])
    }

    @Test func `where everybody has one place, nobody loses it`() throws {
        var line = FairLine<String>(places: 2)
        _ = line.enter("ana", from: "a")
        _ = line.enter("ben", from: "b")
        guard case .refused = line.enter("eve", from: "c") else { throw Unexpected() }
        #expect(Self.rest(of: line) == ["ana", "ben"])
    }

    private static let blocks: [(String?, String)] = [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2::9", "2001:db8:1"), ("2001:db8:1:ffff::9", "2001:db8:1"), ("::ffff:192.0.2.1", "192.0.2.1"),
        (nil, "unknown")
    ]

    @Test(arguments: blocks)
    func `networks that one customer of a provider may have take their turns as one`(address: String?, block: String) {
        #expect(Tenancy.block(of: address) == block)
    }

    private struct Unexpected: Error {}
}
