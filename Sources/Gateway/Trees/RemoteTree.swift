internal import Kernel

/// What a tenant has on its server now, as the files it would be, with the ids behind them.
struct RemoteTree: Sendable {
    var tree = TenantTree()
    var references = TreeReferences()
    /// The id of each file's workflow or data table.
    var ids: [String: String] = [:]
    /// Of each workflow's draft, and of what is published of it.
    var revisions: [String: Int] = [:]
    var published: [String: Int] = [:]
    /// The tenant's subdomain.
    var tenant = ""

    /// - Parameter known: the file of each id, as it was called before.
    static func load(_ api: TenantAPI, known: [String: String]) async throws -> RemoteTree {
        var remote = RemoteTree()
        remote.tenant = try await api.get("/v1/tenant")["subdomain"]?.text ?? ""
        for variable in try await api.all("/v1/variables") {
            if let name = variable["name"]?.text { remote.tree.variables[name] = variable["value"]?.text ?? "" }
        }
        for credential in try await api.all("/v1/credentials") {
            let (type, name) = (credential["type"]?.text ?? "", credential["name"]?.text ?? "")
            remote.tree.credentials.append((type, name))
            remote.references.add(credential: name, type: type, id: credential["id"]?.text ?? "")
        }
        for table in remote.named(try await api.all("/v1/data-tables"), TenantTree.tableFolder, known) {
            remote.references.add(table: table.path, id: table.id)
            remote.tree.tables[table.path] = ["name": table.json["name"] ?? "", "columns": table.json["columns"] ?? []]
        }
        let workflows = remote.named(try await api.all("/v1/workflows"), TenantTree.workflowFolder, known)
        for workflow in workflows { remote.references.add(workflow: workflow.path, id: workflow.id) }
        for workflow in workflows {
            let detail = try await api.get("/v1/workflows/\(workflow.id)")
            remote.revisions[workflow.path] = detail["workflow"]?["draft_revision"]?.integer ?? 0
            remote.published[workflow.path] = detail["workflow"]?["published_version"]?.integer
            remote.tree.workflows[workflow.path] = TreeWorkflow.file(detail["document"] ?? .null, remote.references)
        }
        return remote
    }

    /// Gives each row a file: in the order in which they were made, those of one name with a number. Where a file was called so before and
    /// its name is still its, it keeps it.
    private mutating func named(_ rows: [JSON], _ folder: String, _ known: [String: String]) -> [(path: String, id: String, json: JSON)] {
        let rows = rows.map { (id: $0["id"]?.text ?? "", name: $0["name"]?.text ?? "", json: $0) }.sorted { $0.id < $1.id }
        var taken: Set<String> = []
        var paths: [String: String] = [:]
        for row in rows {
            guard let before = known[row.id], Self.isFor(before, row.name, folder), taken.insert(before).inserted else { continue }
            paths[row.id] = before
        }
        for row in rows where paths[row.id] == nil {
            let path = TenantTree.path(in: folder, for: row.name, taken: taken)
            taken.insert(path)
            paths[row.id] = path
        }
        return rows.map { row in
            let path = paths[row.id] ?? ""
            ids[path] = row.id
            return (path, row.id, row.json)
        }
    }

    /// Whether a path is what a thing of this name may be called, whatever its number.
    private static func isFor(_ path: String, _ name: String, _ folder: String) -> Bool {
        let plain = TenantTree.path(in: folder, for: name, taken: []).dropLast(".json".count)
        guard path.hasPrefix(plain) else { return false }
        let rest = path.dropFirst(plain.count).dropLast(".json".count)
        return rest.isEmpty || rest.first == "-" && rest.dropFirst().allSatisfy(\.isNumber)
    }
}
