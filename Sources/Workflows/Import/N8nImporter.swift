package import Kernel

/// Reads n8n's workflow JSON: full exports and bare `nodes` + `connections`. Nothing is lost: what our format does not express
/// goes to the document's origin, from which `N8nExporter` gives it back.
package struct N8nImporter: Sendable {
    /// The kind that runs an n8n type, where there is one.
    let kind: @Sendable (_ n8nType: String) -> NodeKind?
    /// Whether a node of this type, version and parameters runs here as in n8n.
    let supports: @Sendable (_ n8nType: String, _ version: Double, _ parameters: JSONObject) -> Bool

    package init(
        kind: @escaping @Sendable (_ n8nType: String) -> NodeKind?,
        supports: @escaping @Sendable (_ n8nType: String, _ version: Double, _ parameters: JSONObject) -> Bool
    ) {
        self.kind = kind
        self.supports = supports
    }

    /// - Parameter name: the document's name where the JSON has none.
    /// - Throws: `invalid_import` with every fault listed.
    package func read(_ json: JSON, name: String = "Imported workflow") throws -> (document: WorkflowDocument, report: ImportReport) {
        let top = try N8nImporter.checked(json)
        let given = top["name"]?.text ?? ""
        let name = given.isEmpty ? name : String(given.prefix(Limits.nameLength))
        var report = ImportReport(workflow: name)
        var origin = N8nOrigin(name: name, members: N8nImporter.members(of: top), connections: top["connections"])
        let raws = (top["nodes"]?.array ?? []).compactMap(\.object)
        origin.stretch = N8nStretch(raws)
        var nodes = nodes(raws, &origin, &report)
        connect(&nodes, &origin, &report)
        let settings = N8nSettings.read(top["settings"]?.object ?? [:])
        let pinned = top["pinData"]?.object ?? [:]
        let document = WorkflowDocument(
            name: name, nodes: nodes, settings: settings, pinnedData: Dictionary(uniqueKeysWithValues: pinned.map { ($0.key, $0.value) }),
            origin: origin.json)
        remark(on: document, &report)
        return (document, report)
    }

    private static func checked(_ json: JSON) throws -> JSONObject {
        guard let top = json.object, let nodes = top["nodes"]?.array else {
            throw Refusal(.invalid, "invalid_import", "This is no n8n workflow: it has no list of nodes.", field: "nodes")
        }
        guard nodes.count <= Limits.nodesPerWorkflow else {
            throw Refusal(
                .invalid, "invalid_import", "A workflow has at most \(Limits.nodesPerWorkflow) nodes; this has \(nodes.count).", field: "nodes")
        }
        let collector = FaultCollector()
        for (index, node) in nodes.enumerated() {
            for key in ["name", "type"] where (node[key]?.text ?? "").isEmpty {
                collector.add("nodes[\(index)].\(key)", "required", "An n8n node has a \(key).")
            }
        }
        guard collector.faults.isEmpty else {
            throw Refusal(.invalid, "invalid_import", "This is no n8n workflow: see the list.", faults: collector.faults)
        }
        return top
    }

    /// The top level for the origin. Of pinned data only its presence is kept: the items stand in our document.
    private static func members(of top: JSONObject) -> JSONObject {
        var members = top
        members["nodes"] = nil
        members["connections"] = nil
        if top["pinData"]?.object != nil { members["pinData"] = [:] }
        return members
    }

    private func nodes(_ raws: [JSONObject], _ origin: inout N8nOrigin, _ report: inout ImportReport) -> [WorkflowNode] {
        var ids: Set<String> = []
        var names = Set(raws.compactMap { $0["name"]?.text })
        // How often each name has come so far.
        var seen: [String: Int] = [:]
        return raws.enumerated().map { index, raw in
            let written = raw["name"]?.text ?? ""
            let count = seen[written, default: 0] + 1
            let isFirst = count == 1
            let (name, number) = isFirst ? (written, 1) : N8nImporter.free(written, from: count, in: &names)
            seen[written] = number
            if !isFirst {
                report.notes.append(.init(code: "renamed_node", message: "Another node is called \(written) already.", node: name))
            }
            let id = N8nImporter.freeID(raw["id"]?.text, index: index, in: &ids)
            var node = node(raw, id: id, name: name)
            var members = raw
            members["parameters"] = nil
            origin.order.append(id)
            origin.nodes[id] = N8nOrigin.Node(name: name, kind: node.kind, members: members, parameters: N8nImporter.parameters(of: raw))
            if let stretch = origin.stretch {
                let isNote = N8nTypes.annotations.contains(raw["type"]?.text ?? "")
                if isNote { origin.nodes[id]?.width = node.config["width"]?.double }
                stretch.lay(&node, isNote: isNote)
            }
            return node
        }
    }

    private func node(_ raw: JSONObject, id: String, name: String) -> WorkflowNode {
        let part = N8nNode(raw)
        let declaration = kind(part.type)
        return WorkflowNode(
            id: id, category: declaration?.category ?? N8nTypes.category(part.type),
            kind: declaration?.kind ?? N8nTypes.foreignKind(part.type), kindVersion: part.typeVersion, name: name,
            position: part.position, config: raw["parameters"]?.object ?? [:], credentials: part.credentials, onError: part.onError,
            retry: part.retry, executeOnce: part.executeOnce, alwaysOutput: part.alwaysOutput, disabled: part.disabled,
            notes: part.notes)
    }

    private static func parameters(of raw: JSONObject) -> N8nOrigin.Node.Parameters? {
        guard let parameters = raw["parameters"] else { return .absent }
        return parameters.object == nil ? .other(parameters) : nil
    }

    /// `Name 2`, `Name 3`, …: names are unique in our documents.
    private static func free(_ name: String, from first: Int, in names: inout Set<String>) -> (String, Int) {
        var number = first
        while !names.insert("\(name) \(number)").inserted { number += 1 }
        return ("\(name) \(number)", number)
    }

    /// Old exports have no ids, and copies may repeat them.
    private static func freeID(_ id: String?, index: Int, in ids: inout Set<String>) -> String {
        if let id, !id.isEmpty, id.count <= Limits.nodeIDLength, ids.insert(id).inserted { return id }
        var candidate = "node-\(index + 1)"
        while !ids.insert(candidate).inserted { candidate += "x" }
        return candidate
    }

    private func connect(_ nodes: inout [WorkflowNode], _ origin: inout N8nOrigin, _ report: inout ImportReport) {
        let connections = N8nConnections(raw: origin.connections?.object ?? [:])
        let ids = origin.idsByName
        for index in nodes.indices {
            guard let written = origin.nodes[nodes[index].id]?.members["name"]?.text, ids[written] == nodes[index].id else { continue }
            nodes[index].connections = connections.edges(from: written, ids: ids)
        }
        for place in connections.dangling(ids: ids).prefix(Limits.faultsListed) {
            report.notes.append(.init(code: "dangling_connection", message: "\(place) connects a node that is not there; it is left out.", node: nil))
        }
        for place in connections.misplaced(ids: ids).prefix(Limits.faultsListed) {
            let message = "\(place) uses a port beyond the \(Limits.portsPerNode) that a node may have; it is left out."
            report.notes.append(.init(code: "misplaced_connection", message: message, node: nil))
        }
    }
}
