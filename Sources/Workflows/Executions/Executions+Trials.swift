package import Kernel
internal import Persistence
internal import Scripting

/// Drafts tried out from the editor: whole or up to a node, and the texts of their parameters.
extension Executions {
    /// Runs the draft as it is saved, with its pinned data.
    /// - Parameters:
    ///   - trigger: where it starts, by name; the manual trigger or the first one where nil.
    ///   - target: the name of the last node to run: only what leads to it takes part.
    /// - Throws: `no_trigger`
    package func tryOut(
        _ id: WorkflowID, trigger name: String?, until target: String?, items: [JSON], by principal: Principal
    ) async throws -> RunHandle {
        let tenant = try principal.tenant(for: .executionsWrite)
        var document = try await workflows.workflow(id, by: principal).draft
        if let target { try document.cut(after: target) }
        let triggers = document.nodes.filter { $0.category == .trigger && !$0.disabled }
        if let name, !triggers.contains(where: { $0.name == name }) {
            throw Refusal.invalid("trigger", "unknown_node", "No trigger named '\(name)' leads there.")
        }
        guard let trigger = name ?? (triggers.first { $0.kind == "manual" } ?? triggers.first)?.name else {
            throw Refusal(.conflict, "no_trigger", "Nothing starts this: add a trigger and connect it.")
        }
        let bytes = document.json.bytes
        let number = try await database.write(in: tenant) { tx in try TrialStore(tx: tx).keep(bytes, of: id) }
        let list = items.isEmpty ? ItemList.single : ItemList(items.map(ItemCodec.item))
        return try await engine.start(
            RunStart(
                tenant: tenant, workflow: id, version: -number, document: document, trigger: trigger, items: list, mode: "manual",
                timeZone: try await timeZone(tenant), idempotencyKey: nil))
    }

    /// What a parameter's value gives for one item.
    package func evaluate(_ value: JSON, of id: WorkflowID, at place: EvaluationPlace, by principal: Principal) async throws -> JSON {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let draft = try await workflows.workflow(id, by: principal).draft
        var machine = RunMachine(CompiledWorkflow(draft, kinds: workflows.kinds))
        if let run = place.execution {
            _ = try principal.tenant(for: .executionsRead)
            let known = try await self.machine(of: run, in: tenant)
            guard known.run.workflow == id else { throw Refusal.missing("execution") }
            machine = known.machine
        }
        let input = try machine.arriving(place)
        let zone = if let own = draft.settings.timeZone { own } else { try await timeZone(tenant) }
        let facts = ExpressionFacts(
            now: engine.clock.now(), timeZone: zone, nodeName: place.node ?? "",
            workflow: ["id": .string(id.description), "name": .string(draft.name), "active": false], execution: ["mode": "test"],
            prevNode: RunScope.previousNode([input], machine.workflow), variables: await engine.stepRunner.services.variables(tenant),
            mode: "manual")
        let scope = PinnedScope(RunScope(machine: machine, node: input.source?.node ?? 0, inputs: [input], facts: facts), draft)
        return try await engine.stepRunner.services.evaluate(value, tenant, scope, place.item)
    }
}

/// The item that a parameter is looked at for: one that a node of an execution gave, or one that is given.
package struct EvaluationPlace: Sendable {
    package var execution: RunID?
    /// The node that the item comes from.
    package var node: String?
    package var output: Int
    package var items: [JSON]?
    package var item: Int
}

extension RunMachine {
    /// The items at a place, with where they came from.
    fileprivate func arriving(_ place: EvaluationPlace) throws -> StepInput {
        if let items = place.items { return StepInput(items: ItemList(items.map(ItemCodec.item)), source: nil) }
        guard let name = place.node, let node = workflow.index(ofNode: name), let run = ended[node].lastIndex(where: { $0 != nil }) else {
            return StepInput(items: .single, source: nil)
        }
        let source = StepInput.Source(node: node, output: place.output, runIndex: run)
        guard let given = output(source) else { return StepInput(items: .empty, source: nil) }
        return StepInput(items: given.items, source: source)
    }
}

extension WorkflowDocument {
    /// Leaves only a node and what leads to it.
    mutating func cut(after name: String) throws {
        guard let target = nodes.first(where: { $0.name == name }) else {
            throw Refusal.invalid("until", "unknown_node", "The workflow has no node named '\(name)'.")
        }
        var sources: [String: [String]] = [:]
        for node in nodes { for edge in node.connections { sources[edge.to, default: []].append(node.id) } }
        var kept: Set<String> = [target.id]
        var open = [target.id]
        while let id = open.popLast() { open += (sources[id] ?? []).filter { kept.insert($0).inserted } }
        nodes.removeAll { !kept.contains($0.id) }
        for index in nodes.indices {
            // A loop does not go round again past the node.
            let isTarget = nodes[index].id == target.id
            nodes[index].connections.removeAll { isTarget && $0.kind == "main" || !kept.contains($0.to) }
        }
    }
}
