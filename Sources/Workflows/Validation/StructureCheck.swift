internal import Foundation
internal import Kernel

/// What every saved document keeps to: names and ids that tell nodes apart, edges that lead somewhere, and the limits.
struct StructureCheck {
    let document: WorkflowDocument

    func faults() -> [WorkflowFault] {
        var faults = documentFaults()
        guard document.nodes.count <= Limits.nodesPerWorkflow else { return faults }
        faults += repeated(\.id, field: "id", code: "duplicate_id", noun: "id")
        faults += repeated(\.name, field: "name", code: "duplicate_name", noun: "name")
        let ids = Set(document.nodes.map(\.id))
        for (index, node) in document.nodes.enumerated() where faults.count < Limits.faultsListed {
            faults += nodeFaults(node, path: "nodes[\(index)]", ids: ids)
        }
        return faults
    }

    static func tooManyNodes(_ count: Int) -> String { "A workflow has at most \(Limits.nodesPerWorkflow) nodes; this has \(count)." }

    private func documentFaults() -> [WorkflowFault] {
        var faults: [WorkflowFault] = []
        if let reason = StructureCheck.nameFault(document.name) { faults.append(WorkflowFault(field: "name", code: "bad_name", reason: reason)) }
        if document.nodes.count > Limits.nodesPerWorkflow {
            faults.append(WorkflowFault(field: "nodes", code: "too_many", reason: StructureCheck.tooManyNodes(document.nodes.count)))
        }
        if let zone = document.settings.timeZone, TimeZone(identifier: zone) == nil {
            faults.append(WorkflowFault(field: "settings.time_zone", code: "unknown_time_zone", reason: "There is no time zone \(zone)."))
        }
        let json = document.json
        if StructureCheck.depth(of: json) >= Limits.jsonDepth {
            let reason = "The document is nested deeper than \(Limits.jsonDepth), and could not be read again."
            faults.append(WorkflowFault(field: "", code: "too_deep", reason: reason))
        }
        let size = json.bytes.count
        if size > Limits.documentBytes {
            faults.append(
                WorkflowFault(field: "", code: "too_large", reason: "The document has \(size) bytes; the most is \(Limits.documentBytes)."))
        }
        return faults
    }

    /// How many lists and objects its innermost value lies in.
    private static func depth(of json: JSON) -> Int {
        switch json {
        case .array(let elements): 1 + (elements.map { depth(of: $0) }.max() ?? -1)
        case .object(let members): 1 + (members.map { depth(of: $0.value) }.max() ?? -1)
        default: 0
        }
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
        guard node.connections.count <= Limits.connectionsPerNode else {
            add("connections", "too_many", "At most \(Limits.connectionsPerNode) connections leave a node.")
            return faults
        }
        let ports = 0..<Limits.portsPerNode
        for (index, edge) in node.connections.enumerated() {
            if !ids.contains(edge.to) { add("connections[\(index)].to", "unknown_node", "There is no node with the id “\(edge.to)”.") }
            guard !ports.contains(edge.output) || !ports.contains(edge.input) else { continue }
            add("connections[\(index)]", "out_of_range", "Outputs and inputs are counted from 0 to \(Limits.portsPerNode - 1).")
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
