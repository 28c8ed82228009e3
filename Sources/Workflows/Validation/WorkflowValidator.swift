internal import Kernel

/// Finds every fault of a workflow at once. Pure: all it knows of kinds and expressions is passed in.
package struct WorkflowValidator: Sendable {
    package enum Purpose: Sendable, Hashable {
        /// What can be saved: a whole structure within the limits, however unfinished.
        case draft
        /// What can run: a draft with a trigger whose every node that a run can reach is complete.
        case publication
    }

    let kind: @Sendable (_ kind: String) -> NodeKind?
    /// Why a text that begins with `=` is no expression; nil where it is one.
    let expressionFault: @Sendable (_ text: String) -> String?

    package init(
        kind: @escaping @Sendable (_ kind: String) -> NodeKind?, expressionFault: @escaping @Sendable (_ text: String) -> String? = { _ in nil }
    ) {
        self.kind = kind
        self.expressionFault = expressionFault
    }

    package func faults(in document: WorkflowDocument, for purpose: Purpose) -> [WorkflowFault] {
        var faults = StructureCheck(document: document).faults()
        if purpose == .publication { faults += publicationFaults(in: document) }
        return faults
    }

    /// - Throws: `invalid_workflow` with every fault.
    package func check(_ document: WorkflowDocument, for purpose: Purpose) throws {
        let faults = faults(in: document, for: purpose)
        guard faults.isEmpty else { throw Refusal.invalidWorkflow(faults.map(\.fault)) }
    }

    private func publicationFaults(in document: WorkflowDocument) -> [WorkflowFault] {
        var faults: [WorkflowFault] = []
        if !document.nodes.contains(where: { $0.category == .trigger && !$0.disabled }) {
            faults.append(WorkflowFault(field: "nodes", code: "no_trigger", reason: "Nothing starts the workflow: add a trigger."))
        }
        let reachable = document.reachableNodes()
        let targets = NodeCheck.Target.all(of: document, kinds: self.kind)
        for (index, node) in document.nodes.enumerated() where reachable.contains(node.id) && !node.disabled {
            guard let kind = kind(node.kind) else {
                let name = N8nTypes.type(ofForeignKind: node.kind) ?? node.kind
                faults.append(
                    WorkflowFault(
                        node: node.name, field: "nodes[\(index)].kind", code: "unknown_kind",
                        reason: "\(name) cannot run here; replace or disable the node."))
                continue
            }
            let check = NodeCheck(node: node, kind: kind, path: "nodes[\(index)]", expressionFault: expressionFault)
            faults += check.faults(order: document.settings.order, targets: targets)
        }
        return faults
    }
}

extension WorkflowDocument {
    /// The ids of all nodes that a run can come to: the enabled triggers, what follows them, and the models, tools and memories that
    /// serve a node among those.
    func reachableNodes() -> Set<String> {
        let byID = Dictionary(nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var reached = Set(nodes.filter { $0.category == .trigger && !$0.disabled }.map(\.id))
        var open = Array(reached)
        let servants = nodes.flatMap { node in node.connections.filter { $0.kind != "main" }.map { (root: $0.to, servant: node.id) } }
        let servantsByRoot = Dictionary(grouping: servants, by: \.root)
        while let id = open.popLast() {
            let next = (byID[id]?.connections ?? []).filter { $0.kind == "main" }.map(\.to) + (servantsByRoot[id] ?? []).map(\.servant)
            for other in next where byID[other] != nil && reached.insert(other).inserted { open.append(other) }
        }
        return reached
    }
}
