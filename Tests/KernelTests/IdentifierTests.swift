import Kernel
import Testing

private enum Thing {}

@Suite struct IdentifierTests {
    @Test func `ids are in order of their making, also when the clock steps back`() {
        let ticks: [Int64] = [1_000, 1_000, 5_000, 2_000, 2_000, 6_000]
        let state = Ticks(ticks)
        let ids = IDs(clock: Clock { Timestamp(milliseconds: state.next()) })
        let made: [ID<Thing>] = ticks.map { _ in ids.next() }
        #expect(made == made.sorted())
        #expect(Set(made).count == made.count)
    }

    @Test func `an id reads back from its text and its bytes`() throws {
        let id: ID<Thing> = IDs(clock: .system).next()
        #expect(ID<Thing>(id.description) == id)
        #expect(ID<Thing>(bytes: id.bytes) == id)
        let version = id.description.dropFirst(14).first
        #expect(version == "7")
    }

    @Test(arguments: ["", "x", "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b", "0192f0c12d3e7a4b8c5d6e7f8091a2b3", "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2bg"])
    func `other texts are no ids`(_ text: String) {
        #expect(ID<Thing>(text) == nil)
    }
}

private final class Ticks: @unchecked Sendable {
    private var rest: [Int64]
    init(_ ticks: [Int64]) { rest = ticks }
    func next() -> Int64 { rest.removeFirst() }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-24T11:07:19.5Z", 1_795_518_439_500_000), ("2026-11-24T12:07:19.500000+01:00", 1_795_518_439_500_000),
        ("1969-12-31T23:59:59.999999Z", -1), ("2000-02-29T00:00:00Z", 951_782_400_000_000)
    ])
    func `a time is read in RFC 3339`(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test(arguments: [0, 1, -1, 951_782_400_000_000, 253_402_300_799_999_999, -62_135_596_800_000_000] as [Int64])
    func `a time reads back from its text`(_ microseconds: Int64) {
        let time = Timestamp(microseconds: microseconds)
        #expect(Timestamp(time.description) == time)
    }

    @Test(arguments: [
        "", "2026-11-24", "2026-11-24T11:07:19", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00.Z"
    ])
    func `other texts are no times`(_ text: String) {
        #expect(Timestamp(text) == nil)
    }
}
