internal import Kernel
internal import Outbound

/// One request of an HTTP request node, before it is written as bytes; pagination changes it between pages.
struct HttpCall: Sendable {
    enum Body: Sendable {
        case none
        case json(JSON)
        case form([(name: String, value: JSON)])
        case multipart([HttpPart])
        case raw([UInt8], contentType: String?)
        /// A stored file, sent piece by piece.
        case file(BinaryReference, any StepServices)
    }

    var method: String
    var url: String
    var query: [(name: String, value: JSON)] = []
    var headers: [(name: String, value: String)] = []
    var body: Body = .none
    var queryArrays = "brackets"

    func hasHeader(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name.lowercased() } }

    mutating func setHeader(_ name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append((name: name, value: value))
    }

    mutating func setQuery(_ name: String, _ value: JSON) {
        query.removeAll { $0.name == name }
        query.append((name: name, value: value))
    }

    /// Sets a member of a JSON or form body; other bodies stay as they are.
    mutating func setBody(_ name: String, _ value: JSON) {
        switch body {
        case .none: body = .json([:])
        case .form(var fields):
            fields.removeAll { $0.name == name }
            fields.append((name: name, value: value))
            body = .form(fields)
            return
        default: break
        }
        guard case .json(.object(var members)) = body else { return }
        members[name] = value
        body = .json(.object(members))
    }

    /// `{url, method, headers, qs, body}`: what `$request` is.
    var json: JSON {
        var members: JSONObject = [
            "url": .string(url), "method": .string(method),
            "headers": .object(JSONObject(headers.map { ($0.name, .string($0.value)) })),
            "qs": .object(JSONObject(query.map { ($0.name, $0.value) }))
        ]
        if case .json(let value) = body { members["body"] = value }
        return .object(members)
    }

    /// The request's address, headers and bytes.
    func outbound(_ options: HttpOptions) -> OutboundRequest {
        var call = self
        if !call.hasHeader("Accept") { call.setHeader("Accept", options.accepts) }
        if options.asksForUnpacked, !call.hasHeader("Accept-Encoding") { call.setHeader("Accept-Encoding", "identity") }
        var request = call.outbound(timeout: options.timeout)
        request.followRedirects = options.followsRedirects
        request.maximumRedirects = options.maximumRedirects
        request.verifyCertificates = options.verifiesCertificates
        request.proxy = options.proxy
        return request
    }

    func outbound(timeout: Duration) -> OutboundRequest {
        var call = self
        var bytes: [UInt8]?
        var contentType: String?
        switch body {
        case .none: break
        case .json(let value): (bytes, contentType) = (value.bytes, "application/json")
        case .form(let fields):
            (bytes, contentType) = (Array(URLText.form(fields).utf8), "application/x-www-form-urlencoded")
        case .multipart(let parts):
            let boundary = HttpPart.boundary(parts)
            bytes = HttpPart.bytes(parts, boundary: boundary)
            call.setHeader("Content-Type", "multipart/form-data; boundary=\(boundary)")
        case .raw(let raw, let type): (bytes, contentType) = (raw, type)
        case .file(let file, _): contentType = file.mimeType
        }
        if let contentType, !call.hasHeader("Content-Type") { call.setHeader("Content-Type", contentType) }
        if !call.hasHeader("Accept") { call.setHeader("Accept", "application/json, text/*;q=0.9, */*;q=0.8") }
        // Some servers refuse whoever does not say what it is (api.github.com).
        if !call.hasHeader("User-Agent") { call.setHeader("User-Agent", "AIAS") }
        var sent = bytes.map { OutboundRequest.Body.bytes($0) } ?? .none
        if case .file(let file, let services) = body {
            sent = .pieces(byteCount: file.byteCount) { try await services.openBinary(file) }
        }
        return OutboundRequest(
            method: method, url: URLText.adding(query, to: url, arrays: queryArrays), headers: call.headers,
            body: sent, timeout: timeout)
    }
}
