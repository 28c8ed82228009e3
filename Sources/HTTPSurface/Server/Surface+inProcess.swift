internal import HTTPTypes
internal import Hummingbird
internal import Kernel

/// A request made without a network, through the same pipeline as any other: for tests of the modules above.
package struct LocalRequest: Sendable {
    package var method: String
    /// Path and query, percent-encoded.
    package var target: String
    package var host: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var clientAddress: String?

    package init(
        _ method: String, _ target: String, host: String = "localhost", headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        clientAddress: String? = nil
    ) {
        self.method = method
        self.target = target
        self.host = host
        self.headers = headers
        self.body = body
        self.clientAddress = clientAddress
    }
}

/// Its answer; a stream of events is read to its end.
package struct LocalAnswer: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

extension Surface {
    package func answer(_ local: LocalRequest) async throws -> LocalAnswer {
        guard let method = HTTPRequest.Method(local.method) else { throw Refusal(.malformed, "method", "This is no method.") }
        var fields = HTTPFields()
        for (name, value) in local.headers {
            if let field = HTTPField.Name(name) { fields.append(HTTPField(name: field, value: value)) }
        }
        if !local.body.isEmpty, fields[.contentLength] == nil { fields[.contentLength] = String(local.body.count) }
        let request = Request(
            head: HTTPRequest(method: method, scheme: "http", authority: local.host, path: local.target, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(bytes: local.body)))
        let outcome = await process(request, SurfaceContext(remoteAddress: local.clientAddress))
        var body: [UInt8] = []
        switch outcome.answer.body {
        case .empty: break
        case .bytes(let bytes): if local.method != "HEAD" { body = bytes }
        case .pieces(_, let pieces): if local.method != "HEAD" { body = try await pieces.collected(upTo: Limits.fileBytesInMemory) }
        case .events(let source): body = try await source.collected()
        }
        let headers = self.headers(of: outcome)
        return LocalAnswer(
            status: outcome.answer.status, headers: headers.map { ($0.name.rawName, $0.value) }, body: body)
    }
}

extension EventSource {
    fileprivate func collected() async throws -> [UInt8] {
        let (chunks, feed) = AsyncStream<String>.makeStream()
        try await forEach { event in
            feed.yield(event.text)
            return true
        }
        feed.finish()
        return await chunks.reduce(into: []) { $0 += Array($1.utf8) }
    }
}
