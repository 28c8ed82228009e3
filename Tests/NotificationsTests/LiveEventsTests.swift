import Kernel
import Testing

@testable import Notifications

@Suite struct LiveEventsTests {
    let tenant = TenantID(high: 1, low: 1)
    let other = TenantID(high: 2, low: 2)

    /// The next so many payloads; fewer where the stream ends.
    func next(_ count: Int, of stream: AsyncStream<LiveEvent>) async -> [JSON] {
        var out: [JSON] = []
        for await event in stream {
            out.append(event.payload)
            if out.count == count { break }
        }
        return out
    }

    @Test func `a reader that comes back resumes after what it saw`() async {
        let live = LiveEvents()
        live.publish(tenant, "run", "for nobody")
        _ = live.events(tenant, "run", after: nil)
        for number in 1...3 { live.publish(tenant, "run", .number(Double(number))) }
        let resumed = live.events(tenant, "run", after: 1)
        let fresh = live.events(tenant, "run", after: nil)
        live.publish(tenant, "run", 4)
        #expect(await next(3, of: resumed) == [2, 3, 4])
        #expect(await next(1, of: fresh) == [4])
    }

    @Test func `tenants and topics hear only their own`() async {
        let live = LiveEvents()
        let mine = live.events(tenant, "run", after: 0)
        live.publish(other, "run", "theirs")
        live.publish(tenant, "another", "elsewhere")
        live.publish(tenant, "run", "mine")
        #expect(await next(1, of: mine) == ["mine"])
    }

    @Test func `a reader of several topics hears of each by its name, and of no other`() async {
        let live = LiveEvents()
        let stream = live.events(tenant, of: ["workflow:1", "run:1"])
        live.publish(tenant, "workflow:2", "elsewhere")
        live.publish(other, "run:1", "theirs")
        live.publish(tenant, "run:1", "ended")
        live.publish(tenant, "workflow:1", "here", isPassing: true)
        var heard: [String] = []
        for await one in stream {
            heard.append("\(one.topic) \(one.event.payload.text ?? "")")
            if heard.count == 2 { break }
        }
        #expect(heard == ["run:1 ended", "workflow:1 here"])
    }

    @Test func `a reader that comes back from another process, or too late, is told that it may have missed something`() async {
        let (live, before) = (LiveEvents(origin: "now"), LiveEvents(origin: "before"))
        for one in [live, before] { _ = one.events(tenant, "run", after: nil) }
        for number in 1...3 { before.publish(tenant, "run", .number(Double(number))) }
        for number in 1...LiveEvents.backlogMaximum + 2 { live.publish(tenant, "run", .number(Double(number))) }
        let foreign = before.mark(of: LiveEvent(sequence: 2, payload: .null))
        #expect(await next(1, of: live.events(tenant, "run", resuming: foreign)) == [LiveEvents.missed])
        #expect(await next(1, of: live.events(tenant, "run", resuming: "2")) == [LiveEvents.missed])
        let early = live.mark(of: LiveEvent(sequence: 1, payload: .null))
        #expect(await next(1, of: live.events(tenant, "run", resuming: early)) == [LiveEvents.missed])
        let late = live.mark(of: LiveEvent(sequence: UInt64(LiveEvents.backlogMaximum), payload: .null))
        let total = LiveEvents.backlogMaximum + 2
        #expect(await next(2, of: live.events(tenant, "run", resuming: late)) == [.number(Double(total - 1)), .number(Double(total))])
        #expect(live.mark(of: LiveEvent(sequence: 0, payload: .null)) == nil)
    }

    @Test func `a slow reader is cut with the backlog and resumes by its last sequence`() async {
        let live = LiveEvents()
        let slow = live.events(tenant, "run", after: nil)
        let total = LiveEvents.backlogMaximum + 10
        for number in 1...total { live.publish(tenant, "run", .number(Double(number))) }
        var seen: [UInt64] = []
        for await event in slow { seen.append(event.sequence) }
        #expect(seen == (1...UInt64(LiveEvents.backlogMaximum)).map { $0 })
        #expect(await next(10, of: live.events(tenant, "run", after: seen.last)).count == 10)
    }
}
