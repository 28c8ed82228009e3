internal import Foundation
internal import NIOPosix

/// Turns a host name into all its addresses; a test passes its own.
package struct Resolver: Sendable {
    package let addresses: @Sendable (_ host: String) async throws -> [IPAddress]

    package init(addresses: @escaping @Sendable (_ host: String) async throws -> [IPAddress]) { self.addresses = addresses }
}

/// The machine's resolver, `getaddrinfo`, on threads of its own, so that a slow name server never holds up anything else.
final class SystemResolver: Sendable {
    private let threads = NIOThreadPool(numberOfThreads: 4)

    init() { threads.start() }

    /// - Throws: `unresolvable`. Returns early when cancelled, while the lookup runs out on its thread.
    func addresses(of host: String) async throws -> [IPAddress] {
        let answer = OneShot<[IPAddress]>()
        threads.submit { state in
            guard case .active = state else {
                answer.resume(with: .failure(OutboundError(.closed, "Shutting down.")))
                return
            }
            answer.resume(with: Result { try Self.lookUp(host) })
        }
        return try await answer.value()
    }

    func shutdown() async { try? await threads.shutdownGracefully() }

    private static func lookUp(_ host: String) throws -> [IPAddress] {
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
