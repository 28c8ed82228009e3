package import Kernel
internal import NIOSSL
package import Telemetry
internal import Tracing

/// All HTTP that leaves the process: the name is resolved here, each address is checked, and the connection goes to a checked address,
/// so that no name server can lead a request elsewhere between the check and the connection (DNS rebinding).
package final class Outbound: Sendable {
    private let policy: AddressPolicy
    private let resolver: Resolver?
    private let systemResolver: SystemResolver?
    private let gate: ConcurrencyGate
    private let clients: PinnedClients
    private let metrics: Metrics

    /// - Parameters:
    ///   - resolver: nil for the machine's own.
    ///   - trustedCertificates: certificates in PEM, trusted beside the system's authorities (an operator's own authority).
    /// - Throws: where `trustedCertificates` cannot be read.
    package init(
        policy: AddressPolicy, resolver: Resolver? = nil, limits: OutboundLimits = .init(), trustedCertificates: [UInt8]? = nil,
        metrics: Metrics = .shared
    ) throws {
        self.policy = policy
        systemResolver = resolver == nil ? SystemResolver() : nil
        self.resolver = resolver
        gate = ConcurrencyGate(concurrent: limits.concurrentPerTenant, queued: limits.queuedPerTenant)
        clients = try PinnedClients(limits: limits, trustedCertificates: trustedCertificates)
        self.metrics = metrics
    }

    /// Sends a request, follows redirects as it says, and returns the whole answer, unpacked from gzip or deflate.
    /// - Parameters:
    ///   - tenant: whose share of the concurrent requests and lookups it takes; nil for the platform's own.
    ///   - isLasting: that it goes on for so long that it takes no share of the requests; its name is looked up like any other.
    /// - Throws: `OutboundError`, which is `overloaded` where nothing was sent since the tenant's others had all places for as long as the
    ///   request may take; `CancellationError` when the task is cancelled. An answer of any status is no error.
    package func send(_ request: OutboundRequest, for tenant: TenantID? = nil, isLasting: Bool = false) async throws -> OutboundResponse {
        let started = ContinuousClock.now
        defer { metrics.observe(.outbound, ContinuousClock.now - started) }
        do {
            let response = try await Traces.span(request.method, kind: .client, attributes: Self.attributes(request)) { span in
                let request = request.traced
                let hop = try Hop(request)
                let response = try await takingTurns(isLasting ? nil : tenant, patience: request.timeout) { [self] in
                    try await withDeadline(request.timeout) { [self] in try await follow(hop, request, tenant) }
                }
                span?.attributes["http.response.status_code"] = response.status
                if response.status >= 400 { span?.setStatus(SpanStatus(code: .error)) }
                return response
            }
            metrics.count(.outboundRequestsOK)
            return response
        } catch {
            let failure = OutboundError.from(error)
            let isForbidden = (failure as? OutboundError)?.code == .forbiddenAddress
            if !isForbidden { metrics.count(.outboundRequestsFailed) }
            throw failure
        }
    }

    /// A request that waits for others of its tenant has its own time still when its turn comes.
    private func takingTurns(
        _ tenant: TenantID?, patience: Duration, _ exchange: () async throws -> OutboundResponse
    ) async throws -> OutboundResponse {
        guard let tenant else { return try await exchange() }
        return try await gate.pass(tenant, patience: patience, exchange)
    }

    /// The host alone: paths and queries hold what is secret.
    private static func attributes(_ request: OutboundRequest) -> SpanAttributes {
        guard let url = try? OutboundURL(request.url) else { return ["http.request.method": .string(request.method)] }
        return ["http.request.method": .string(request.method), "server.address": .string(url.host), "server.port": .int64(Int64(url.port))]
    }

    /// Closes all connections; requests in flight fail.
    package func shutdown() async {
        await clients.shutdown()
        await systemResolver?.shutdown()
    }

    private func follow(_ first: Hop, _ request: OutboundRequest, _ tenant: TenantID?) async throws -> OutboundResponse {
        var hop = first
        for _ in 0...max(0, request.maximumRedirects) {
            let response = try await exchange(hop, request, tenant)
            guard request.followRedirects, let next = try hop.redirected(by: response) else { return response }
            hop = next
        }
        throw OutboundError(.tooManyRedirects, "More than \(request.maximumRedirects) redirects.")
    }

    /// One request and answer, tried on the next address only where the one before could not be connected to.
    private func exchange(_ hop: Hop, _ request: OutboundRequest, _ tenant: TenantID?) async throws -> OutboundResponse {
        var failure = OutboundError(.unresolvable, "\(hop.url.host) has no address.")
        for route in try await routes(to: hop.url, through: request.proxy, for: tenant).prefix(Limits.outboundAddressesTried) {
            do {
                return try await clients.exchange(hop, route: route, request)
            } catch {
                guard let unreachable = OutboundError.from(error) as? OutboundError, unreachable.code == .unreachable else { throw error }
                failure = unreachable
            }
        }
        throw failure
    }

    private func routes(to url: OutboundURL, through proxy: OutboundProxy?, for tenant: TenantID?) async throws -> [Route] {
        let addresses = try await permittedAddresses(host: url.host, port: url.port, for: tenant)
        guard let proxy else { return addresses.map { Route(address: $0) } }
        let proxies = try await permittedAddresses(host: proxy.host, port: proxy.port, for: tenant)
        // Every address of the proxy before the next one of the target: it is the proxy that we connect to.
        return addresses.flatMap { address in proxies.map { Route(address: address, proxy: proxy, proxyAddress: $0) } }
    }

    /// - Parameter host: in lower case, an IPv6 address without brackets.
    func permittedAddresses(host: String, port: Int, for tenant: TenantID?) async throws -> [IPAddress] {
        let found = if let literal = IPAddress(host) { [literal] } else { try await look(up: host, for: tenant) }
        guard !found.isEmpty else { throw OutboundError(.unresolvable, "\(host) has no address.") }
        let permitted = found.filter { policy.permits($0, host: host, port: port) }
        guard !permitted.isEmpty else {
            metrics.count(.outboundForbidden)
            throw OutboundError(
                .forbiddenAddress, "\(host) is not on the public internet; the operator can allow it with AIAS_OUTBOUND_ALLOW.")
        }
        return permitted
    }

    private func look(up host: String, for tenant: TenantID?) async throws -> [IPAddress] {
        if let systemResolver { return try await systemResolver.addresses(of: host, for: tenant) }
        return try await resolver?.addresses(host) ?? []
    }

    /// Takes one of the tenant's places for as long as `body` runs.
    func passing<Value: Sendable>(_ tenant: TenantID?, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let tenant else { return try await body() }
        return try await gate.pass(tenant, body)
    }

    var additionalRoots: [NIOSSLCertificate] { clients.additionalRoots }
}

/// Runs `body` for at most `timeout`, then cancels it and throws `timeout`.
func withDeadline<Result: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: timeout)
            throw OutboundError(.timeout, "No complete answer within \(timeout).")
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}
