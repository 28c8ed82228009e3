/// What counts as one where somebody may have many addresses.
package enum ClientNetwork {
    /// Whoever has one address of IPv6 has the 2^64 of its network, which count as one. An address of IPv4 stays itself, also where it is written as one
    /// of IPv6.
    /// - Parameter groups: of 16 bits that stand for the network.
    package static func name(of address: String, groups: Int = 4) -> String {
        guard address.contains(":") else { return address }
        if let four = address.split(separator: ":").first(where: { $0.contains(".") }) { return String(four) }
        let halves: [[Substring]] = address.split(separator: "::", omittingEmptySubsequences: false).map { $0.split(separator: ":") }
        let (head, tail): ([Substring], [Substring]) = (halves[0], halves.count > 1 ? halves[1] : [])
        let zeros: [Substring] = Array(repeating: "0", count: max(8 - head.count - tail.count, 0))
        return (head + zeros + tail).prefix(groups).joined(separator: ":")
    }

    /// Whether an address is of this machine.
    package static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }
}
