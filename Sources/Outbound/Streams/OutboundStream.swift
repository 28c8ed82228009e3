internal import NIOCore
internal import Synchronization

/// A connection's bytes, both ways; used by one task at a time.
package final class OutboundStream: Sendable {
    private let channel: any Channel
    private let bytes: StreamBytes

    init(channel: any Channel, bytes: StreamBytes) {
        self.channel = channel
        self.bytes = bytes
    }

    package func write(_ out: [UInt8]) async throws {
        do { try await channel.writeAndFlush(ByteBuffer(bytes: out)).get() } catch { throw OutboundError.from(error) }
    }

    /// What has come in since the last call, at least one byte.
    /// - Throws: `closed` where the other side has ended the connection.
    package func read() async throws -> [UInt8] { try await bytes.next() }

    package func close() async { try? await channel.close().get() }
}

/// What a connection has received and nobody has read.
final class StreamBytes: Sendable {
    private struct State {
        var received: [UInt8] = []
        var end: (any Error)?
        var waiter: CheckedContinuation<[UInt8], any Error>?
    }

    /// Beyond it the connection is given up: the reader asks for what it reads, so that a server has no reason to send more.
    static let maximum = 64 << 20
    private let state = Mutex(State())

    /// - Returns: whether the connection is to go on.
    func append(_ more: [UInt8]) -> Bool {
        let (waiter, goesOn) = state.withLock { state -> (CheckedContinuation<[UInt8], any Error>?, Bool) in
            guard state.end == nil else { return (nil, false) }
            guard let waiter = state.waiter else {
                guard state.received.count + more.count <= Self.maximum else {
                    state.end = OutboundError(.responseTooLarge, "The server sends too much.")
                    return (nil, false)
                }
                state.received += more
                return (nil, true)
            }
            state.waiter = nil
            return (waiter, true)
        }
        waiter?.resume(returning: more)
        return goesOn
    }

    func finish(_ error: any Error) {
        let waiter = state.withLock { state -> CheckedContinuation<[UInt8], any Error>? in
            state.end = state.end ?? error
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(throwing: error)
    }

    func next() async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready: Result<[UInt8], any Error>? = state.withLock { state in
                    if let end = state.end, state.received.isEmpty || end is CancellationError { return .failure(end) }
                    guard state.received.isEmpty else {
                        defer { state.received = [] }
                        return .success(state.received)
                    }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            finish(CancellationError())
        }
    }
}

final class StreamReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let bytes: StreamBytes

    init(bytes: StreamBytes) { self.bytes = bytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !bytes.append(Array(unwrapInboundIn(data).readableBytesView)) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        bytes.finish(OutboundError(.closed, "The server closed the connection."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        bytes.finish(OutboundError.from(error))
        context.close(promise: nil)
    }
}
