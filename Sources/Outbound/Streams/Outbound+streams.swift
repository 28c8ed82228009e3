internal import Foundation
package import Kernel
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// A connection that is to be made to something else than a web server.
package struct OutboundDestination: Sendable, Hashable {
    /// A name or an address, as the person wrote it.
    package var host: String
    package var port: Int
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

extension Outbound {
    /// The addresses of a destination that may be connected to, for clients that connect themselves: they must be given one of these, never the
    /// name, so that nothing is resolved a second time.
    /// - Throws: `forbidden_address`, `unresolvable`, `invalid_url`.
    package func permittedAddresses(of destination: OutboundDestination, for tenant: TenantID? = nil) async throws -> [String] {
        try await checkedAddresses(of: destination, for: tenant).prefix(Limits.outboundAddressesTried).map(\.description)
    }

    /// Opens a byte stream, over TLS where `tls` says so, and closes it when `body` returns.
    /// - Parameters:
    ///   - verifies: whether the certificate must be that of the host, from a trusted authority.
    ///   - timeout: for all of it.
    package func withStream<Value: Sendable>(
        to destination: OutboundDestination, tls: Bool = false, verifies: Bool = true, timeout: Duration, for tenant: TenantID? = nil,
        _ body: @escaping @Sendable (OutboundStream) async throws -> Value
    ) async throws -> Value {
        let addresses = try await checkedAddresses(of: destination, for: tenant)
        return try await passing(tenant) { [self] in
            try await withDeadline(timeout) { [self] in try await connected(to: destination, at: addresses, tls: tls, verifies: verifies, body) }
        }
    }

    private func connected<Value: Sendable>(
        to destination: OutboundDestination, at addresses: [IPAddress], tls: Bool, verifies: Bool,
        _ body: @Sendable (OutboundStream) async throws -> Value
    ) async throws -> Value {
        var failure: any Error = OutboundError(.unresolvable, "\(destination.host) has no address.")
        for address in addresses.prefix(Limits.outboundAddressesTried) {
            let stream: OutboundStream
            do { stream = try await open(address, destination, tls: tls, verifies: verifies) } catch {
                failure = OutboundError.from(error)
                continue
            }
            do {
                let value = try await body(stream)
                await stream.close()
                return value
            } catch {
                await stream.close()
                throw error
            }
        }
        throw failure
    }

    private func checkedAddresses(of destination: OutboundDestination, for tenant: TenantID?) async throws -> [IPAddress] {
        let host = destination.host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
        guard !host.isEmpty, (1...65_535).contains(destination.port), !host.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: "/") }) else {
            throw OutboundError(.invalidURL, "'\(destination.host):\(destination.port)' is no host with a port.")
        }
        return try await permittedAddresses(host: host, port: destination.port, for: tenant)
    }

    private func open(_ address: IPAddress, _ destination: OutboundDestination, tls: Bool, verifies: Bool) async throws -> OutboundStream {
        let bytes = StreamBytes()
        var context: NIOSSLContext?
        if tls {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = verifies ? .fullVerification : .none
            configuration.additionalTrustRoots = additionalRoots.isEmpty ? [] : [.certificates(additionalRoots)]
            context = try NIOSSLContext(configuration: configuration)
        }
        let name = IPAddress(destination.host) == nil ? destination.host : nil
        let secured = context
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let secured { try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: secured, serverHostname: name)) }
                    try channel.pipeline.syncOperations.addHandler(StreamReader(bytes: bytes))
                }
            }
            .connect(to: SocketAddress(ipAddress: address.description, port: destination.port)).get()
        return OutboundStream(channel: channel, bytes: bytes)
    }
}
