internal import Foundation
internal import Kernel

/// What every saved document keeps to: names and ids that tell nodes apart, edges that lead somewhere, and the limits.
struct StructureCheck {
    let document: WorkflowDocument

    func faults() -> [WorkflowFault] {
        var faults = documentFaults()
        faults += repeated(\.id, field: "id", code: "duplicate_id", noun: "id")
        faults += repeated(\.name, field: "name", code: "duplicate_name", noun: "name")
        let ids = Set(document.nodes.map(\.id))
        for (index, node) in document.nodes.enumerated() { faults += nodeFaults(node, path: "nodes[\(index)]", ids: ids) }
        return faults
    }

    private func documentFaults() -> [WorkflowFault] {
        var faults: [WorkflowFault] = []
        if let reason = StructureCheck.nameFault(document.name) { faults.append(WorkflowFault(field: "name", code: "bad_name", reason: reason)) }
        if document.nodes.count > Limits.nodesPerWorkflow {
            faults.append(
                WorkflowFault(
                    field: "nodes", code: "too_many",
                    reason: "A workflow has at most \(Limits.nodesPerWorkflow) nodes; this has \(document.nodes.count)."))
        }
        if let zone = document.settings.timeZone, TimeZone(identifier: zone) == nil {
            faults.append(WorkflowFault(field: "settings.time_zone", code: "unknown_time_zone", reason: "There is no time zone \(zone)."))
        }
        let size = document.json.bytes.count
        if size > Limits.documentBytes {
            faults.append(
                WorkflowFault(field: "", code: "too_large", reason: "The document has \(size) bytes; the most is \(Limits.documentBytes)."))
        }
        return faults
    }

    private func repeated(_ key: KeyPath<WorkflowNode, String>, field: String, code: String, noun: String) -> [WorkflowFault] {
        var first: [String: Int] = [:]
        return document.nodes.enumerated().compactMap { index, node in
            let value = node[keyPath: key]
            guard let earlier = first[value] else {
                first[value] = index
                return nil
            }
            return WorkflowFault(
                node: node.name, field: "nodes[\(index)].\(field)", code: code, reason: "nodes[\(earlier)] has the \(noun) “\(value)” already.")
        }
    }

    private func nodeFaults(_ node: WorkflowNode, path: String, ids: Set<String>) -> [WorkflowFault] {
        var faults: [WorkflowFault] = []
        func add(_ field: String, _ code: String, _ reason: String) {
            faults.append(WorkflowFault(node: node.name, field: "\(path).\(field)", code: code, reason: reason))
        }
        if node.id.isEmpty || node.id.count > Limits.nodeIDLength { add("id", "bad_id", "An id has 1 to \(Limits.nodeIDLength) characters.") }
        if let reason = StructureCheck.nameFault(node.name) { add("name", "bad_name", reason) }
        if node.kind.isEmpty { add("kind", "required", "kind is missing.") }
        if (node.notes?.count ?? 0) > Limits.notesLength { add("notes", "too_long", "Notes have at most \(Limits.notesLength) characters.") }
        if JSON.object(node.config).bytes.count > Limits.nodeConfigBytes {
            add("config", "too_large", "The parameters of a node take at most \(Limits.nodeConfigBytes) bytes.")
        }
        if node.connections.count > Limits.connectionsPerNode {
            add("connections", "too_many", "At most \(Limits.connectionsPerNode) connections leave a node.")
        }
        for (index, edge) in node.connections.enumerated() where !ids.contains(edge.to) {
            add("connections[\(index)].to", "unknown_node", "There is no node with the id “\(edge.to)”.")
        }
        return faults
    }

    /// Any text of 1 to 200 characters without control characters.
    static func nameFault(_ name: String) -> String? {
        let hasControl = name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard !name.allSatisfy(\.isWhitespace), name.count <= Limits.nameLength, !hasControl else {
            return "A name has 1 to \(Limits.nameLength) printable characters."
        }
        return nil
    }
}
