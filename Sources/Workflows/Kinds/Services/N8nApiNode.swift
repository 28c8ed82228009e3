internal import Foundation
internal import Kernel
internal import Outbound

/// Works with the workflows and executions of an n8n instance through its public REST API (version 1).
struct N8nApiNode: NodeExecutor {
    static let pageMaximum = 250
    static let itemsMaximum = 50_000

    static var kinds: [NodeKind] {
        let many: Parameter.ShowWhen = ["operation": ["getAll"]]
        func options(_ names: [String]) -> [Parameter.Option] { names.map { .init(.init(.string($0)), $0) } }
        return [
            NodeKind(
                kind: "n8n_api", version: 1, category: .action, title: "n8n", summary: "Works with an n8n instance through its API.",
                icon: "workflow",
                parameters: [
                    Parameter(
                        "resource", .options, "Resource", default: "workflow", options: options(["audit", "credential", "execution", "workflow"])),
                    Parameter(
                        "operation", .options, "Operation", default: "getAll",
                        options: options(["activate", "create", "deactivate", "delete", "get", "getAll", "update"]),
                        showWhen: ["resource": ["workflow"]]),
                    Parameter(
                        "operation", .options, "Operation", default: "getAll", options: options(["delete", "get", "getAll"]),
                        showWhen: ["resource": ["execution"]]),
                    Parameter(
                        "operation", .options, "Operation", default: "create", options: options(["create", "delete", "getSchema"]),
                        showWhen: ["resource": ["credential"]]),
                    Parameter(
                        "operation", .options, "Operation", default: "generate", options: options(["generate"]), showWhen: ["resource": ["audit"]]),
                    Parameter("workflowId", .json, "Workflow", default: ""),
                    Parameter("workflowObject", .json, "Workflow object", default: ""),
                    Parameter("executionId", .string, "Execution", default: ""),
                    Parameter(
                        "returnAll", .boolean, "All", default: true, showWhen: many.merging(["resource": ["workflow"]]) { $1 }),
                    Parameter(
                        "returnAll", .boolean, "All", default: false, showWhen: many.merging(["resource": ["execution"]]) { $1 }),
                    Parameter("limit", .number, "At most", default: 100, showWhen: many),
                    Parameter("filters", .json, "Filters", default: .init([:]), showWhen: many),
                    Parameter("options", .json, "Options", default: .init([:])),
                    Parameter("additionalFields", .json, "Further fields", default: .init([:])),
                    Parameter("additionalOptions", .json, "Further options", default: .init([:])),
                    Parameter("name", .string, "Name", default: "", showWhen: ["resource": ["credential"]]),
                    Parameter("credentialTypeName", .string, "Credential type", default: "", showWhen: ["resource": ["credential"]]),
                    Parameter("credentialId", .string, "Credential", default: "", showWhen: ["resource": ["credential"]]),
                    Parameter("data", .json, "Data", default: "", showWhen: ["resource": ["credential"]]),
                    Parameter("requestOptions", .json, "Request", default: .init([:]))
                ], credentials: ["n8nApi"], effect: .keyed, n8nTypes: ["n8n-nodes-base.n8n"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let fields = try await step.services.credential(ofType: "n8nApi")
        guard let base = fields["baseUrl"]?.text, let key = fields["apiKey"]?.text, !base.isEmpty else {
            throw StepFailure("credential_incomplete", "The credential of the n8n instance lacks its address or key.", isRetryable: false)
        }
        let server = Server(base: base.hasSuffix("/") ? String(base.dropLast()) : base, key: key, step: step)
        return .items([try await step.eachItem { index, _ in try await items(server, step, index) }])
    }

    private func items(_ server: Server, _ step: StepContext, _ index: Int) async throws -> [Item] {
        let resource = try await step.text("resource", item: index, default: "workflow")
        let operation = try await step.text("operation", item: index, default: Self.defaultOperation(of: resource))
        switch (resource, operation) {
        case ("workflow", "getAll"):
            return try await server.many("/workflows", try await workflowFilters(step, index), try await limit(step, index, isAll: true), index)
        case ("workflow", "get"): return [try await server.one("GET", "/workflows/\(try await workflow(step, index))", index)]
        case ("workflow", "delete"): return [try await server.one("DELETE", "/workflows/\(try await workflow(step, index))", index)]
        case ("workflow", "activate"), ("workflow", "deactivate"):
            return [try await server.one("POST", "/workflows/\(try await workflow(step, index))/\(operation)", index)]
        case ("workflow", "create"):
            let body = try await object("workflowObject", ["name", "nodes", "connections", "settings", "staticData"], step, index)
            return [try await server.one("POST", "/workflows", index, body: body)]
        case ("workflow", "update"):
            let body = try await object("workflowObject", ["name", "nodes", "connections", "settings", "staticData"], step, index)
            return [try await server.one("PUT", "/workflows/\(try await workflow(step, index))", index, body: body)]
        case ("execution", "getAll"):
            return try await server.many("/executions", try await executionFilters(step, index), try await limit(step, index, isAll: false), index)
        case ("execution", "get"):
            let details = try await step.value("options", item: index)?["activeWorkflows"]?.boolean ?? false
            let query: [(String, String)] = details ? [("includeData", "true")] : []
            return [try await server.one("GET", "/executions/\(try await id("executionId", step, index))", index, query: query)]
        case ("execution", "delete"): return [try await server.one("DELETE", "/executions/\(try await id("executionId", step, index))", index)]
        case ("credential", "create"):
            let body: JSONObject = [
                "name": .string(try await step.text("name", item: index)), "type": .string(try await step.text("credentialTypeName", item: index)),
                "data": .object(try await object("data", nil, step, index))
            ]
            return [try await server.one("POST", "/credentials", index, body: body)]
        case ("credential", "delete"): return [try await server.one("DELETE", "/credentials/\(try await id("credentialId", step, index))", index)]
        case ("credential", "getSchema"):
            return [try await server.one("GET", "/credentials/schema/\(try await id("credentialTypeName", step, index))", index)]
        case ("audit", "generate"):
            let wanted = try await step.value("additionalOptions", item: index)?.object ?? [:]
            return [try await server.one("POST", "/audit", index, body: wanted.isEmpty ? [:] : ["additionalOptions": .object(wanted)])]
        default: throw StepFailure.invalid("operation", "There is no operation '\(operation)' on '\(resource)'.", item: index)
        }
    }

    private static func defaultOperation(of resource: String) -> String {
        switch resource {
        case "credential": "create"
        case "audit": "generate"
        default: "getAll"
        }
    }

    /// nil where all are wanted.
    private func limit(_ step: StepContext, _ index: Int, isAll: Bool) async throws -> Int? {
        let all = try await step.value("returnAll", item: index)?.boolean ?? isAll
        guard !all else { return nil }
        let limit = try await step.value("limit", item: index)?.coercedNumber ?? 100
        return Int(min(max(limit.isNaN ? 100 : limit, 1), Double(Self.pageMaximum)))
    }

    private func workflowFilters(_ step: StepContext, _ index: Int) async throws -> [(String, String)] {
        let filters = try await step.value("filters", item: index) ?? [:]
        var query: [(String, String)] = []
        if let active = filters["activeWorkflows"]?.boolean { query.append(("active", String(active))) }
        for name in ["tags", "name", "projectId"] { if let text = filters[name]?.text, !text.isEmpty { query.append((name, text)) } }
        if let excludes = filters["excludePinnedData"]?.boolean { query.append(("excludePinnedData", String(excludes))) }
        return query
    }

    private func executionFilters(_ step: StepContext, _ index: Int) async throws -> [(String, String)] {
        let filters = try await step.value("filters", item: index) ?? [:]
        var query: [(String, String)] = []
        if let workflow = filters["workflowId"].map(Self.located), !workflow.isEmpty { query.append(("workflowId", workflow)) }
        if let status = filters["status"]?.text { query.append(("status", status)) }
        if let details = try await step.value("options", item: index)?["activeWorkflows"]?.boolean { query.append(("includeData", String(details))) }
        return query
    }

    private func workflow(_ step: StepContext, _ index: Int) async throws -> String {
        try segment(Self.located(try await step.value("workflowId", item: index) ?? ""), "workflowId", index)
    }

    private func id(_ name: String, _ step: StepContext, _ index: Int) async throws -> String {
        try segment(try await step.text(name, item: index), name, index)
    }

    private func segment(_ id: String, _ name: String, _ index: Int) throws -> String {
        guard !id.isEmpty, id != ".", id != "..",
            let segment = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-_.")))
        else { throw StepFailure.invalid(name, "The id is missing.", item: index) }
        return segment
    }

    /// The id that a resource locator names, by itself or in the address of the editor.
    private static func located(_ value: JSON) -> String {
        let inner = value["value"] ?? value
        let text = inner.text ?? inner.double.map { JSON.number($0).serialized } ?? ""
        guard value["mode"]?.text == "url", let range = text.range(of: "/workflow/") else { return text }
        return String(text[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" })
    }

    /// The members that the API takes; it refuses all others.
    private func object(_ name: String, _ members: Set<String>?, _ step: StepContext, _ index: Int) async throws -> JSONObject {
        var value = try await step.value(name, item: index) ?? .null
        if let text = value.text {
            do { value = try JSON(parsing: text) } catch { throw StepFailure.invalid(name, "It is not valid JSON: \(error)", item: index) }
        }
        guard let object = value.object else { throw StepFailure.invalid(name, "It is not an object.", item: index) }
        guard let members else { return object }
        return JSONObject(object.filter { members.contains($0.key) }.map { ($0.key, $0.value) })
    }

    private struct Server {
        let base: String
        let key: String
        let step: StepContext

        func one(
            _ method: String, _ path: String, _ index: Int, query: [(String, String)] = [], body: JSONObject? = nil
        ) async throws -> Item {
            let answer = try await send(method, path, index, query: query, body: body)
            return Item(json: answer.object ?? ["data": answer])
        }

        /// Page by page, by the cursor of the one before.
        func many(_ path: String, _ query: [(String, String)], _ limit: Int?, _ index: Int) async throws -> [Item] {
            var items: [Item] = []
            var cursor: String?
            repeat {
                var asked = query
                if let limit { asked.append(("limit", String(limit))) }
                if let cursor { asked.append(("cursor", cursor)) }
                let page = try await send("GET", path, index, query: asked, body: nil)
                items += (page["data"]?.array ?? []).compactMap { $0.object.map { Item(json: $0) } }
                cursor = limit == nil ? page["nextCursor"]?.text : nil
                guard items.count <= N8nApiNode.itemsMaximum else {
                    throw StepFailure("too_many_items", "There are more than \(N8nApiNode.itemsMaximum); set filters or a limit.", isRetryable: false)
                }
            } while cursor != nil
            return items
        }

        private func send(
            _ method: String, _ path: String, _ index: Int, query: [(String, String)], body: JSONObject?
        ) async throws -> JSON {
            var call = HttpCall(method: method, url: base + path)
            for (name, value) in query { call.setQuery(name, .string(value)) }
            call.setHeader("X-N8N-API-KEY", key)
            call.setHeader("Accept", "application/json")
            if method != "GET" { call.setHeader("Idempotency-Key", step.idempotencyKey(item: index)) }
            if let body { call.body = .json(.object(body)) }
            let response = try await step.services.send(call.outbound(try await HttpOptions(step, item: index)))
            let answer = try? JSON(parsing: response.body)
            guard response.status < 400 else {
                throw StepFailure(
                    "http_error", "n8n answered \(response.status): \(answer?["message"]?.text ?? "no reason given")",
                    details: ["status": .number(Double(response.status))], itemIndex: index,
                    isRetryable: response.status >= 500 || response.status == 429)
            }
            return answer ?? .null
        }
    }
}
