internal import Hummingbird
internal import Kernel
internal import Logging
internal import NIOCore
internal import Telemetry

/// Writes a sequence of events to a client until it ends, the client leaves or falls behind, or the program stops.
struct EventStream: Sendable {
    let source: EventSource
    /// nil where nobody ever loses the right.
    let mayRead: (@Sendable () async -> Bool)?
    let place: StreamPlace?
    let streams: EventStreams
    let logger: Logger

    func body(of request: Request) -> ResponseBody {
        let requestBody = request.body
        return ResponseBody { writer in
            Metrics.shared.add(.eventStreams, 1)
            defer { Metrics.shared.add(.eventStreams, -1) }
            defer { withExtendedLifetime(place) {} }
            let (chunks, feed) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingOldest(Limits.eventBacklog))
            // Its first comment makes proxies and browsers show the stream as open.
            let number = streams.enter(feed, mayRead: mayRead)
            defer { streams.leave(number) }
            try await requestBody.consumeWithInboundCloseHandler { _ in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await produce(into: feed) }
                    for await chunk in chunks { try await writer.write(ByteBuffer(string: chunk)) }
                    group.cancelAll()
                }
            } onInboundClosed: {
                feed.finish()
            }
            try await writer.finish(nil)
        }
    }

    private func produce(into feed: AsyncStream<String>.Continuation) async throws {
        defer { feed.finish() }
        do {
            try await source.forEach { event in
                if case .enqueued = feed.yield(event.text) { true } else { false }
            }
        } catch is CancellationError {
        } catch {
            logger.error("event stream failed", metadata: ["error": "\(error)"])
        }
    }
}
