internal import HTTPSurface
internal import Kernel

/// What a browser is told whose page of another origin calls a webhook (Fetch Standard, 3.3, the CORS protocol). No answer permits
/// credentials: a webhook's callers are not who is signed in here.
extension WebhookDefinition {
    /// - Parameter origin: the page's; nil where no page calls, which needs no headers.
    func originHeaders(for origin: String?) -> [(name: String, value: String)] {
        guard origin != nil else { return [] }
        guard let first = allowedOrigins.first else { return [(name: "Access-Control-Allow-Origin", value: "*")] }
        let allowed = allowedOrigins.first { $0 == origin } ?? first
        return [(name: "Access-Control-Allow-Origin", value: allowed), (name: "Vary", value: "Origin")]
    }

    /// The answer to a browser that asks beforehand whether a page may send its request.
    func permission(for call: EndpointCall) -> Answer {
        var headers = originHeaders(for: call.header("Origin"))
        headers.append((name: "Access-Control-Allow-Methods", value: methods.joined(separator: ", ")))
        headers.append((name: "Access-Control-Max-Age", value: "300"))
        if let asked = call.header("Access-Control-Request-Headers") { headers.append((name: "Access-Control-Allow-Headers", value: asked)) }
        return Answer(status: 204, headers: headers)
    }
}

extension Answer {
    /// With headers that it does not have yet.
    func adding(_ more: [(name: String, value: String)]) -> Answer {
        let known = Set(headers.map { $0.name.lowercased() })
        var copy = self
        copy.headers += more.filter { !known.contains($0.name.lowercased()) }
        return copy
    }
}
