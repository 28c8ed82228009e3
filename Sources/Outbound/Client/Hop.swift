internal import Kernel

/// One request of a chain of redirects.
struct Hop: Sendable {
    var method: String
    var url: OutboundURL
    var headers: [(name: String, value: String)]
    var body: OutboundRequest.Body
    var certificate: ClientCertificate?

    /// Headers that belong to the connection and the framing, which the client writes itself.
    private static let framing: Set<String> = ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer"]
    private static let secrets: Set<String> = ["authorization", "cookie", "proxy-authorization", "host"]

    /// - Throws: `invalid_url`, `invalid_request`.
    init(_ request: OutboundRequest) throws {
        url = try OutboundURL(request.url)
        method = request.method.uppercased()
        guard !method.isEmpty, method.utf8.allSatisfy(HeaderSyntax.isTokenByte), method != "CONNECT" else {
            throw OutboundError(.invalidRequest, "\(request.method) is no method.")
        }
        headers = request.headers.filter { !Self.framing.contains($0.name.lowercased()) }
        for header in headers { try HeaderSyntax.check(header) }
        body = request.body
        certificate = request.certificate
        adoptUserInfo()
    }

    /// The next request where `response` is a redirect that names a place (RFC 9110, 15.4), else nil.
    func redirected(by response: OutboundResponse) throws -> Hop? {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.header("location") else { return nil }
        var next = self
        next.url = try url.resolving(location)
        let becomesGet = response.status == 303 && method != "HEAD" || [301, 302].contains(response.status) && method == "POST"
        if becomesGet {
            next.method = "GET"
            next.body = .none
            next.headers.removeAll { $0.name.lowercased().hasPrefix("content-") }
        }
        if next.url.origin != url.origin { next.headers.removeAll { Self.secrets.contains($0.name.lowercased()) } }
        if next.url.host != url.host { next.certificate = nil }
        next.adoptUserInfo()
        return next
    }

    /// `https://user:password@host` means basic authentication unless a header says otherwise.
    private mutating func adoptUserInfo() {
        guard let userInfo = url.userInfo else { return }
        url.userInfo = nil
        guard !headers.contains(where: { $0.name.lowercased() == "authorization" }) else { return }
        headers.append(RequestAuthentication.basic(user: userInfo.user, password: userInfo.password))
    }
}

/// The grammar of header fields (RFC 9110, 5.1 and 5.5).
enum HeaderSyntax {
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// - Throws: `invalid_request` with the name; never with the value, which may be a secret.
    static func check(_ header: (name: String, value: String)) throws {
        guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
            throw OutboundError(.invalidRequest, "\"\(header.name)\" is no header name.")
        }
        guard header.value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
            throw OutboundError(.invalidRequest, "The header \(header.name) contains control characters.")
        }
    }
}
