import Kernel
import Testing

@testable import Workflows

@Suite struct StreamEventsTests {
    private func read(_ text: String, piece: Int = .max) throws -> [StreamEvent] {
        var events = StreamEvents(lastID: "")
        var rest = Array(text.utf8)[...]
        var read: [StreamEvent] = []
        while !rest.isEmpty {
            read += try events.take(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        return read
    }

    @Test(arguments: [1, 2, 3, 1_000]) func `events are read from pieces of any size and with any end of line`(piece: Int) throws {
        let text = "\u{FEFF}: comment\r\ndata: one\r\n\r\nid: 7\rdata:two\rdata:  ü\r\revent: ping\ndata\n\ndata: unfinished\n"
        let expected = [
            StreamEvent(type: "message", data: "one", id: nil), StreamEvent(type: "message", data: "two\n ü", id: "7"),
            StreamEvent(type: "ping", data: "", id: nil)
        ]
        #expect(try read(text, piece: piece) == expected)
    }

    @Test func `the last id and the wait are kept for the next connection, what was begun is not`() throws {
        var events = StreamEvents(lastID: "a")
        #expect(events.lastID == "a")
        #expect(try events.take(Array("retry: 250\nretry: x\nid: b\n\nid: c\ndata: be".utf8)).isEmpty)
        #expect(events.lastID == "b" && events.retry == .milliseconds(250))
        events.restart(after: "b")
        #expect(try events.take(Array("data: new\n\n".utf8)) == [StreamEvent(type: "message", data: "new", id: nil)])
        #expect(events.lastID == "b" && events.retry == .milliseconds(250))
    }

    @Test func `an event without end is refused`() {
        var events = StreamEvents(lastID: "")
        let line = Array("data: ".utf8) + [UInt8](repeating: 0x61, count: 200_000) + [0x0A]
        #expect(throws: StepFailure.self) { for _ in 0..<6 { _ = try events.take(line) } }
    }
}
