internal import Kernel

/// What the OpenAPI document and the page say of an endpoint beside what it declares.
extension Endpoint {
    struct Parameter: Sendable {
        let name: String
        let place: String
        let isRequired: Bool
        let schema: Schema

        var openAPI: JSON {
            var schema = schema
            schema.isNullable = false
            let description = schema.description
            schema.description = nil
            var members: JSONObject = ["name": .string(name), "in": .string(place), "required": .bool(isRequired), "schema": schema.openAPI]
            members["description"] = description.map { .string($0) }
            return .object(members)
        }
    }

    var parameters: [Parameter] {
        var found = path.parameters.map { name in
            var schema = Schema(.string)
            schema.minLength = 1
            return Parameter(name: name, place: "path", isRequired: true, schema: schema)
        }
        found += query?.fields.map { Parameter(name: $0.name, place: "query", isRequired: $0.isRequired, schema: $0.schema) } ?? []
        if isPaged { found += Endpoint.pageParameters }
        if takesIdempotencyKey { found.append(Endpoint.idempotencyParameter) }
        return found
    }

    var takesIdempotencyKey: Bool { kind == .json && method == .post }

    private static let pageParameters: [Parameter] = {
        var cursor = Schema(.string)
        cursor.minLength = 1
        cursor.maxLength = Limits.cursorBytes
        cursor.pattern = Cursor.pattern
        cursor.description = "From `next_cursor` of the page before."
        var limit = Schema(.integer)
        limit.minimum = 1
        limit.maximum = Double(Limits.pageSizeMaximum)
        limit.description = "At most how many; \(Limits.pageSizeDefault) if not given."
        return [
            Parameter(name: "cursor", place: "query", isRequired: false, schema: cursor),
            Parameter(name: "limit", place: "query", isRequired: false, schema: limit)
        ]
    }()

    private static let idempotencyParameter: Parameter = {
        var schema = Schema(.string)
        schema.minLength = 1
        schema.maxLength = 255
        schema.pattern = "^[!-~]+$"
        schema.description = "Makes a repeated request answer as the first one did."
        return Parameter(name: "Idempotency-Key", place: "header", isRequired: false, schema: schema)
    }()

    /// `postWorkflows`, `getWorkflowsById`.
    package var operationID: String {
        var words: [String] = []
        for segment in path.segments {
            switch segment {
            case .literal("v1"): continue
            case .literal(let text): words.append(text)
            case .parameter(let name), .rest(let name): words += ["by", name]
            }
        }
        let parts = words.flatMap { $0.split { !$0.isLetter && !$0.isNumber } }
        return method.rawValue.lowercased() + parts.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// The problems it may answer, by status: the pipeline's and its own.
    package var problems: [Int: String] {
        var found: [Int: String] = [
            414: "The address is too long.", 500: "Our own fault.", 503: "Not now; `Retry-After` says when."
        ]
        if !access.isPublic {
            found[401] = "Nobody is signed in, or the key is wrong."
            found[403] = "Not permitted."
        }
        if method.isWrite { found[403] = "Not permitted, or sent by a page of another site." }
        if kind == .json { found[406] = "`Accept` rules JSON out." }
        if kind != .raw || !access.isPublic { found[429] = "Too many requests." }
        if !path.parameters.isEmpty { found[404] = "There is no such thing." }
        if case .tenant = access {
            found[400] = "The request is malformed, or names no tenant."
            found[404] = "There is no such thing, or it is another tenant's."
        }
        if requestBody != nil || method.isWrite {
            found[408] = "The body took too long."
            found[413] = "The body is too large."
        }
        if requestBody != nil {
            found[400] = "The body is not JSON."
            found[415] = "The body is of another media type."
        }
        if isPaged { found[400] = "The cursor is not one of this list." }
        if requestBody != nil || query != nil || isPaged { found[422] = "Some fields are not as they should be." }
        if takesIdempotencyKey {
            found[400] = found[400] ?? "The request is malformed."
            found[409] = "The key was used for another request, or that request still runs."
        }
        for (status, group) in Dictionary(grouping: errors, by: \.kind.status) {
            let own = group.map { "`\($0.code)`: \($0.description)" }.joined(separator: " ")
            found[status] = found[status].map { "\($0) \(own)" } ?? own
        }
        return found
    }
}

extension Access {
    var sentence: String {
        switch self {
        case .public: "Anybody may call it."
        case .signedIn: "For anybody who is signed in."
        case .tenant(let permission): "Needs the permission `\(permission.name)` in the tenant."
        case .platformOperator, .platform: "For those who run the platform."
        }
    }
}

extension PathTemplate {
    /// As OpenAPI writes it: `{rest*}` is a plain parameter there.
    var documented: String { description.replacing("*}", with: "}") }
}
