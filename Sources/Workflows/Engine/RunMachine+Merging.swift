/// Nodes with several inputs, which wait until data has come to each.
extension RunMachine {
    /// Brings data to an input: a node with one slot is queued for it, a node with several gathers.
    /// - Returns: false where the node still waits for other inputs.
    @discardableResult
    mutating func deliver(_ arrival: StepInput, along edge: CompiledWorkflow.Edge, atFront: Bool) -> Bool {
        let awaited = workflow.nodes[edge.to].awaited
        guard !awaited.isEmpty else {
            var inputs = [StepInput?](repeating: nil, count: edge.input + 1)
            inputs[edge.input] = arrival
            enqueue(Queued(node: edge.to, inputs: inputs), atFront: atFront)
            return true
        }
        let place: Int
        if let open = gathering.firstIndex(where: { $0.node == edge.to && $0.inputs[edge.input] == nil }) {
            place = open
        } else {
            place = gathering.count
            gathering.append(Gathering(node: edge.to, inputs: Array(repeating: nil, count: awaited.count)))
        }
        gathering[place].inputs[edge.input] = arrival
        guard zip(gathering[place].inputs, awaited).allSatisfy({ $0 != nil || !$1 }) else { return false }
        enqueue(Queued(node: edge.to, inputs: gathering.remove(at: place).inputs), atFront: atFront)
        return true
    }

    private mutating func enqueue(_ next: Queued, atFront: Bool) {
        if atFront { queue.insert(next, at: 0) } else { queue.append(next) }
    }

    /// The next node that runs with what it has, when nothing else can run: not one that needs all its inputs, not one behind another
    /// that waits, and not one that got nothing but empty inputs, which is given up.
    mutating func nextGathered() -> Queued? {
        var place = 0
        while place < gathering.count {
            let candidate = gathering[place]
            let ancestors = workflow.ancestors(of: candidate.node)
            let isBehindAnother = gathering.contains { $0.node != candidate.node && ancestors.contains($0.node) }
            guard workflow.nodes[candidate.node].required == .any, !isBehindAnother else {
                place += 1
                continue
            }
            gathering.remove(at: place)
            if candidate.inputs.contains(where: { !($0?.items.isEmpty ?? true) }) { return Queued(node: candidate.node, inputs: candidate.inputs) }
            place = 0
        }
        return nil
    }
}
