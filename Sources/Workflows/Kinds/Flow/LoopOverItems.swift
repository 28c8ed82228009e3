internal import Kernel

/// Gives its items out in batches, one each time the loop comes back to it, and in the end all that came back.
struct LoopOverItems: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "split_in_batches", version: 3, category: .action, title: "Loop over items", summary: "Works through items in batches.",
                icon: "loop",
                parameters: [
                    Parameter("batchSize", .number, "Batch size", default: 1, showWhen: ["@version": [">=3"]]),
                    Parameter("batchSize", .number, "Batch size", default: 10, showWhen: ["@version": ["<3"]]),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [Parameter("reset", .boolean, "Start again with the items that come in", default: false)])
                ], outputs: .fixed(["done", "loop"]), n8nTypes: ["n8n-nodes-base.splitInBatches"]
            )
            .withOutputs(.fixed(["loop"]), when: ["@version": ["1"]])
            .withOutputs(.fixed(["loop", "done"]), when: ["@version": ["2"]])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let size = Int(min(max(try await step.number("batchSize") ?? 1, 1), Double(KindLimits.itemsPerStep)))
        let resets = try await step.parameter("options.reset", item: 0)?.isTruthy ?? false
        var state: LoopState
        if let saved = LoopState(step.state), !resets {
            state = saved
            state.runIndex += 1
            state.done += step.items.enumerated().map { index, item in
                var item = item
                item.pairedItem = [PairedItem(item: index, run: step.runIndex)]
                return item
            }
        } else {
            state = LoopState(step.items, firstRun: step.runIndex)
        }
        let batch = state.next(size)
        state.hasNoItemsLeft = state.left.isEmpty
        if batch.isEmpty {
            step.services.setState(state.json(isDone: true))
            return .items(outputs(step.version, loop: [], done: state.done))
        }
        step.services.setState(state.json(isDone: false))
        return .items(outputs(step.version, loop: batch, done: []))
    }

    private func outputs(_ version: Double, loop: [Item], done: [Item]) -> [[Item]] {
        if version < 2 { return [loop] }
        return version < 3 ? [loop, done] : [done, loop]
    }
}

/// What a loop keeps between its runs. `currentRunIndex` and `noItemsLeft` are what expressions read as the node's context.
struct LoopState: Sendable {
    var left: [Item]
    var done: [Item] = []
    var runIndex = 0
    var hasNoItemsLeft = false

    /// - Parameter firstRun: the node's run that took these items in; their lineage goes through it.
    init(_ items: [Item], firstRun: Int) {
        left = items.enumerated().map { index, item in
            var item = item
            item.pairedItem = [PairedItem(item: index, run: firstRun)]
            return item
        }
    }

    /// nil where there is no loop under way.
    init?(_ state: JSON) {
        guard let left = state["items"]?.array, let done = state["processed"]?.array else { return nil }
        self.left = left.map(Item.init(stored:))
        self.done = done.map(Item.init(stored:))
        runIndex = state["currentRunIndex"]?.integer ?? 0
    }

    mutating func next(_ count: Int) -> [Item] {
        let batch = Array(left.prefix(count))
        left.removeFirst(batch.count)
        return batch
    }

    /// Kept after the end too: without `reset` a loop that is entered again is at its end, as in n8n.
    func json(isDone: Bool) -> JSON {
        [
            "items": .array(left.map(\.stored)), "processed": .array(done.map(\.stored)), "currentRunIndex": .number(Double(runIndex)),
            "noItemsLeft": .bool(hasNoItemsLeft), "done": .bool(isDone)
        ]
    }
}
