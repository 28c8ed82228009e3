/// Which children of an ended step run, and in which turn.
extension RunMachine {
    /// Queues the children of every output that has items.
    mutating func route(_ step: StepKey, outputs: [StepOutput?]) {
        let node = workflow.nodes[step.node]
        switch workflow.order {
        case .parallel:
            for edge in node.edges {
                if let arrival = arrival(edge, step, outputs, emptyToo: false) { deliver(arrival, along: edge, atFront: false) }
            }
        case .n8nV1:
            // Depth first: the last one put in front, the top-most and left-most, runs next.
            for edge in node.edgesByPosition.reversed() {
                if let arrival = arrival(edge, step, outputs, emptyToo: false) { deliver(arrival, along: edge, atFront: true) }
            }
        case .n8nV0:
            for edge in node.edges {
                // Inputs after the first are told even that nothing comes.
                guard let arrival = arrival(edge, step, outputs, emptyToo: edge.input > 0) else { continue }
                if !deliver(arrival, along: edge, atFront: false) { forceParents(of: edge, from: step.node, isEmpty: arrival.items.isEmpty) }
            }
        }
    }

    private func arrival(_ edge: CompiledWorkflow.Edge, _ step: StepKey, _ outputs: [StepOutput?], emptyToo: Bool) -> StepInput? {
        guard outputs.indices.contains(edge.output), let output = outputs[edge.output], emptyToo || !output.items.isEmpty else { return nil }
        return StepInput(items: output.items, source: .init(node: step.node, output: edge.output, runIndex: step.runIndex))
    }

    /// v0 runs the ancestors of a merge's other inputs even where nothing led to them: the farthest that has not run starts with one
    /// empty item, unless data will reach it anyway.
    private mutating func forceParents(of edge: CompiledWorkflow.Edge, from source: Int, isEmpty: Bool) {
        for parent in workflow.nodes[edge.to].parents.joined().map(\.node) where parent != source {
            guard ended[parent].isEmpty, !isQueued(parent) else { continue }
            let line = Array((workflow.ancestors(of: parent).filter { $0 != parent && $0 != edge.to }.reversed())) + [parent]
            guard !line.contains(where: isQueued), let first = line.first(where: { ended[$0].isEmpty }) else { continue }
            if isEmpty, workflow.ancestors(of: first).contains(source) { continue }
            if isStarved(first) { queue.append(Queued(node: first, inputs: [StepInput(items: .single, source: nil)])) }
        }
    }

    private func isQueued(_ node: Int) -> Bool {
        queue.contains { $0.node == node } || active.keys.contains { $0.node == node } || gathering.contains { $0.node == node }
    }

    /// Whether nothing has come, or will come from what has run, to the first input of a node.
    private func isStarved(_ node: Int) -> Bool {
        guard let parents = workflow.nodes[node].parents.first else { return true }
        return !parents.contains { parent in
            guard let outputs = ended[parent.node].last??.outputs, outputs.indices.contains(parent.output) else { return false }
            return !(outputs[parent.output]?.items.isEmpty ?? true)
        }
    }
}
