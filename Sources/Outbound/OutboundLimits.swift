internal import Kernel

/// Bounds of one process's traffic to the outside.
package struct OutboundLimits: Sendable {
    /// Requests of one tenant at a time, and how many more may wait.
    package var concurrentPerTenant = 64
    package var queuedPerTenant = 1_000
    /// To connect and, for `https`, to agree on keys; each address of a name has this long.
    package var connectTimeout = Duration.seconds(10)
    package init() {}
}

extension Limits {
    /// Addresses of one name that are tried, in the resolver's order.
    static let outboundAddressesTried = 3
    /// Name, value and separators of all headers of an answer.
    static let outboundHeaderBytes = 256 << 10
    /// The longest URL that is sent or followed.
    static let outboundURLBytes = 64 << 10
    /// What an answer that is gathered may come to, whatever the request allows.
    static let outboundDecompressedBytes = 512 << 20
    /// Clients, one for a pair of name and address, kept for their open connections.
    static let outboundClientsKept = 256
    static let outboundClientIdle = Duration.seconds(60)
    static let outboundConnectionsPerAddress = 256
}
