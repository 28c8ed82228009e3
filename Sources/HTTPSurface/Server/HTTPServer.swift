internal import Kernel
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// Serves a surface on a port. It stops when its service group does: no new connections, running requests end, streams are closed.
package struct HTTPServer: Service {
    package struct Binding: Sendable {
        package var host: String
        /// 0 takes any free port.
        package var port: Int
        package var tls: TLSFiles?

        package init(host: String = "127.0.0.1", port: Int = 8080, tls: TLSFiles? = nil) {
            self.host = host
            self.port = port
            self.tls = tls
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

    package func run() async throws { try await application().run() }

    func application() throws -> some ApplicationProtocol {
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                idleTimeout: TimeAmount(Limits.idleTime),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Limits.headerFieldBytes, maxHeaderListSize: Limits.headerBytes, maxHeaderFieldCount: Limits.headerCount)))
        let onRunning = onRunning
        return Application(
            responder: surface, server: try binding.tls.map { try .tls(plain, tlsConfiguration: $0.configuration()) } ?? plain,
            configuration: .init(address: .hostname(binding.host, port: binding.port), backlog: 1_024),
            onServerRunning: { channel in
                await onRunning(RunningServer(port: channel.localAddress?.port ?? 0))
            }, logger: logger)
    }
}

/// A server that accepts connections.
package struct RunningServer: Sendable {
    package let port: Int
}

extension HTTPServer.TLSFiles {
    fileprivate func configuration() throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateChain)
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem)))
    }
}
