internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A proxy on loopback that answers `CONNECT`, and leads every tunnel to one server, whatever it is asked for.
package final class TestProxy: Sendable {
    package let port: Int
    private let channel: any Channel
    private let seen: Log

    fileprivate final class Log: Sendable {
        let heads = Mutex<[String]>([])
    }

    /// The requests for tunnels, as they came.
    package var heads: [String] { seen.heads.withLock { $0 } }

    /// A proxy for the length of `body`.
    /// - Parameters:
    ///   - target: the server's port.
    ///   - status: what it answers; it opens tunnels with 200 alone.
    package static func with<Result>(target: Int, status: Int = 200, _ body: (TestProxy) async throws -> Result) async throws -> Result {
        let log = Log()
        return try await serve(log, { TunnelHandler(target: target, status: status, log: log) }, body)
    }

    /// One that speaks SOCKS 5 (RFC 1928); `heads` are the addresses that it was asked for.
    /// - Parameters:
    ///   - method: of authentication that it chooses; 0 for none.
    ///   - reply: to a request; it opens connections with 0 alone.
    package static func withSOCKS<Result>(
        target: Int, method: UInt8 = 0, reply: UInt8 = 0, _ body: (TestProxy) async throws -> Result
    ) async throws -> Result {
        let log = Log()
        return try await serve(log, { SOCKSHandler(target: target, method: method, reply: reply, log: log) }, body)
    }

    private static func serve<Result>(
        _ log: Log, _ handler: @escaping @Sendable () -> any ChannelHandler, _ body: (TestProxy) async throws -> Result
    ) async throws -> Result {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = TestProxy(channel: channel, log: log)
        do {
            let result = try await body(proxy)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        seen = log
        port = channel.localAddress?.port ?? 0
    }
}

/// The client's side of a tunnel.
private final class TunnelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: Int
    private let status: Int
    private let log: TestProxy.Log
    private var head = ByteBuffer()
    private var server: (any Channel)?

    init(target: Int, status: Int, log: TestProxy.Log) {
        self.target = target
        self.status = status
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if let server {
            _ = server.writeAndFlush(bytes)
            return
        }
        head.writeBuffer(&bytes)
        let text = String(decoding: head.readableBytesView, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return }
        log.heads.withLock { $0.append(text) }
        let client = context.channel
        let answer = ByteBuffer(bytes: Array("HTTP/1.1 \(status) Answer\r\n\(status == 200 ? "" : "Content-Length: 0\r\n")\r\n".utf8))
        guard status == 200 else {
            _ = client.writeAndFlush(answer)
            return
        }
        tunnel(from: client, to: target, on: context.eventLoop) { server in
            self.server = server
            _ = client.writeAndFlush(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        server?.close(promise: nil)
        context.fireChannelInactive()
    }
}

/// The client's side of a connection by SOCKS.
private final class SOCKSHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: Int
    private let method: UInt8
    private let reply: UInt8
    private let log: TestProxy.Log
    private var isGreeted = false
    private var server: (any Channel)?

    init(target: Int, method: UInt8, reply: UInt8, log: TestProxy.Log) {
        self.target = target
        self.method = method
        self.reply = reply
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let server {
            _ = server.writeAndFlush(bytes)
            return
        }
        let client = context.channel
        guard isGreeted else {
            isGreeted = true
            _ = client.writeAndFlush(ByteBuffer(bytes: [5, method]))
            return
        }
        // Version, command, reserved, type, an IPv4 address, its port.
        let asked = Array(bytes.readableBytesView)
        guard asked.count == 10, asked[3] == 1 else {
            context.close(promise: nil)
            return
        }
        let host = asked[4..<8].map { String($0) }.joined(separator: ".")
        let port = Int(asked[8]) << 8 | Int(asked[9])
        log.heads.withLock { $0.append("\(host):\(port)") }
        let answer = ByteBuffer(bytes: [5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        guard reply == 0 else {
            _ = client.writeAndFlush(answer)
            return
        }
        tunnel(from: client, to: target, on: context.eventLoop) { server in
            self.server = server
            _ = client.writeAndFlush(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        server?.close(promise: nil)
        context.fireChannelInactive()
    }
}

/// Connects to the server, whose answers go back to the client.
private func tunnel(from client: any Channel, to port: Int, on eventLoop: any EventLoop, _ opened: @escaping (any Channel) -> Void) {
    ClientBootstrap(group: eventLoop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ReturnHandler(client: client)) }
        }
        .connect(host: "127.0.0.1", port: port).assumeIsolated()
        .whenSuccess { opened($0) }
}

/// The server's side of a tunnel.
private final class ReturnHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel

    init(client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { _ = client.writeAndFlush(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) {
        client.close(promise: nil)
        context.fireChannelInactive()
    }
}
