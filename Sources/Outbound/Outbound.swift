package import Kernel
package import Telemetry

/// All HTTP that leaves the process: the name is resolved here, each address is checked, and the connection goes to a checked address,
/// so that no name server can lead a request elsewhere between the check and the connection (DNS rebinding).
package final class Outbound: Sendable {
    private let policy: AddressPolicy
    private let resolver: Resolver
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
        let own = resolver == nil ? SystemResolver() : nil
        systemResolver = own
        self.resolver = resolver ?? Resolver { host in try await own?.addresses(of: host) ?? [] }
        gate = ConcurrencyGate(concurrent: limits.concurrentPerTenant, queued: limits.queuedPerTenant)
        clients = try PinnedClients(limits: limits, trustedCertificates: trustedCertificates)
        self.metrics = metrics
    }

    /// Sends a request, follows redirects as it says, and returns the whole answer, unpacked from gzip or deflate.
    /// - Parameter tenant: whose share of the concurrent requests it takes; nil for the platform's own.
    /// - Throws: `OutboundError`; `CancellationError` when the task is cancelled. An answer of any status is no error.
    package func send(_ request: OutboundRequest, for tenant: TenantID? = nil) async throws -> OutboundResponse {
        let started = ContinuousClock.now
        defer { metrics.observe(.outboundSeconds, ContinuousClock.now - started) }
        do {
            let hop = try Hop(request)
            let response = try await withDeadline(request.timeout) { [self] in
                guard let tenant else { return try await follow(hop, request) }
                return try await gate.pass(tenant) { try await follow(hop, request) }
            }
            metrics.count(.outboundRequestsOK)
            return response
        } catch {
            let failure = OutboundError.from(error)
            let isForbidden = (failure as? OutboundError)?.code == .forbiddenAddress
            metrics.count(isForbidden ? .outboundForbidden : .outboundRequestsFailed)
            throw failure
        }
    }

    /// Closes all connections; requests in flight fail.
    package func shutdown() async {
        await clients.shutdown()
        await systemResolver?.shutdown()
    }

    private func follow(_ first: Hop, _ request: OutboundRequest) async throws -> OutboundResponse {
        var hop = first
        for _ in 0...max(0, request.maximumRedirects) {
            let response = try await exchange(hop, request)
            guard request.followRedirects, let next = try hop.redirected(by: response) else { return response }
            hop = next
        }
        throw OutboundError(.tooManyRedirects, "More than \(request.maximumRedirects) redirects.")
    }

    /// One request and answer, tried on the next address only where the one before could not be connected to.
    private func exchange(_ hop: Hop, _ request: OutboundRequest) async throws -> OutboundResponse {
        let addresses = try await permittedAddresses(of: hop.url)
        var failure = OutboundError(.unresolvable, "\(hop.url.host) has no address.")
        for address in addresses.prefix(Limits.outboundAddressesTried) {
            do {
                return try await clients.exchange(hop, address: address, request)
            } catch {
                guard let unreachable = OutboundError.from(error) as? OutboundError, unreachable.code == .unreachable else { throw error }
                failure = unreachable
            }
        }
        throw failure
    }

    private func permittedAddresses(of url: OutboundURL) async throws -> [IPAddress] {
        let found = if let literal = IPAddress(url.host) { [literal] } else { try await resolver.addresses(url.host) }
        guard !found.isEmpty else { throw OutboundError(.unresolvable, "\(url.host) has no address.") }
        let permitted = found.filter { policy.permits($0, host: url.host, port: url.port) }
        guard !permitted.isEmpty else {
            throw OutboundError(
                .forbiddenAddress, "\(url.host) is not on the public internet; the operator can allow it with AIAS_OUTBOUND_ALLOW.")
        }
        return permitted
    }
}

/// Runs `body` for at most `timeout`, then cancels it and throws `timeout`.
private func withDeadline<Result: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: timeout)
            throw OutboundError(.timeout, "No complete answer within \(timeout).")
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}
