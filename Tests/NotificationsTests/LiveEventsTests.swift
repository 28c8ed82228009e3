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
