internal import Hummingbird
internal import HTTPTypes
internal import Kernel
internal import Synchronization

/// From an answer to Hummingbird's response, with the headers every answer carries.
extension Surface {
    func headers(of outcome: Outcome) -> HTTPFields {
        let answer = outcome.answer
        let isHTML = outcome.endpoint == nil && answer.contentType?.hasPrefix("text/html") == true
        var headers = SecurityHeaders.headers(
            for: isHTML ? .page : outcome.endpoint?.kind, contentType: answer.contentType, isSecure: settings.isSecure)
        headers[.xRequestID] = outcome.head.requestID
        if let type = answer.contentType { headers[.contentType] = type }
        for (name, value) in answer.headers { SecurityHeaders.set(name, value, in: &headers) }
        outcome.extras.headers.withLock { added in
            for (name, value) in added { SecurityHeaders.set(name, value, in: &headers) }
        }
        return headers
    }

    func response(_ outcome: Outcome, _ request: Request) -> Response {
        var headers = headers(of: outcome)
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
        case .events(let source):
            headers[.cacheControl] = "no-store"
            if isHead { return Response(status: status, headers: headers) }
            return Response(status: status, headers: headers, body: EventStream(source: source, logger: logger).body(of: request))
        }
    }
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
            if let contentType, contentType.contains("html") || contentType.contains("xml") { headers[.contentSecurityPolicy] = sandboxPolicy }
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
