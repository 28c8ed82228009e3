/// How a request names a tenant before it is known.
package enum TenantAddress: Sendable, Hashable {
    /// `acme` of `acme.localhost:8080` or of `/t/acme/…`.
    case subdomain(String)
    /// A domain of the tenant's own, without port.
    case domain(String)
}

/// Reads tenants out of hosts and paths.
struct TenantAddressing: Sendable {
    /// Hosts of the platform itself, without port, in lower case: `localhost`, `aias.example`.
    let platformHosts: Set<String>

    /// What the host names; nil for the platform's own hosts, addresses of machines, and no host.
    func address(host: String?) -> TenantAddress? {
        guard let host, !host.isEmpty, !platformHosts.contains(host) else { return nil }
        let name = TenantAddressing.withoutPort(host.lowercased())
        if name.isEmpty || platformHosts.contains(name) || TenantAddressing.isAddress(name) { return nil }
        if let dot = name.firstIndex(of: "."), platformHosts.contains(String(name[name.index(after: dot)...])) {
            return .subdomain(String(name[..<dot]))
        }
        return name.contains(".") ? .domain(name) : nil
    }

    /// Splits the path twin `/t/acme/v1/workflows` into the tenant and `/v1/workflows`.
    static func twin(_ path: Substring) -> (slug: String, path: Substring)? {
        guard path.utf8.starts(with: "/t/".utf8) else { return nil }
        let rest = path.dropFirst(3)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let slug = rest[..<slash]
        guard !slug.isEmpty else { return nil }
        return (slug.lowercased(), slash == rest.endIndex ? "/" : rest[slash...])
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }) + "]" }
        return host.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(host[..<$0]) } ?? host
    }

    private static func isAddress(_ name: String) -> Bool {
        name.hasPrefix("[") || name.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == 46 }
    }
}
