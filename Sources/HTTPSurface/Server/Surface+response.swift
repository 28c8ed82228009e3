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
        var headers = SecurityHeaders.headers(
            for: isHTML ? .page : outcome.endpoint?.kind, contentType: answer.contentType, isSecure: settings.isSecure)
        headers.append(HTTPField(name: .xRequestID, value: outcome.head.requestID))
        if let type = answer.contentType { headers.append(HTTPField(name: .contentType, value: type)) }
        for (name, value) in answer.headers { SecurityHeaders.set(name, value, in: &headers) }
        outcome.extras.headers.withLock { added in
            for (name, value) in added { SecurityHeaders.set(name, value, in: &headers) }
        }
        return headers
    }

    func response(_ outcome: Outcome, _ request: Request, _ context: SurfaceContext) -> Response {
        var headers = headers(of: outcome)
        // The rest of a body that nobody will read would keep the connection, and the client, busy for nothing.
        if outcome.leavesBody(of: request) {
            headers[.connection] = "close"
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
            return Response(status: status, headers: headers, body: EventStream(source: source, streams: streams, logger: logger).body(of: request))
        }
    }
}

extension Surface.Outcome {
    /// Whether a body was announced that is too large to be read for the sake of the next request alone.
    fileprivate func leavesBody(of request: Request) -> Bool {
        guard !extras.isBodyRead.withLock({ $0 }), case .bytes = answer.body else { return false }
        guard let length = request.headers[.contentLength] else { return request.headers[.transferEncoding] != nil }
        return Int(length) ?? .max > Limits.smallBodyBytes
    }

    fileprivate func lastBody(_ context: SurfaceContext) -> ResponseBody {
        guard case .bytes(let bytes) = answer.body, head.method != "HEAD" else { return ResponseBody() }
        return ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(ByteBuffer(bytes: bytes))
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

    static func headers(for kind: Endpoint.Kind?, contentType: String?, isSecure: Bool) -> HTTPFields {
        var headers: HTTPFields
        switch kind {
        case .raw, .events:
            headers = plain
            if let contentType, !contentType.hasPrefix("application/json"), contentType.contains("html") || contentType.contains("xml") {
                headers[.contentSecurityPolicy] = sandboxPolicy
            }
        case .page: headers = page
        case .json, nil: headers = json
        }
        if isSecure { headers[.strictTransportSecurity] = "max-age=31536000" }
        return headers
    }

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
