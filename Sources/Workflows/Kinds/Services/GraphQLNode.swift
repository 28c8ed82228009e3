internal import Kernel
internal import Outbound

/// Sends a query to a GraphQL server.
struct GraphQLNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let post: Parameter.ShowWhen = ["requestMethod": ["POST"]]
        let json = post.merging(["requestFormat": ["json"]]) { $1 }
        let ways: [Parameter.Option] = [
            .init("basicAuth", "Basic"), .init("customAuth", "Custom"), .init("digestAuth", "Digest"), .init("headerAuth", "Header"),
            .init("none", "None"), .init("oAuth2", "OAuth2"), .init("queryAuth", "Query")
        ]
        return [
            NodeKind(
                kind: "graphql", version: 1.1, category: .action, title: "GraphQL", summary: "Sends a query to a GraphQL server.", icon: "globe",
                parameters: [
                    Parameter("authentication", .options, "Authentication", default: "none", options: ways),
                    Parameter("requestMethod", .options, "Method", default: "POST", options: [.init("GET", "GET"), .init("POST", "POST")]),
                    Parameter("endpoint", .string, "Endpoint", default: "", required: true),
                    Parameter("allowUnauthorizedCerts", .boolean, "Ignore TLS faults", default: false),
                    Parameter(
                        "requestFormat", .options, "Format", default: "graphql", options: [.init("graphql", "GraphQL"), .init("json", "JSON")],
                        showWhen: post.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter(
                        "requestFormat", .options, "Format", default: "json", options: [.init("graphql", "GraphQL"), .init("json", "JSON")],
                        showWhen: post.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("query", .json, "Query", default: "", required: true),
                    Parameter("variables", .json, "Variables", default: "", showWhen: json),
                    Parameter("operationName", .string, "Operation", default: "", showWhen: json),
                    Parameter("responseFormat", .options, "Response", default: "json", options: [.init("json", "JSON"), .init("string", "Text")]),
                    Parameter(
                        "dataPropertyName", .string, "Response property", default: "data", required: true, showWhen: ["responseFormat": ["string"]]),
                    Parameter(
                        "headerParametersUi", .collection, "Headers", default: .init([:]),
                        fields: [
                            Parameter(
                                "parameter", .list, "Headers",
                                fields: [Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")])
                        ])
                ], credentials: ["httpBasicAuth", "httpCustomAuth", "httpDigestAuth", "httpHeaderAuth", "httpQueryAuth", "oAuth2Api"], effect: .keyed,
                n8nTypes: ["n8n-nodes-base.graphql"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let authentication = try await HttpAuthentication(step)
        return .items([
            try await step.eachItem { index, _ in
                var call = try await self.call(step, index)
                authentication.apply(to: &call)
                var request = call.outbound(try await HttpOptions(step, item: index))
                request.verifyCertificates = try await !step.flag("allowUnauthorizedCerts", item: index)
                try authentication.apply(to: &request)
                let response = try await authentication.send(request) { try await step.services.send($0) }
                return [try await item(step, response, index)]
            }
        ])
    }

    private func call(_ step: StepContext, _ index: Int) async throws -> HttpCall {
        let method = try await step.text("requestMethod", item: index, default: "POST")
        let query = try await step.text("query", item: index)
        var call = HttpCall(method: method, url: try await address(step, index))
        for entry in try await step.value("headerParametersUi.parameter", item: index)?.array ?? [] {
            call.setHeader(entry["name"]?.displayText ?? "", entry["value"]?.displayText ?? "")
        }
        if method == "GET" {
            call.setQuery("query", .string(query))
            return call
        }
        guard try await step.text("requestFormat", item: index, default: step.version < 1.1 ? "graphql" : "json") == "json" else {
            call.body = .raw(Array(query.utf8), contentType: "application/graphql")
            return call
        }
        var variables = try await step.value("variables", item: index) ?? [:]
        if let text = variables.text {
            do { variables = text.isEmpty ? [:] : try JSON(parsing: text) } catch {
                throw StepFailure.invalid("variables", "The variables are not valid JSON: \(error)", item: index)
            }
        }
        let name = try await step.text("operationName", item: index)
        call.body = .json(["query": .string(query), "variables": variables, "operationName": name.isEmpty ? .null : .string(name)])
        return call
    }

    private func address(_ step: StepContext, _ index: Int) async throws -> String {
        let url = try await step.text("endpoint", item: index).filter { !$0.isWhitespace }
        guard url.lowercased().hasPrefix("http://") || url.lowercased().hasPrefix("https://") else {
            throw StepFailure.invalid("endpoint", "'\(url)' must begin with http:// or https://.", item: index)
        }
        return url
    }

    private func item(_ step: StepContext, _ response: OutboundResponse, _ index: Int) async throws -> Item {
        let text = String(decoding: response.body, as: UTF8.self)
        guard response.status < 400 else {
            throw StepFailure(
                "http_error", "The request failed with status \(response.status)",
                details: ["status": .number(Double(response.status)), "body": .string(String(text.prefix(4_000)))],
                itemIndex: index)
        }
        if try await step.text("responseFormat", default: "json") == "string" {
            return Item(json: [try await step.text("dataPropertyName", default: "data"): .string(text)])
        }
        guard let members = (try? JSON(parsing: text))?.object else {
            throw StepFailure("invalid_response", "Response body is not valid JSON. Change \"Response Format\" to \"String\"", itemIndex: index)
        }
        if let errors = members["errors"]?.array, !errors.isEmpty {
            let messages = errors.map { $0["message"]?.text ?? $0.serialized }.joined(separator: ", ")
            throw StepFailure("graphql_error", messages, details: ["errors": .array(errors)], itemIndex: index)
        }
        return Item(json: members)
    }
}
