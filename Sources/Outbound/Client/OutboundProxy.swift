/// A server that opens connections to others (RFC 9110, 9.3.6). Its address is checked like every other, and it is asked for the
/// checked address of the request, never for the name, so that it leads nowhere that the request could not go by itself.
package struct OutboundProxy: Sendable, Hashable {
    /// Lower case; an IPv6 address stands without brackets.
    package var host: String
    package var port: Int
    /// Empty for none.
    package var user: String
    package var password: String

    /// Reads `http://user:password@host:port`; all but the host may be left out.
    /// - Throws: `invalid_url`.
    package init(_ text: String) throws {
        let url = try OutboundURL(text.range(ofASCII: "://") == nil ? "http://\(text)" : text)
        guard url.scheme == .http else { throw OutboundURL.invalid("A proxy that is itself spoken to over TLS is not supported.") }
        host = url.host
        port = url.port
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
