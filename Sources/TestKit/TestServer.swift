internal import NIOCore
package import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A real HTTP server on loopback whose answers a test decides.
package final class TestServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        package var uri: String
        package var headers: HTTPHeaders
        package var bytes: [UInt8]
        package var body: String { String(decoding: bytes, as: UTF8.self) }
    }

    package enum Reply: Sendable {
        case answer(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [])
        /// The head and these bytes, and then nothing more.
        case stall([UInt8])
        /// A body without a length, that ends, or goes on without saying more.
        case stream(headers: [(String, String)], [UInt8], ends: Bool)
        case silence
        /// The connection is closed without an answer.
        case hangUp
    }

    package let port: Int
    private let channel: any Channel
    private let seen: Log

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    package var requests: [Request] { seen.requests.withLock { $0 } }

    /// - Parameter asksForCertificate: whether clients must show the certificate of the tests; over TLS.
    package static func start(
        host: String = "127.0.0.1", tls: Bool = false, asksForCertificate: Bool = false, reply: @escaping @Sendable (Request) -> Reply
    ) async throws -> TestServer {
        let log = Log()
        let context = tls ? try TestCertificate.serverContext(asksForCertificate: asksForCertificate) : nil
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        ReplyHandler { request in
                            log.requests.withLock { $0.append(request) }
                            return reply(request)
                        })
                }
            }
            .bind(host: host, port: 0).get()
        return TestServer(channel: channel, log: log)
    }

    /// A server for the length of `body`.
    package static func with<Result>(
        host: String = "127.0.0.1", tls: Bool = false, asksForCertificate: Bool = false, reply: @escaping @Sendable (Request) -> Reply,
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(host: host, tls: tls, asksForCertificate: asksForCertificate, reply: reply)
        do {
            let result = try await body(server)
            try await server.channel.close()
            return result
        } catch {
            try? await server.channel.close()
            throw error
        }
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        seen = log
        port = channel.localAddress?.port ?? 0
    }
}

private final class ReplyHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let reply: (TestServer.Request) -> TestServer.Reply
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(reply: @escaping (TestServer.Request) -> TestServer.Reply) { self.reply = reply }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            let request = TestServer.Request(
                method: head.method.rawValue, uri: head.uri, headers: head.headers, bytes: Array(body.readableBytesView))
            self.head = nil
            body.clear()
            send(reply(request), context)
        }
    }

    private func send(_ reply: TestServer.Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .silence: break
        case .hangUp: context.close(promise: nil)
        case .stall(let bytes):
            write(200, [("Content-Length", "1000000")], bytes, context)
            context.flush()
        case .stream(let headers, let bytes, let ends):
            write(200, headers + [("Transfer-Encoding", "chunked")], bytes, context)
            if ends { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) } else { context.flush() }
        case .answer(let status, let headers, let bytes):
            write(status, headers + [("Content-Length", "\(bytes.count)")], bytes, context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private func write(_ status: Int, _ headers: [(String, String)], _ bytes: [UInt8], _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    }
}
