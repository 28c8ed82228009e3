internal import Kernel

/// n8n's `connections`: `{source name: {type: [output: [{node, type, index}] | null]}}`. Names stand for nodes; we keep edges
/// at their source, by node id.
struct N8nConnections {
    /// As n8n wrote them.
    var raw: JSONObject

    /// The edges of one source and type, in the order written. Edges to nodes that are not there, those from or to a port that no node has, and
    /// malformed ones are left out.
    /// - Parameter ids: our node ids by n8n's node names.
    static func edges(_ outputs: JSON, type: String, ids: [String: String]) -> [WorkflowConnection] {
        (outputs.array ?? []).prefix(Limits.portsPerNode).enumerated().flatMap { output, targets in
            (targets.array ?? []).compactMap { target -> WorkflowConnection? in
                guard let name = target["node"]?.text, let id = ids[name], let input = input(target) else { return nil }
                return WorkflowConnection(output: output, to: id, input: input, kind: type)
            }
        }
    }

    /// 0 where none is written; nil for one that no node has.
    private static func input(_ target: JSON) -> Int? {
        let input = target["index"]?.integer ?? 0
        return (0..<Limits.portsPerNode).contains(input) ? input : nil
    }

    /// All edges that leave a node.
    func edges(from name: String, ids: [String: String]) -> [WorkflowConnection] {
        (raw[name]?.object ?? [:]).flatMap { N8nConnections.edges($0.value, type: $0.key, ids: ids) }
    }

    /// Places where a connection names a node that the workflow does not have: `A → B`.
    func dangling(ids: [String: String]) -> [String] {
        raw.flatMap { source, types -> [String] in
            let targets = (types.object ?? [:]).flatMap { ($0.value.array ?? []).flatMap { $0.array ?? [] } }
            let names = targets.map { $0["node"]?.text ?? "?" }
            return names.filter { ids[source] == nil || ids[$0] == nil }.map { "\(source) → \($0)" }
        }
    }

    /// Edges between nodes that are there, from or to a port that no node has: `A → B`.
    func misplaced(ids: [String: String]) -> [String] {
        raw.flatMap { source, types -> [String] in
            guard ids[source] != nil else { return [] }
            return (types.object ?? [:]).flatMap { entry -> [String] in
                (entry.value.array ?? []).enumerated().flatMap { output, targets -> [String] in
                    let wrong = (targets.array ?? []).filter { output >= Limits.portsPerNode || N8nConnections.input($0) == nil }
                    return wrong.compactMap { $0["node"]?.text }.filter { ids[$0] != nil }.map { "\(source) → \($0)" }
                }
            }
        }
    }
}

/// Writes a document's edges in n8n's form. A group (one source, one type) whose edges are as they were imported is written as
/// n8n wrote it, with its empty outputs and unknown members; one that was changed is written anew.
struct N8nConnectionWriter {
    /// As imported, or empty.
    let imported: N8nConnections
    /// Our ids by n8n's names when it was imported.
    let importedIDs: [String: String]
    /// The names to write, by our ids.
    let names: [String: String]

    func write(_ nodes: [WorkflowNode]) -> JSONObject {
        var written = JSONObject()
        let importedNames = Dictionary(importedIDs.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        for node in nodes {
            let before = importedNames[node.id].flatMap { imported.raw[$0] }
            guard let group = group(of: node, before: before) else { continue }
            written[names[node.id] ?? node.name] = group
        }
        keepForeignSources(&written)
        return written
    }

    /// Sources that never were nodes, unless a node has taken their name since.
    private func keepForeignSources(_ written: inout JSONObject) {
        let taken = Set(names.values)
        for (source, types) in imported.raw where importedIDs[source] == nil && !taken.contains(source) { written[source] = types }
    }

    private func group(of node: WorkflowNode, before: JSON?) -> JSON? {
        if let before, before.object == nil { return node.connections.isEmpty ? before : fresh(node.connections) }
        let types = before?.object ?? [:]
        var written = JSONObject()
        for (type, outputs) in types {
            let edges = node.connections.filter { $0.kind == type }
            if N8nConnections.edges(outputs, type: type, ids: importedIDs) == edges {
                written[type] = renamed(outputs)
            } else if !edges.isEmpty {
                written[type] = N8nConnectionWriter.outputs(edges, names: names)
            }
        }
        for type in Set(node.connections.map(\.kind)).subtracting(types.keys).sorted() {
            written[type] = N8nConnectionWriter.outputs(node.connections.filter { $0.kind == type }, names: names)
        }
        if written.isEmpty, before == nil || !types.isEmpty { return nil }
        return .object(written)
    }

    private func fresh(_ edges: [WorkflowConnection]) -> JSON {
        var written = JSONObject()
        for edge in edges where !written.contains(key: edge.kind) {
            written[edge.kind] = N8nConnectionWriter.outputs(edges.filter { $0.kind == edge.kind }, names: names)
        }
        return .object(written)
    }

    /// The outputs as written, with today's names; edges to nodes that are gone are dropped.
    private func renamed(_ outputs: JSON) -> JSON {
        guard let outputs = outputs.array else { return outputs }
        let taken = Set(names.values)
        return .array(
            outputs.map { targets in
                guard let targets = targets.array else { return targets }
                return .array(
                    targets.compactMap { target in
                        guard case .object(var members) = target, let name = members["node"]?.text else { return target }
                        guard let id = importedIDs[name] else { return taken.contains(name) ? nil : target }
                        guard let current = names[id] else { return nil }
                        members["node"] = .string(current)
                        return .object(members)
                    })
            })
    }

    private static func outputs(_ edges: [WorkflowConnection], names: [String: String]) -> JSON {
        let known = edges.filter { names[$0.to] != nil }
        let count = (known.map(\.output).max() ?? -1) + 1
        return .array(
            (0..<count).map { output in
                .array(
                    known.filter { $0.output == output }.map { edge in
                        ["node": .string(names[edge.to] ?? ""), "type": .string(edge.kind), "index": .number(Double(edge.input))]
                    })
            })
    }
}
