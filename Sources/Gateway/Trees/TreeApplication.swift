internal import Kernel

/// Does what a plan says, one request after another.
struct TreeApplication {
    let plan: TreePlan
    let api: TenantAPI
    let texts: [String: String]
    private let remote: RemoteTree
    private var references: TreeReferences
    /// The id of each file's workflow or data table, the new ones too.
    private(set) var ids: [String: String]
    private var revisions: [String: Int]

    init(plan: TreePlan, api: TenantAPI, remote: RemoteTree, texts: [String: String]) {
        (self.plan, self.api, self.remote, self.texts) = (plan, api, remote, texts)
        (references, ids, revisions) = (remote.references, remote.ids, remote.revisions)
    }

    mutating func apply() async throws {
        for (name, value) in plan.variables.sorted(by: { $0.key < $1.key }) {
            if let value {
                _ = try await api.put("/v1/variables/\(name)", ["value": .string(value)])
            } else {
                try await api.delete("/v1/variables/\(name)")
            }
        }
        for path in TenantTree.inOrder(plan.tables.keys) { try await placing(path) { try await self.writeTable(path) } }
        let (new, old) = (plan.workflows.keys.filter { ids[$0] == nil }, plan.workflows.keys.filter { ids[$0] != nil })
        // Those that speak of one another are made first and filled then.
        for path in TenantTree.inOrder(new) {
            let name = plan.workflows[path]?["name"] ?? ""
            let made = try await placing(path) { try await api.post("/v1/workflows", ["document": ["name": name, "nodes": []]]) }
            let id = made["id"]?.text ?? ""
            (ids[path], revisions[path]) = (id, made["draft_revision"]?.integer ?? 1)
            references.add(workflow: path, id: id)
        }
        for path in TenantTree.inOrder(new + old) {
            guard let file = plan.workflows[path], let id = ids[path] else { continue }
            let body: JSON = [
                "document": TreeWorkflow.document(file, references), "revision": .number(Double(revisions[path] ?? 1))
            ]
            _ = try await placing(path) { try await api.put("/v1/workflows/\(id)/draft", body) }
        }
        for path in plan.deletions { if let id = ids[path] { try await api.delete("/v1/workflows/\(id)") } }
    }

    private mutating func writeTable(_ path: String) async throws {
        guard let file = plan.tables[path] else { return }
        let body: JSON = ["name": file["name"] ?? "", "columns": file["columns"] ?? []]
        if let id = ids[path] {
            _ = try await api.patch("/v1/data-tables/\(id)", body)
        } else {
            let made = try await api.post("/v1/data-tables", body)
            ids[path] = made["id"]?.text ?? ""
            references.add(table: path, id: ids[path] ?? "")
        }
    }

    /// Publishes each workflow of the folder whose draft is not what is published.
    func publish() async throws -> [TreeOutcome.Change] {
        var published: [TreeOutcome.Change] = []
        for path in TenantTree.inOrder(plan.local.workflows.keys) {
            guard let id = ids[path], try await isUnpublished(path, id) else { continue }
            let made = try await placing(path) { try await api.post("/v1/workflows/\(id)/publication", [:]) }
            published.append(.init(action: .publish, file: path, detail: "version \(made["number"]?.integer ?? 0)"))
        }
        return published
    }

    func wouldPublish() async throws -> [TreeOutcome.Change] {
        var found: [TreeOutcome.Change] = []
        for path in TenantTree.inOrder(plan.local.workflows.keys) {
            let isChanged = plan.workflows[path] != nil
            let isOpen: Bool = if isChanged { true } else if let id = ids[path] { try await isUnpublished(path, id) } else { false }
            if isOpen { found.append(.init(action: .publish, file: path, detail: "")) }
        }
        return found
    }

    private func isUnpublished(_ path: String, _ id: String) async throws -> Bool {
        guard let version = remote.published[path] else { return true }
        let there = try await api.get("/v1/workflows/\(id)/versions/\(version)")["document"] ?? .null
        return TreeWorkflow.file(there, references) != plan.local.workflows[path]
    }

    /// Says of a refusal at which line of which file its faults are.
    private func placing<Result>(_ path: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch var refusal as Refusal {
            let lines = TreeLines(texts[path] ?? "")
            let faults = refusal.faults.isEmpty ? [Refusal.Fault(field: "", code: refusal.code, message: refusal.message)] : refusal.faults
            refusal.faults = faults.map { Refusal.Fault(field: "\(path):\(lines.line(of: $0.field))", code: $0.code, message: $0.message) }
            refusal.message = "\(path) was refused: \(refusal.message)"
            throw refusal
        }
    }
}
