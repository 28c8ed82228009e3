/// A server that opens connections to others, by `CONNECT` (RFC 9110, 9.3.6) or SOCKS. Its address is checked like every other, and it is
/// asked for the checked address of the request, never for the name, so that it leads nowhere that the request could not go by itself.
package struct OutboundProxy: Sendable, Hashable {
    /// Lower case; an IPv6 address stands without brackets.
    package var host: String
    package var port: Int
    /// Empty for none.
    package var user: String
    package var password: String

    /// Whether it is spoken to in SOCKS 5 (RFC 1928), without a user and password, instead of HTTP.
    package var isSOCKS: Bool

    /// Reads `http://user:password@host:port` or `socks5://host:port`; all but the host may be left out.
    /// - Throws: `invalid_url`.
    package init(_ text: String) throws {
        let text = text.trimmingSpaces()
        let mark = text.range(ofASCII: "://")
        let scheme: String = mark.map { text[..<$0.lowerBound].lowercased() } ?? "http"
        let address: Substring = mark.map { text[$0.upperBound...] } ?? text[...]
        let isSOCKS = ["socks", "socks5", "socks5h"].contains(scheme)
        guard scheme != "https" else {
            throw OutboundURL.invalid("A proxy that is itself spoken to over TLS (https://) is not supported, only http:// and socks5://.")
        }
        guard isSOCKS || scheme == "http" else {
            throw OutboundURL.invalid("A proxy's address begins with http:// or socks5://, not with \(scheme)://.")
        }
        let url = try OutboundURL("http://\(address)")
        guard !isSOCKS || url.userInfo == nil else {
            throw OutboundURL.invalid("A SOCKS proxy with a user and password is not supported.")
        }
        // Where the port is left out it is the scheme's, so that two schemes differ in it.
        let hasPort = try OutboundURL("https://\(address)").port == url.port
        self.isSOCKS = isSOCKS
        host = url.host
        port = isSOCKS && !hasPort ? 1_080 : url.port
        user = url.userInfo?.user ?? ""
        password = url.userInfo?.password ?? ""
    }
}

/// Where a connection goes: to the checked address itself, or to a proxy's checked address that is asked for it.
struct Route: Sendable, Hashable {
    var address: IPAddress
    var proxy: OutboundProxy?
    var proxyAddress: IPAddress?

    /// Whom the connection must lead to.
    var nearest: IPAddress { proxyAddress ?? address }
}
