import HTTPTypes
import Kernel
import Synchronization
import Testing

@testable import HTTPSurface

/// Streams whose readers lose their right.
@Suite struct EventRightTests {
    @Test func `a stream ends for who may no longer read it, and for nobody else`() async throws {
        let streams = EventStreams(handover: .zero)
        let isMember = Mutex(true)
        let (hers, herFeed) = AsyncStream<String>.makeStream()
        let (his, hisFeed) = AsyncStream<String>.makeStream()
        _ = streams.enter(herFeed, mayRead: { isMember.withLock { $0 } })
        _ = streams.enter(hisFeed, mayRead: nil)
        await EventStreams.review(streams.readers)
        herFeed.yield("one")
        isMember.withLock { $0 = false }
        await EventStreams.review(streams.readers)
        if case .terminated = herFeed.yield("two") {} else { Issue.record("the stream is open still") }
        if case .terminated = hisFeed.yield("two") { Issue.record("the stream of another has ended") }
        hisFeed.finish()
        #expect(await hers.reduce(into: []) { $0.append($1) }.count == 2)
        #expect(await his.reduce(into: []) { $0.append($1) }.count == 2)
    }

    @Test func `a reader whose key is no longer good is not admitted again, and one while the database is away is`() async throws {
        struct Away: Error {}
        let state = Mutex<(any Error)?>(nil)
        let events = Endpoint.events("/v1/events", access: .tenant("notes.read"), summary: "Events", tag: "Notes") { _ in
            AsyncStream<ServerEvent> { $0.finish() }
        }
        let harness = SurfaceHarness([events])
        let surface = Surface(
            endpoints: [events],
            doors: Doors(
                authenticate: { request in
                    if let error = state.withLock({ $0 }) { throw error }
                    return try await SurfaceHarness.authenticate(request)
                }, resolveTenant: { _ in nil }),
            ids: harness.surface.ids, logger: harness.surface.logger)
        let head = RequestHead(
            .init(method: .get, scheme: "http", authority: "localhost", path: "/v1/events", headerFields: [.authorization: "Bearer key-acme"]),
            path: "/v1/events", rawQuery: "", requestID: "1", remoteAddress: { nil })
        #expect(await surface.isStillAdmitted(events, head, nil, to: SurfaceHarness.acme))
        #expect(!(await surface.isStillAdmitted(events, head, nil, to: SurfaceHarness.other)))
        state.withLock { $0 = Away() }
        #expect(await surface.isStillAdmitted(events, head, nil, to: SurfaceHarness.acme))
        state.withLock { $0 = Refusal(.unauthenticated, "bad_key", "Revoked.") }
        #expect(!(await surface.isStillAdmitted(events, head, nil, to: SurfaceHarness.acme)))
    }
}
