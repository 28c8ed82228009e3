import Kernel
import Synchronization
import Testing

@testable import Notifications

/// Events between two processes, over a wire that a test holds.
@Suite struct LiveCarryingTests {
    private let tenant = TenantID(high: 1, low: 1)
    private let here = LiveEvents(origin: "here")
    private let there = LiveEvents(origin: "there")
    private let wire = Wire()

    /// What was posted, taken in by every process, its own too.
    private final class Wire: Sendable {
        private let lines = Mutex<[String]>([])
        func post(_ line: String) { lines.withLock { $0.append(line) } }
        func carry(to all: [LiveEvents]) -> [String] {
            let taken = lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
            for line in taken { for one in all { one.receive(line) } }
            return taken
        }
    }

    private func connect() { for one in [here, there] { one.connect { [wire] in wire.post($0) } } }

    private func next(_ count: Int, of stream: AsyncStream<LiveEvent>) async -> [LiveEvent] {
        var out: [LiveEvent] = []
        for await event in stream {
            out.append(event)
            if out.count == count { break }
        }
        return out
    }

    @Test func `what one process tells the other's readers hear once, and its own do`() async {
        connect()
        let (mine, theirs) = (here.events(tenant, "workflow:1", after: nil), there.events(tenant, "workflow:1", after: nil))
        here.publish(tenant, "workflow:1", "first")
        #expect(wire.carry(to: [here, there]).count == 3, "two that watch, and the event")
        here.publish(tenant, "workflow:1", "second")
        _ = wire.carry(to: [here, there])
        #expect(await next(2, of: mine).map(\.payload) == ["first", "second"])
        #expect(await next(2, of: theirs).map(\.payload) == ["first", "second"])
    }

    @Test func `what passes is not kept for a reader that comes back`() async {
        connect()
        _ = there.events(tenant, "workflow:1", after: nil)
        here.publish(tenant, "workflow:1", "passing", isPassing: true)
        here.publish(tenant, "workflow:1", "kept")
        _ = wire.carry(to: [there])
        let back = there.events(tenant, "workflow:1", after: 0)
        here.publish(tenant, "workflow:1", "later", isPassing: true)
        _ = wire.carry(to: [there])
        #expect(await next(2, of: back) == [LiveEvent(sequence: 1, payload: "kept"), LiveEvent(sequence: 0, payload: "later")])
    }

    @Test func `what happens often goes out only while somebody watches elsewhere`() async {
        connect()
        here.publish(tenant, "run:1", "unseen", reach: .whereWatched)
        #expect(wire.carry(to: [here, there]).isEmpty)
        var reader: AsyncStream<LiveEvent>? = there.events(tenant, "run:1", after: nil)
        _ = wire.carry(to: [here, there])
        here.publish(tenant, "run:2", "another", reach: .whereWatched)
        here.publish(tenant, "run:1", "seen", reach: .whereWatched)
        #expect(wire.carry(to: [here, there]).count == 1)
        if let reader { #expect(await next(1, of: reader).map(\.payload) == ["seen"]) }
        reader = nil
        // Said again it stays known; unsaid for some rounds it is forgotten.
        for _ in 0..<(LiveEvents.roundsKept + 1) { here.renew() }
        _ = wire.carry(to: [])
        here.publish(tenant, "run:1", "late", reach: .whereWatched)
        #expect(wire.carry(to: [here, there]).isEmpty)
    }

    @Test func `a topic that is watched elsewhere stays known where there is room for no more`() async {
        connect()
        for number in 0..<LiveEvents.topicsMaximum { here.receive("there \(number) watched \(LiveEvents.topic(tenant, "run:\(number)")) null") }
        for _ in 0..<LiveEvents.roundsKept {
            here.renew()
            here.receive("there 0 watched \(LiveEvents.topic(tenant, "run:0")) null")
        }
        _ = wire.carry(to: [])
        here.publish(tenant, "run:0", "seen", reach: .whereWatched)
        #expect(wire.carry(to: []).count == 1)
    }

    @Test func `of the readers of a topic only the first is told to the other processes`() async {
        connect()
        var readers = (0..<3).map { _ in there.events(tenant, "run:1", after: nil) }
        #expect(wire.carry(to: [here]).count == 1)
        here.publish(tenant, "run:1", "seen", reach: .whereWatched)
        _ = wire.carry(to: [there])
        for reader in readers { #expect(await next(1, of: reader).map(\.payload) == ["seen"]) }
        readers = []
        let late = there.events(tenant, "run:1", after: nil)
        #expect(wire.carry(to: [here]).count == 1, "the first after all have left")
        _ = late
    }

    @Test func `readers are told to look where something may have been missed or was too long`() async {
        connect()
        let reader = there.events(tenant, "workflow:1", after: nil)
        here.publish(tenant, "workflow:1", .string(String(repeating: "x", count: CarriedEvent.payloadBytes + 1)))
        for line in wire.carry(to: [there]) { #expect(line.utf8.count < 7_900) }
        there.receive(nil)
        #expect(await next(2, of: reader).map(\.payload) == [LiveEvents.missed, LiveEvents.missed])
        for odd in ["", "one", "a 1 of-the-future t {}", "a 1 kept t not-json"] { there.receive(odd) }
    }

    @Test func `no process hears another tenant's`() async {
        connect()
        let mine = there.events(tenant, "workflow:1", after: nil)
        here.publish(TenantID(high: 2, low: 2), "workflow:1", "theirs")
        here.publish(tenant, "workflow:1", "mine")
        _ = wire.carry(to: [there])
        #expect(await next(1, of: mine).map(\.payload) == ["mine"])
    }
}
