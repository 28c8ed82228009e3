internal import AsyncHTTPClient
internal import Kernel
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// HTTP clients that each know one name and one way to an address: the client never resolves anything, and still asks for and verifies the
/// certificate of the name. Kept for their open connections while used, then closed.
final class PinnedClients: Sendable {
    private struct Key: Hashable {
        var host: String
        var route: Route
        var verifyCertificates: Bool
        var certificate: ClientCertificate?
    }

    private struct Entry {
        let client: HTTPClient
        var uses: Int
        var lastUsed: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var isShutDown = false
    }

    private let limits: OutboundLimits
    let additionalRoots: [NIOSSLCertificate]
    private let state = Mutex(State())

    init(limits: OutboundLimits, trustedCertificates: [UInt8]?) throws {
        self.limits = limits
        additionalRoots = try trustedCertificates.map { try NIOSSLCertificate.fromPEMBytes($0) } ?? []
    }

    /// One request and its whole answer over a connection on `route`.
    func exchange(_ hop: Hop, route: Route, _ request: OutboundRequest) async throws -> OutboundResponse {
        let key = Key(host: hop.url.host, route: route, verifyCertificates: request.verifyCertificates, certificate: hop.certificate)
        let (client, expired) = try checkOut(key)
        defer { checkIn(key) }
        for old in expired { try? await old.shutdown() }
        let response = try await client.execute(try await hop.clientRequest(), deadline: .now() + .nanoseconds(request.timeout.microseconds * 1_000))
        return try await Self.taken(response, hop, request)
    }

