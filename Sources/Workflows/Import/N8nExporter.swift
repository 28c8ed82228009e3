package import Kernel

/// Writes a document in n8n's form. For an imported one that nobody changed this is its original, key order aside; a change shows
/// only where it was made.
package struct N8nExporter: Sendable {
    /// n8n's name for a kind, where it has one.
    let n8nType: @Sendable (_ kind: String) -> String?

    package init(n8nType: @escaping @Sendable (_ kind: String) -> String?) { self.n8nType = n8nType }

    package func write(_ document: WorkflowDocument) -> JSON {
        let origin = N8nOrigin(document.origin)
        var written = origin?.members ?? [:]
        if origin == nil || document.name != origin?.name { written["name"] = .string(document.name) }
        let names = N8nExporter.names(document, origin)
        written["nodes"] = .array(
            document.nodes.map { node in
                let before = origin?.nodes[node.id]
                return self.node(origin?.stretch?.lifted(node, before) ?? node, before, name: names[node.id] ?? node.name)
            })
        writeConnections(document, origin, names, &written)
        writeSettings(document.settings, isImported: origin != nil, &written)
        writePinned(document.pinnedData, &written)
        return .object(written)
    }

    /// The name of each node to write, by id. A node that was renamed only because n8n had two of one name gets its old name back,
    /// as long as no connection needs to tell them apart.
    private static func names(_ document: WorkflowDocument, _ origin: N8nOrigin?) -> [String: String] {
        let targets = Set(document.nodes.flatMap { $0.connections.map(\.to) })
        return document.nodes.reduce(into: [:]) { names, node in
            let before = origin?.nodes[node.id]
            let isAlone = node.connections.isEmpty && !targets.contains(node.id)
            let isUntouched = before?.name == node.name
            let written = before?.members["name"]?.text
            names[node.id] = isUntouched && (isAlone || written == node.name) ? written ?? node.name : node.name
        }
    }

    private func node(_ node: WorkflowNode, _ before: N8nOrigin.Node?, name: String) -> JSON {
        var raw = before?.members ?? ["id": .string(node.id)]
        let type = before?.kind == node.kind ? before?.members["type"]?.text : nil
        N8nNode(node, type: type ?? foreignType(of: node.kind)).write(into: &raw)
        if raw["name"]?.text != name { raw["name"] = .string(name) }
        switch before?.parameters {
        case .absent where node.config.isEmpty: break
        case .other(let value) where node.config.isEmpty: raw["parameters"] = value
        default: raw["parameters"] = .object(node.config)
        }
        return .object(raw)
    }

    private func foreignType(of kind: String) -> String { N8nTypes.type(ofForeignKind: kind) ?? n8nType(kind) ?? KindRegistry.ownPrefix + kind }

    private func writeConnections(
        _ document: WorkflowDocument, _ origin: N8nOrigin?, _ names: [String: String], _ written: inout JSONObject
    ) {
        let imported = N8nConnections(raw: origin?.connections?.object ?? [:])
        let writer = N8nConnectionWriter(imported: imported, importedIDs: origin?.idsByName ?? [:], names: names)
        let connections = writer.write(document.nodes)
        if connections.isEmpty, let origin, origin.connections?.object == nil {
            written["connections"] = origin.connections
        } else {
            written["connections"] = .object(connections)
        }
    }

    private func writeSettings(_ settings: WorkflowSettings, isImported: Bool, _ written: inout JSONObject) {
        var raw = written["settings"]?.object ?? [:]
        let isAbsent = raw.isEmpty
        if !isImported { raw["executionOrder"] = "v1" }
        N8nSettings.write(settings, into: &raw)
        if !(isAbsent && raw.isEmpty) { written["settings"] = .object(raw) }
    }

    private func writePinned(_ pinned: [String: JSON], _ written: inout JSONObject) {
        if pinned.isEmpty, written["pinData"]?.object == nil { return }
        written["pinData"] = .object(JSONObject(pinned.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }
}
