package import Kernel

/// The OpenAPI 3.1 document of a list of endpoints.
package struct OpenAPI: Sendable {
    package let title: String
    package let version: String
    package let endpoints: [Endpoint]

    package init(title: String, version: String, endpoints: [Endpoint]) {
        self.title = title
        self.version = version
        self.endpoints = endpoints.filter(\.isDocumented)
    }

    package static let conventions = """
        Requests and answers are JSON with snake_case keys; unknown members are ignored. Times are RFC 3339 in UTC, ids are UUIDs, money is \
        an integer in the currency's minor unit. Texts may not hold the character U+0000. Lists are `{"data": [...], "next_cursor": ...}`: \
        send `cursor` to go on. Errors are problem documents (RFC 9457) with a stable `code`. A POST with an `Idempotency-Key` may be \
        repeated: it is answered as the first time for 24 hours. Programs send `Authorization: Bearer` with an API key; the tenant comes \
        from the key, the host or the path `/t/{subdomain}/…`, and where two are given they must agree.
        """

    package var document: JSON {
        [
            "openapi": "3.1.0",
            "info": ["title": .string(title), "version": .string(version), "description": .string(OpenAPI.conventions)],
            "servers": [["url": "/"]],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": [
                    "key": ["type": "http", "scheme": "bearer", "description": "An API key."],
                    "session": ["type": "apiKey", "in": "cookie", "name": "session", "description": "A browser's session."]
                ]
            ]
        ]
    }

    /// In the order of their first endpoint.
    package var tags: [String] {
        var tags: [String] = []
        for endpoint in endpoints where !tags.contains(endpoint.tag) { tags.append(endpoint.tag) }
        return tags
    }

    private var paths: JSONObject {
        var paths = JSONObject()
        for endpoint in endpoints {
            let path = endpoint.path.documented
            var item = paths[path]?.object ?? [:]
            item[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[path] = .object(item)
        }
        return paths
    }

    /// All components; two types of one name that differ are a programmer's fault.
    private var schemas: JSONObject {
        var found: [String: Schema] = [:]
        for endpoint in endpoints {
            let types = [endpoint.query, endpoint.requestBody?.schema] + endpoint.responses.map(\.schema)
            for (name, schema) in types.compactMap({ $0 }).flatMap(\.components) {
                precondition(found[name] == nil || found[name] == schema, "two different types are called \(name)")
                found[name] = schema
            }
        }
        var schemas = JSONObject(found.sorted { $0.key < $1.key }.map { ($0.key, $0.value.openAPI) })
        schemas["Problem"] = OpenAPI.problem
        return schemas
    }

    private func operation(_ endpoint: Endpoint) -> JSON {
        var members: JSONObject = [
            "operationId": .string(endpoint.operationID), "summary": .string(endpoint.summary), "tags": [.string(endpoint.tag)]
        ]
        let access = endpoint.access.sentence
        members["description"] = .string(endpoint.description.isEmpty ? access : "\(endpoint.description)\n\n\(access)")
        if endpoint.access.isPublic { members["security"] = [] } else { members["security"] = [["key": []], ["session": []]] }
        let parameters = endpoint.parameters.map(\.openAPI)
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body = endpoint.requestBody {
            members["requestBody"] = [
                "required": .bool(body.isRequired), "content": ["application/json": ["schema": body.schema.root.openAPI]]
            ]
        }
        members["responses"] = .object(responses(endpoint))
        return .object(members)
    }

    private func responses(_ endpoint: Endpoint) -> JSONObject {
        var responses = JSONObject()
        for response in endpoint.responses {
            var members: JSONObject = ["description": .string(response.description)]
            if let type = response.contentType {
                let essence = String(type.prefix { $0 != ";" })
                members["content"] = .object([essence: ["schema": response.schema?.root.openAPI ?? ["type": "string"]]])
            }
            responses[String(response.status)] = .object(members)
        }
        let content: JSON = ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]]
        for (status, text) in endpoint.problems.sorted(by: { $0.key < $1.key }) where !responses.contains(key: String(status)) {
            responses[String(status)] = ["description": .string(text), "content": content]
        }
        return responses
    }

    private static let problem: JSON = [
        "type": "object", "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"], "detail": ["type": "string"],
            "code": ["type": "string", "description": "Stable, for programs."],
            "request_id": ["type": "string", "description": "Also in the header X-Request-Id and in the log."],
            "faults": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["field", "code", "message"],
                    "properties": ["field": ["type": "string"], "code": ["type": "string"], "message": ["type": "string"]]
                ]
            ]
        ]
    ]
}
