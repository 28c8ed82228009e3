internal import Hummingbird
internal import Kernel
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Telemetry

/// Writes a sequence of events to a client until it ends, the client leaves or falls behind, or the program stops.
struct EventStream: Sendable {
    let source: EventSource
    let logger: Logger

    func body(of request: Request) -> ResponseBody {
        let requestBody = request.body
        return ResponseBody { writer in
            Metrics.shared.add(.eventStreams, 1)
            defer { Metrics.shared.add(.eventStreams, -1) }
            let (chunks, feed) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingOldest(Limits.eventBacklog))
            // A first comment makes proxies and browsers show the stream as open.
            feed.yield(": open\n\(EventStream.patience)\n\n")
            try await requestBody.consumeWithInboundCloseHandler { _ in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await produce(into: feed) }
                    group.addTask { try await beat(into: feed) }
                    group.addTask {
                        try? await gracefulShutdown()
                        feed.yield("\(EventStream.patience)\n\n")
                        feed.finish()
                    }
                    for await chunk in chunks { try await writer.write(ByteBuffer(string: chunk)) }
                    group.cancelAll()
                }
            } onInboundClosed: {
                feed.finish()
            }
            try await writer.finish(nil)
        }
    }

    /// After how long the reader is to come back (WHATWG HTML, 9.2.6, `retry`): by chance, and the later the more streams there are, so that
    /// those of a process that ends do not all come to the others at once.
    private static var patience: String {
        let span = max(1_000, Metrics.shared.value(.eventStreams) * 1_000 / Limits.streamsReopenedPerSecond)
        return "retry: \(Int64.random(in: 1_000...(1_000 + span)))"
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

    private func beat(into feed: AsyncStream<String>.Continuation) async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: Limits.heartbeat)
            if case .terminated = feed.yield(": heartbeat\n\n") { return }
        }
    }
}
