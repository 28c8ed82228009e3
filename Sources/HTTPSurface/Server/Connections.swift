package import Kernel
internal import Synchronization

/// How many connections each network has: none may have so many that nobody else gets one.
final class Connections: Sendable {
    enum Entry: Equatable {
        /// Counted for this network; nil for whom nothing is counted.
        case taken(String?)
        case refused
    }

    private let perNetwork: Int
    /// Of proxies in front, and of this machine: many people may come by one such address.
    private let isExempt: @Sendable (_ address: String) -> Bool
    private let counts = Mutex<[String: Int]>([:])

    /// - Parameter total: that are served at a time; a quarter of them may be of one network.
    init(total: Int, isExempt: @escaping @Sendable (_ address: String) -> Bool) {
        perNetwork = max(total / 4, 1)
        self.isExempt = isExempt
    }

    func enter(_ address: String?) -> Entry {
        guard let address, !isExempt(address) else { return .taken(nil) }
        let network = ClientNetwork.name(of: address)
        return counts.withLock { counts in
            let count: Int = counts[network] ?? 0
            guard count < perNetwork else { return .refused }
            counts[network] = count + 1
            return .taken(network)
        }
    }

    func leave(_ network: String) {
        counts.withLock { counts in
            let count: Int = counts[network] ?? 0
            counts[network] = count > 1 ? count - 1 : nil
        }
    }
}

extension Limits {
    /// Connections that a process serves at a time, unless it is told otherwise; further ones wait until one ends.
    package static let connections = 20_000
    /// How long a connection has for the whole body of a request, whoever reads it.
    static let wholeBodyTime: Duration = bodyTime * 2
}
