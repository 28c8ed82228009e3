package import Kernel

/// Typed JSON endpoints.
extension Endpoint {
    package convenience init<Body: Codable & Sendable, Output: Codable & Sendable>(
        _ method: Method, _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, body: Body.Type, returns: Returns<Output>, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall, Body) async throws -> Output
    ) {
        let schema = TypeSchema(of: Body.self)
        self.init(
            method: method, path: path, kind: .json, access: access, summary: summary, description: description, tag: tag, query: query,
            requestBody: RequestBody(schema: schema, isRequired: !schema.root.isNullable), responses: [returns.declaration],
            errors: errors, holdsSecret: returns.holdsSecret
        ) { call in
            let output = try await handler(call, try call.decodedBody(Body.self, schema: schema))
            return try returns.answer(output)
        }
    }

    package convenience init<Output: Codable & Sendable>(
        _ method: Method, _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, returns: Returns<Output>, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall) async throws -> Output
    ) {
        self.init(
            method: method, path: path, kind: .json, access: access, summary: summary, description: description, tag: tag, query: query,
            responses: [returns.declaration], errors: errors, holdsSecret: returns.holdsSecret
        ) { call in try returns.answer(try await handler(call)) }
    }

    /// With a body and nothing to show: 204.
    package convenience init<Body: Codable & Sendable>(
        _ method: Method, _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, body: Body.Type, returns: ReturnsNothing, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall, Body) async throws -> Void
    ) {
        let schema = TypeSchema(of: Body.self)
        self.init(
            method: method, path: path, kind: .json, access: access, summary: summary, description: description, tag: tag, query: query,
            requestBody: RequestBody(schema: schema, isRequired: !schema.root.isNullable), responses: [.noContent], errors: errors
        ) { call in
            try await handler(call, try call.decodedBody(Body.self, schema: schema))
            return Answer(status: 204)
        }
    }

    /// Without a body and with nothing to show: 204.
    package convenience init(
        _ method: Method, _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, returns: ReturnsNothing, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall) async throws -> Void
    ) {
        self.init(
            method: method, path: path, kind: .json, access: access, summary: summary, description: description, tag: tag, query: query,
            responses: [.noContent], errors: errors
        ) { call in
            try await handler(call)
            return Answer(status: 204)
        }
    }

    /// A list in pages, `{"data": [...], "next_cursor": ...}`; the handler gets what part is asked for.
    package static func list<Element: Codable & Sendable>(
        _ path: String, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, of: Element.Type, errors: [ErrorDeclaration] = [],
        handler: @escaping @Sendable (EndpointCall, PageRequest) async throws -> Page<Element>
    ) -> Endpoint {
        let returns: Returns<Page<Element>> = .ok(Page<Element>.self, "One page.")
        return Endpoint(
            method: .get, path: path, kind: .json, access: access, summary: summary, description: description, tag: tag, query: query,
            isPaged: true, responses: [returns.declaration], errors: errors
        ) { call in try returns.answer(try await handler(call, try call.page())) }
    }
}

extension Endpoint.ResponseDeclaration {
    static let noContent = Endpoint.ResponseDeclaration(status: 204, description: "Done.", contentType: nil, schema: nil)
}

extension Returns {
    var declaration: Endpoint.ResponseDeclaration {
        Endpoint.ResponseDeclaration(
            status: status, description: description, contentType: "application/json", schema: TypeSchema(of: Output.self))
    }

    func answer(_ output: Output) throws -> Answer {
        var answer = Answer.json(try Wire.encode(output).bytes, status: status)
        if let location { answer.headers.append(("Location", location(output))) }
        return answer
    }
}
