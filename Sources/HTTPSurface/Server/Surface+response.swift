internal import Hummingbird
internal import HTTPTypes
internal import Kernel
internal import NIOCore
internal import Synchronization

/// From an answer to Hummingbird's response, with the headers every answer carries.
extension Surface {
    func headers(of outcome: Outcome) -> HTTPFields {
        let answer = outcome.answer
        let isHTML = outcome.endpoint == nil && answer.contentType?.hasPrefix("text/html") == true
        let kind = isHTML ? .page : outcome.endpoint?.kind
        var headers = SecurityHeaders.headers(for: kind, isSecure: settings.isSecure)
        if let endpoint = outcome.endpoint, endpoint.kind == .raw, !endpoint.access.isPublic { headers[.cacheControl] = "no-store" }
        headers.append(HTTPField(name: .xRequestID, value: outcome.head.requestID))
        if let type = answer.contentType { headers.append(HTTPField(name: .contentType, value: type)) }
        for (name, value) in answer.headers { SecurityHeaders.set(name, value, in: &headers) }
        outcome.extras.headers.withLock { added in
            for (name, value) in added { SecurityHeaders.set(name, value, in: &headers) }
        }
        // Beside a policy of the answer's own: a browser obeys both.
        if kind == .raw || kind == .events, SecurityHeaders.mayBeActive(answer.contentType) {
            headers.append(HTTPField(name: .contentSecurityPolicy, value: SecurityHeaders.sandboxPolicy))
        }
        return headers
    }

    func response(_ outcome: Outcome, _ request: Request, _ context: SurfaceContext) -> Response {
        var headers = headers(of: outcome)
        // The rest of a body that nobody will read would keep the connection, and the client, busy for nothing.
        if outcome.leavesBody(of: request) {
            headers[.connection] = "close"
            if outcome.head.method == "HEAD", case .bytes(let bytes) = outcome.answer.body { headers[.contentLength] = String(bytes.count) }
            return Response(status: .init(code: outcome.answer.status), headers: headers, body: outcome.lastBody(context))
        }
        let status = HTTPResponse.Status(code: outcome.answer.status)
        let isHead = outcome.head.method == "HEAD"
        switch outcome.answer.body {
        case .empty: return Response(status: status, headers: headers)
        case .bytes(let bytes):
            if isHead {
                headers[.contentLength] = String(bytes.count)
                return Response(status: status, headers: headers)
            }
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .pieces(let byteCount, let pieces):
            if isHead {
                headers[.contentLength] = String(byteCount)
                return Response(status: status, headers: headers)
            }
            return Response(
                status: status, headers: headers,
                body: ResponseBody(contentLength: byteCount) { writer in
                    for try await piece in pieces { try await writer.write(ByteBuffer(bytes: piece)) }
                    try await writer.finish(nil)
                })
        case .events(let source):
            headers[.cacheControl] = "no-store"
            if isHead { return Response(status: status, headers: headers) }
            let stream = EventStream(
                source: source, mayRead: outcome.extras.mayRead.withLock { $0 }, place: outcome.extras.streamPlace.withLock { $0 }, streams: streams,
                logger: logger)
            return Response(status: status, headers: headers, body: stream.body(of: request))
        }
    }
}

extension Surface.Outcome {
    /// Whether a body was announced that is too large to be read for the sake of the next request alone.
    fileprivate func leavesBody(of request: Request) -> Bool {
        guard !extras.isBodyRead.withLock({ $0 }) else { return false }
        switch answer.body {
        case .empty, .bytes: break
        // Of a handler, which is called when the body was read.
        case .pieces, .events: return false
        }
        guard let length = request.headers[.contentLength] else { return request.headers[.transferEncoding] != nil }
        return Int(length) ?? .max > Limits.smallBodyBytes
    }

    fileprivate func lastBody(_ context: SurfaceContext) -> ResponseBody {
        let bytes: [UInt8] = if case .bytes(let all) = answer.body, head.method != "HEAD" { all } else { [] }
        return ResponseBody(contentLength: bytes.count) { writer in
            if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            try await writer.finish(nil)
            context.close()
        }
    }
}

extension Limits {
    /// How long what still comes in is thrown away after the last answer of a connection.
    static let lingerTime: Duration = .seconds(1)
}

enum SecurityHeaders {
    /// Nothing inline, nothing from elsewhere, in no frame.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    /// What a webhook answers may be anybody's HTML: it gets an origin of its own.
    static let sandboxPolicy = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"

    private static let plain: HTTPFields = [.xContentTypeOptions: "nosniff"]
    private static let json: HTTPFields = [
        .xContentTypeOptions: "nosniff", .cacheControl: "no-store", .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'"
    ]
    private static let page: HTTPFields = [
        .xContentTypeOptions: "nosniff", .cacheControl: "no-store", .contentSecurityPolicy: contentSecurityPolicy,
        .referrerPolicy: "same-origin", .crossOriginOpenerPolicy: "same-origin", .crossOriginResourcePolicy: "same-origin",
        .permissionsPolicy: "camera=(), geolocation=(), microphone=(), payment=()"
    ]

    static func headers(for kind: Endpoint.Kind?, isSecure: Bool) -> HTTPFields {
        var headers: HTTPFields
        switch kind {
        case .raw, .events: headers = plain
        case .page: headers = page
        case .json, nil: headers = json
        }
        if isSecure { headers[.strictTransportSecurity] = "max-age=31536000" }
        return headers
    }

    /// Whether a browser may run what has this type: all but the few of which it is known that none does.
    static func mayBeActive(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        // Of two types browsers take the last one.
        guard !contentType.utf8.contains(UInt8(ascii: ",")) else { return true }
        let end = contentType.utf8.firstIndex { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: " ") } ?? contentType.endIndex
        return !inertTypes.contains(String(contentType[..<end]))
    }

    private static let inertTypes: Set<String> = [
        "application/json", "application/problem+json", "application/octet-stream", "application/pdf", "application/zip", "application/gzip",
        "application/javascript", "text/javascript", "text/css", "text/csv", "text/plain", "text/calendar", "text/event-stream", "text/markdown",
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/x-icon", "font/woff2", "audio/mpeg", "video/mp4"
    ]

    /// Headers with which one who writes an answer would speak for the whole host, to everybody who uses it, or break the connection's framing.
    static let reserved: Set<String> = [
        "alt-svc", "clear-site-data", "connection", "content-length", "keep-alive", "nel", "proxy-connection", "report-to", "reporting-endpoints",
        "service-worker-allowed", "set-cookie", "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade",
        "x-content-type-options"
    ]

    /// Adds repeatable headers, replaces others; names and values that HTTP cannot hold are left out.
    static func set(_ name: String, _ value: String, in headers: inout HTTPFields) {
        guard let field = HTTPField.Name(name), HTTPField.isValidValue(value) else { return }
        if field == .setCookie || field == .vary || name.lowercased() == "link" {
            headers.append(HTTPField(name: field, value: value))
        } else {
            headers[field] = value
        }
    }
}
