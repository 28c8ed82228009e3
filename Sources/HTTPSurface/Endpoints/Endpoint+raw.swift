internal import Kernel

/// Endpoints beside typed JSON.
extension Endpoint {
    /// Bytes in, bytes out, with its own content types; no deadline unless one is set, since such handlers watch their own time.
    /// With the method `.any` it is left out of the OpenAPI document.
    /// - Parameter view: what it answers, where that is JSON.
    package static func raw(
        _ method: Method, _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, answers contentType: String? = nil, as view: (any (Codable & Sendable).Type)? = nil,
        errors: [ErrorDeclaration] = [], bodyLimit: Int = Limits.bodyBytes, opensRefusals: Bool = false,
        handler: @escaping @Sendable (EndpointCall) async throws -> Answer
    ) -> Endpoint {
        Endpoint(
            method: method, path: path, kind: .raw, access: access, summary: summary, description: description, tag: tag, query: query,
            responses: [
                ResponseDeclaration(status: 200, description: "Done.", contentType: contentType, schema: view.map { TypeSchema(of: $0) })
            ], errors: errors, bodyLimit: bodyLimit, timeout: nil, isDocumented: method != .any, opensRefusals: opensRefusals, handle: handler)
    }

    /// A stream of server-sent events (WHATWG HTML, 9.2): heartbeats keep it open, `call.lastEventID` says where to resume,
    /// a reader too slow for `Limits.eventBacklog` events is cut.
    package static func events<Events: AsyncSequence & Sendable>(
        _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall) async throws -> Events
    ) -> Endpoint where Events.Element == ServerEvent {
        Endpoint(
            method: .get, path: path, kind: .events, access: access, summary: summary, description: description, tag: tag, query: query,
            responses: [ResponseDeclaration(status: 200, description: "A stream of events.", contentType: "text/event-stream", schema: nil)],
            errors: errors, timeout: nil
        ) { call in
            Answer(contentType: "text/event-stream", body: .events(EventSource(try await handler(call))))
        }
    }

    /// An HTML page or the form behind it.
    package static func page(
        _ method: Method, _ path: String, access: Access, summary: String, bodyLimit: Int = Limits.bodyBytes,
        handler: @escaping @Sendable (EndpointCall) async throws -> Answer
    ) -> Endpoint {
        Endpoint(
            method: method, path: path, kind: .page, access: access, summary: summary, tag: "Pages", bodyLimit: bodyLimit,
            isDocumented: false, handle: handler)
    }
}
