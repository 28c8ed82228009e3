internal import Foundation
internal import Kernel
internal import NIOPosix

/// Turns a host name into all its addresses; a test passes its own.
package struct Resolver: Sendable {
    package let addresses: @Sendable (_ host: String) async throws -> [IPAddress]

    package init(addresses: @escaping @Sendable (_ host: String) async throws -> [IPAddress]) { self.addresses = addresses }
}

/// The machine's resolver, `getaddrinfo`, on threads of its own, so that a slow name server never holds up anything else.
final class SystemResolver: Sendable {
    private static let threadCount = 32
    /// Names of one tenant that are looked up at a time: name servers that do not answer hold up those who ask them, and nobody else.
    static let concurrentPerTenant = 8

    private let threads = NIOThreadPool(numberOfThreads: threadCount)
    private let gate = ConcurrencyGate(concurrent: concurrentPerTenant, queued: 1_000)
    private let lookUp: @Sendable (_ host: String) throws -> [IPAddress]

    init(lookUp: @escaping @Sendable (_ host: String) throws -> [IPAddress] = SystemResolver.ask) {
        self.lookUp = lookUp
        threads.start()
    }

    /// - Parameter tenant: on whose behalf; nil for the platform.
    /// - Throws: `unresolvable`. Returns early when cancelled: a lookup that waits for a place waits no more, one that has begun runs out on its thread
    ///   and keeps the tenant's place.
    func addresses(of host: String, for tenant: TenantID?) async throws -> [IPAddress] {
        let answer = OneShot<[IPAddress]>()
        let lookup = Task {
            do {
                let found = if let tenant { try await gate.pass(tenant) { try await onThread(host) } } else { try await onThread(host) }
                answer.resume(with: .success(found))
            } catch {
                answer.resume(with: .failure(error))
            }
        }
        return try await withTaskCancellationHandler {
            try await answer.value()
        } onCancel: {
            lookup.cancel()
        }
    }

    private func onThread(_ host: String) async throws -> [IPAddress] {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            threads.submit { [lookUp] state in
                guard case .active = state else { return continuation.resume(throwing: OutboundError(.closed, "Shutting down.")) }
                continuation.resume(with: Result { try lookUp(host) })
            }
        }
    }

    func shutdown() async { try? await threads.shutdownGracefully() }

    private static func ask(_ host: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else {
            throw OutboundError(.unresolvable, "\(host) cannot be resolved: \(String(cString: gai_strerror(code))).")
        }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var entry = list
        while let current = entry {
            if let raw = current.pointee.ai_addr, let address = IPAddress(UnsafePointer(raw)), !addresses.contains(address) {
                addresses.append(address)
            }
            entry = current.pointee.ai_next
        }
        return addresses
    }
}
