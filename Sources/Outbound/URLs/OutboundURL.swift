internal import Kernel

/// An absolute `http` or `https` URL, taken apart by one parser and put together again from checked parts, so that what is checked
/// and what is connected to cannot differ.
package struct OutboundURL: Sendable, Hashable {
    package enum Scheme: String, Sendable, Hashable {
        case http, https
        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    package var scheme: Scheme
    /// Lower case; an IPv6 address stands without brackets.
    package var host: String
    package var port: Int
    /// Begins with `/`; percent-encoded.
    package var path: String
    /// Without `?`; percent-encoded; nil where there is none.
    package var query: String?
    /// `user:password`, decoded; becomes an `Authorization` header.
    package var userInfo: (user: String, password: String)?

    /// Reads a URL as a person writes it: what may not stand in a URL is percent-encoded, the fragment is dropped.
    /// - Throws: `invalid_url`.
    package init(_ text: String) throws {
        let text = text.trimmingSpaces()
        guard text.utf8.count <= Limits.outboundURLBytes else { throw Self.invalid("The URL is too long.") }
        guard let colon = text.range(ofASCII: "://"), let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased()) else {
            throw Self.invalid("The URL must begin with http:// or https://.")
        }
        self.scheme = scheme
        let rest = text[colon.upperBound...]
        let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
        (userInfo, host, port) = try Self.authority(rest[..<end], scheme: scheme)
        (path, query) = Self.target(rest[end...])
    }

    /// The whole URL, without user and password.
    package var text: String { origin + target }
    /// Scheme, host and port; two URLs of one origin may share credentials.
    package var origin: String { "\(scheme)://\(hostHeader)" }
    /// What stands in the request line.
    var target: String { path + (query.map { "?" + $0 } ?? "") }
    /// The `Host` header: the port is left out where it is the scheme's own.
    var hostHeader: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? bracketed : "\(bracketed):\(port)"
    }

    package static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    static func invalid(_ message: String) -> OutboundError { OutboundError(.invalidURL, message) }
}

extension OutboundURL {
    /// Splits `user:password@host:port`.
    private static func authority(
        _ text: Substring, scheme: Scheme
    ) throws -> (userInfo: (user: String, password: String)?, host: String, port: Int) {
        var hostAndPort = text
        var userInfo: (user: String, password: String)?
        if let at = text.lastIndex(of: "@") {
            let parts = text[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            userInfo = (PercentEncoding.decode(parts[0]), parts.count > 1 ? PercentEncoding.decode(parts[1]) : "")
            hostAndPort = text[text.index(after: at)...]
        }
        var portText = Substring()
        if hostAndPort.first == "[" {
            guard let bracket = hostAndPort.firstIndex(of: "]") else { throw invalid("The URL's IPv6 address is not closed.") }
            let after = hostAndPort[hostAndPort.index(after: bracket)...]
            guard after.isEmpty || after.first == ":" else { throw invalid("The URL's host is malformed.") }
            portText = after.dropFirst()
            hostAndPort = hostAndPort[...bracket]
        } else if let colon = hostAndPort.firstIndex(of: ":") {
            portText = hostAndPort[hostAndPort.index(after: colon)...]
            hostAndPort = hostAndPort[..<colon]
        }
        let port = portText.isEmpty ? scheme.defaultPort : Int(portText)
        guard let port, portText.utf8.allSatisfy({ (48...57).contains($0) }), (1...65_535).contains(port) else {
            throw invalid("The URL's port must be between 1 and 65535.")
        }
        return (userInfo, try host(hostAndPort), port)
    }

    private static func host(_ text: Substring) throws -> String {
        if text.first == "[" {
            let inner = String(text.dropFirst().dropLast())
            guard case .v6 = IPAddress(inner) else { throw invalid("The URL's IPv6 address is malformed.") }
            return IPAddress(inner)?.description ?? inner
        }
        let labels = try PercentEncoding.decode(text).lowercased().split(separator: ".", omittingEmptySubsequences: false)
            .map { $0.utf8.allSatisfy { $0 < 128 } ? String($0) : "xn--" + (try Punycode.encode($0)) }
        let name = labels.joined(separator: ".")
        let isLegal = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 || $0 == 95 }
        guard isLegal, !name.isEmpty, name.utf8.count <= 253, name.first != "." else {
            throw invalid("The URL's host \(text) is malformed.")
        }
        return name
    }

    /// Splits and encodes what follows the authority.
    private static func target(_ text: Substring) -> (path: String, query: String?) {
        let beforeFragment = text.prefix { $0 != "#" }
        let mark = beforeFragment.firstIndex(of: "?") ?? beforeFragment.endIndex
        var path = PercentEncoding.encode(beforeFragment[..<mark], allowing: PercentEncoding.path)
        if path.first != "/" { path = "/" + path }
        guard mark < beforeFragment.endIndex else { return (path, nil) }
        return (path, PercentEncoding.encode(beforeFragment[beforeFragment.index(after: mark)...], allowing: PercentEncoding.query))
    }

    /// The URL that a reference such as a `Location` header means from here (RFC 3986, 5.2).
    package func resolving(_ reference: String) throws -> OutboundURL {
        let reference = reference.trimmingSpaces()
        if reference.hasPrefix("//") { return try OutboundURL("\(scheme):" + reference) }
        let scheme = reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        if !scheme.isEmpty, reference.dropFirst(scheme.count).first == ":" { return try OutboundURL(reference) }
        var result = self
        result.userInfo = nil
        if reference.isEmpty || reference.first == "#" { return result }
        let (path, query) = Self.target(reference[...])
        result.query = query
        switch reference.first {
        case "/": result.path = Self.withoutDotSegments(path)
        case "?": result.path = self.path
        default:
            let folder = self.path[...(self.path.lastIndex(of: "/") ?? self.path.startIndex)]
            result.path = Self.withoutDotSegments(folder + path.dropFirst())
        }
        return result
    }

    /// RFC 3986, 5.2.4.
    private static func withoutDotSegments(_ path: some StringProtocol) -> String {
        var kept: [Substring] = []
        let segments = String(path).dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}

extension String {
    /// Without leading and trailing ASCII control characters and spaces.
    func trimmingSpaces() -> String {
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { $0 > 32 }), let last = bytes.lastIndex(where: { $0 > 32 }) else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }

    func range(ofASCII needle: String) -> Range<String.Index>? { firstRange(of: needle) }
}
