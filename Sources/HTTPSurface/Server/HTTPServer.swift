internal import Glibc
internal import Kernel
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

/// Serves a surface on a port. It stops when its service group does: no new connections, running requests end, streams are closed.
package struct HTTPServer: Service {
    package struct Binding: Sendable {
        package var host: String
        /// 0 takes any free port.
        package var port: Int
        package var tls: TLSFiles?
        /// That are served at a time; further ones wait until one ends. A quarter of them may be of one network.
        package var connections: Int

        package init(host: String = "127.0.0.1", port: Int = 8080, tls: TLSFiles? = nil, connections: Int = Limits.connections) {
            self.host = host
            self.port = port
            self.tls = tls
            self.connections = connections
        }
    }

    /// PEM files of a certificate chain and its key.
    package struct TLSFiles: Sendable {
        package var certificateChain: String
        package var privateKey: String

        package init(certificateChain: String, privateKey: String) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }

    let surface: Surface
    let binding: Binding
    let logger: Logger
    let onRunning: @Sendable (RunningServer) async -> Void

    /// - Parameter onRunning: called once connections are accepted, with the port that was bound.
    package init(
        surface: Surface, binding: Binding, logger: Logger, onRunning: @escaping @Sendable (RunningServer) async -> Void = { _ in }
    ) {
        self.surface = surface
        self.binding = binding
        self.logger = logger
        self.onRunning = onRunning
    }

    /// Hummingbird's server without its application, which gives each request a logger of its own that nobody here asks for.
    package func run() async throws {
        let connections = Connections(total: binding.connections) { [isProxy = self.surface.settings.isProxy] address in
            ClientNetwork.isLoopback(address) || isProxy?(address) == true
        }
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [ConnectionWatch(connections)], idleTimeout: TimeAmount(Limits.idleTime),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Limits.headerFieldBytes, maxHeaderListSize: Limits.headerBytes, maxHeaderFieldCount: Limits.headerCount)))
        let builder = try binding.tls.map { try Self.encrypted(plain, $0) } ?? plain
        let (surface, onRunning, date) = (surface, onRunning, DateHeader(clock: .system))
        let server = try builder.buildServer(
            configuration: .init(
                address: .hostname(binding.host, port: binding.port), backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(binding.connections, logger: logger)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
        ) { (request: Request, writer: consuming ResponseWriter, channel: any Channel) in
            var response = await surface.respond(to: request, context: SurfaceContext(channel: channel))
            response.headers[.date] = date.text
            do { try await writer.write(response: response.head, body: response.body) } catch is HTTPParserError {
                // As a parser's error it would be answered, in the middle of an answer.
                throw BrokenBody()
            }
        } onServerRunning: { channel in
            await onRunning(RunningServer(port: channel.localAddress?.port ?? 0))
        }
        async let streams: Void = surface.streams.run()
        do {
            try await server.run()
        } catch {
            throw Self.explained(error, binding)
        }
        await streams
    }

    /// - Throws: `bad_tls` for files that cannot be used.
    private static func encrypted(_ plain: HTTPServerBuilder, _ files: TLSFiles) throws -> HTTPServerBuilder {
        do {
            return try HTTPServerBuilder.tls(plain, tlsConfiguration: files.configuration())
        } catch {
            throw Refusal(
                .unavailable, "bad_tls",
                "The certificate \(files.certificateChain) and the key \(files.privateKey) cannot be used: \(error). `aias doctor` says what to do.")
        }
    }

    /// Says of an address that cannot be listened at what to do; other errors are as they are.
    private static func explained(_ error: any Error, _ binding: Binding) -> any Error {
        let place = "\(binding.host), port \(binding.port)"
        func refusal(_ reason: String) -> Refusal { Refusal(.unavailable, "cannot_listen", "Nothing can listen at \(place): \(reason).") }
        if error is SocketAddressError.UnknownHost { return refusal("this machine does not know that name; name one of its addresses") }
        guard let failure = error as? IOError else { return error }
        switch failure.errnoCode {
        case EADDRINUSE: return refusal("another process does already; end that one, or choose another port")
        case EADDRNOTAVAIL: return refusal("that is no address of this machine")
        case EACCES, EPERM: return refusal("this user may not; choose a port from 1024 on, or give it the right")
        default: return error
        }
    }

    /// What came after an answer had begun is no HTTP.
    private struct BrokenBody: Error {}
}

/// A server that accepts connections.
package struct RunningServer: Sendable {
    package let port: Int
}

extension HTTPServer.TLSFiles {
    /// - Throws: where one of them cannot be read as what it is.
    package func check() throws { _ = try configuration() }

    fileprivate func configuration() throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateChain)
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem)))
    }
}