    func shutdown() async {
        let clients = state.withLock { state in
            defer { state.entries = [:] }
            state.isShutDown = true
            return state.entries.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }

    private func checkOut(_ key: Key) throws -> (HTTPClient, expired: [HTTPClient]) {
        try state.withLock { state in
            guard !state.isShutDown else { throw OutboundError(.closed, "Shutting down.") }
            let now = ContinuousClock.now
            var entry = try state.entries[key] ?? Entry(client: makeClient(key), uses: 0, lastUsed: now)
            entry.uses += 1
            entry.lastUsed = now
            state.entries[key] = entry
            return (entry.client, Self.removeExpired(&state, now))
        }
    }

    private func checkIn(_ key: Key) {
        state.withLock { state in
            state.entries[key]?.uses -= 1
            state.entries[key]?.lastUsed = .now
        }
    }

    /// Takes out clients without a user that are idle too long, or the longest idle ones where too many are kept.
    private static func removeExpired(_ state: inout State, _ now: ContinuousClock.Instant) -> [HTTPClient] {
        let unused = state.entries.filter { $0.value.uses == 0 }.sorted { $0.value.lastUsed < $1.value.lastUsed }
        let surplus = max(0, state.entries.count - Limits.outboundClientsKept)
        var removed: [HTTPClient] = []
        for (index, (key, entry)) in unused.enumerated() where index < surplus || now - entry.lastUsed > Limits.outboundClientIdle {
            state.entries[key] = nil
            removed.append(entry.client)
        }
        return removed
    }

    private func makeClient(_ key: Key) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = key.verifyCertificates ? .fullVerification : .none
        tls.additionalTrustRoots = additionalRoots.isEmpty ? [] : [.certificates(additionalRoots)]
        try key.certificate?.apply(to: &tls)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.dnsOverride = [key.host: key.route.address.description]
        if let proxy = key.route.proxy { configuration.proxy = Self.configuration(of: proxy, at: key.route.nearest) }
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .nanoseconds(limits.connectTimeout.microseconds * 1_000)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Limits.outboundConnectionsPerAddress
        configuration.decompression = .enabled(limit: .size(Limits.fileBytes))
        // Requests are traced above, where their run is known.
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { Self.requireRemote(key.route.nearest, of: $0) }
        return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    private static func configuration(of proxy: OutboundProxy, at address: IPAddress) -> HTTPClient.Configuration.Proxy {
        guard !proxy.isSOCKS else { return .socksServer(host: address.description, port: proxy.port) }
        var authorization: HTTPClient.Authorization?
        if !proxy.user.isEmpty { authorization = .basic(username: proxy.user, password: proxy.password) }
        return .server(host: address.description, port: proxy.port, authorization: authorization)
    }

    /// The second wall: a connection that leads anywhere but to the checked address is closed before a byte is sent.
    private static func requireRemote(_ address: IPAddress, of channel: any Channel) -> EventLoopFuture<Void> {
        if let remote = channel.remoteAddress?.ipAddress, IPAddress(remote) == address { return channel.eventLoop.makeSucceededVoidFuture() }
        return channel.close().flatMapThrowing { throw OutboundError(.forbiddenAddress, "The connection led to another address.") }
    }

    private static func taken(_ response: HTTPClientResponse, _ hop: Hop, _ request: OutboundRequest) async throws -> OutboundResponse {
        let headerBytes = response.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard headerBytes <= Limits.outboundHeaderBytes else {
            throw OutboundError(.responseTooLarge, "The answer's headers are larger than \(Limits.outboundHeaderBytes) bytes.")
        }
        let wasUnpacked = ["gzip", "deflate"].contains(response.headers.first(name: "content-encoding") ?? "")
        let headers = response.headers.filter { !wasUnpacked || !["content-encoding", "content-length"].contains($0.name.lowercased()) }
        var answer = OutboundResponse(
            status: Int(response.status.code), reason: response.status.reasonPhrase, headers: headers.map { ($0.name, $0.value) },
            url: hop.url.text)
        let intake = request.intake.flatMap { $0.isWanted(answer) ? $0 : nil }
        let maximumBytes = intake?.maximumBytes ?? min(request.maximumResponseBytes, Limits.outboundDecompressedBytes)
        let announced = response.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard announced <= maximumBytes || hop.method == "HEAD" else { throw tooLarge(maximumBytes) }
        if let intake {
            try await intake.take(answer, pieces(response.body, maximumBytes: maximumBytes))
        } else {
            for try await chunk in response.body {
                guard answer.body.count + chunk.readableBytes <= maximumBytes else { throw tooLarge(maximumBytes) }
                answer.body.append(contentsOf: chunk.readableBytesView)
            }
        }
        return answer
    }

    private static func tooLarge(_ maximumBytes: Int) -> OutboundError {
        OutboundError(.responseTooLarge, "The answer is larger than \(maximumBytes) bytes.")
    }

    private static func pieces(_ body: HTTPClientResponse.Body, maximumBytes: Int) -> BytePieces {
        let reading = BodyReading(body)
        return BytePieces {
            guard let chunk = try await reading.next() else { return nil }
            guard reading.byteCount <= maximumBytes else { throw tooLarge(maximumBytes) }
            return Array(chunk.readableBytesView)
        }
    }

    /// Of one reader, which asks for one piece at a time.
    private final class BodyReading: @unchecked Sendable {
        private var source: HTTPClientResponse.Body.AsyncIterator
        private(set) var byteCount = 0
        init(_ body: HTTPClientResponse.Body) { source = body.makeAsyncIterator() }

        func next() async throws -> ByteBuffer? {
            let chunk = try await source.next()
            byteCount += chunk?.readableBytes ?? 0
            return chunk
        }
    }
}

extension Hop {
    fileprivate func clientRequest() async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.text)
        request.method = HTTPMethod(rawValue: method)
        request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        if !request.headers.contains(name: "host") { request.headers.add(name: "Host", value: url.hostHeader) }
        switch body {
        case .none: break
        case .bytes(let bytes): request.body = .bytes(ByteBuffer(bytes: bytes))
        case .pieces(let byteCount, let open):
            request.body = .stream(try await open().map { ByteBuffer(bytes: $0) }, length: .known(Int64(byteCount)))
        }
        return request
    }
}
