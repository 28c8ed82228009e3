internal import Foundation

/// Which addresses the platform's requests may reach: the public internet, and what the operator lists.
///
/// Workflows are written by tenants, so without this a request could reach the machine itself, its neighbours, or the cloud's metadata
/// service. The check is made on the resolved address that is then connected to, never on the name.
package struct AddressPolicy: Sendable {
    /// Blocks that are never public: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and successors), and Azure's
    /// metadata address, which lies in public space.
    private static let forbiddenIPv4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32"
    ].map(range)
    /// Only global unicast is public at all; inside it these are not: IETF protocol assignments with Teredo and ORCHID, documentation,
    /// 6to4 (which carries an IPv4 address of the sender's choice).
    private static let publicIPv6 = range("2000::/3")
    private static let forbiddenIPv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(range)

    private let allowed: [AllowedDestination]

    /// - Parameter patterns: `host:port` each, host being a name, `*.suffix`, an address or a block of addresses (`10.1.0.0/16`, IPv6 in
    ///   brackets), port a number or `*`.
    package init(allowing patterns: [String] = []) throws {
        allowed = try patterns.map { try AllowedDestination($0) }
    }

    /// Reads the operator's comma-separated list from `AIAS_OUTBOUND_ALLOW`.
    package init(environment: [String: String]) throws {
        let list = environment["AIAS_OUTBOUND_ALLOW"] ?? ""
        try self.init(allowing: list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty })
    }

    /// Whether a request to `host` (lower case, as written in its URL) may connect to `address`.
    package func permits(_ address: IPAddress, host: String, port: Int) -> Bool {
        Self.isPublic(address) || allowed.contains { $0.matches(address, host: host, port: port) }
    }

    /// Whether an address is reachable by anyone on the internet.
    package static func isPublic(_ address: IPAddress) -> Bool {
        if let embedded = address.embeddedIPv4 { return isPublic(embedded) }
        switch address {
        case .v4: return !forbiddenIPv4.contains { $0.contains(address) }
        case .v6: return publicIPv6.contains(address) && !forbiddenIPv6.contains { $0.contains(address) }
        }
    }

    private static func range(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("an address block: \(text)") }
        return range
    }
}

/// One entry of the operator's list.
struct AllowedDestination: Sendable {
    private enum Host {
        case name(String)
        case suffix(String)
        case range(AddressRange)
    }

    private let host: Host
    /// nil allows every port.
    private let port: Int?

    init(_ pattern: String) throws {
        guard let colon = pattern.lastIndex(of: ":"), colon != pattern.startIndex else { throw Self.malformed(pattern) }
        let portText = pattern[pattern.index(after: colon)...]
        var name = pattern[..<colon].lowercased()
        guard let port = portText == "*" ? 0 : Int(portText), (0...65_535).contains(port) else { throw Self.malformed(pattern) }
        self.port = port == 0 ? nil : port
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        if let range = AddressRange(name) {
            host = .range(range)
        } else if name.hasPrefix("*.") {
            host = .suffix(String(name.dropFirst()))
        } else {
            guard !name.isEmpty, !name.contains("/"), !name.contains(":") else { throw Self.malformed(pattern) }
            host = .name(name)
        }
    }

    func matches(_ address: IPAddress, host name: String, port: Int) -> Bool {
        guard self.port == nil || self.port == port else { return false }
        switch host {
        case .name(let own): return own == name
        case .suffix(let suffix): return name.hasSuffix(suffix)
        case .range(let range): return range.contains(address)
        }
    }

    private static func malformed(_ pattern: String) -> OutboundError {
        OutboundError(.invalidRequest, "\(pattern) is not host:port; an example is 127.0.0.1:9001.")
    }
}
