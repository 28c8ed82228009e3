internal import Kernel

/// Brings the items of several inputs together.
struct MergeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "merge", version: 3.2, category: .action, title: "Merge", summary: "Brings the items of several inputs together.",
                icon: "merge", parameters: MergeParameters.all, inputs: .count(parameter: "numberInputs", default: 2),
                n8nTypes: ["n8n-nodes-base.merge"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        var inputs = step.inputs
        while inputs.count < 2 { inputs.append([]) }
        let mode = try await step.text("mode", default: "append")
        if step.version < 2 { return .items([try await LegacyMerge(step, inputs).items(mode: mode)]) }
        switch mode {
        case "append": return .items([MergeNode.appended(inputs)])
        case "combineBySql": return .items([try await MergeBySQL(step, inputs).items()])
        case "chooseBranch": return .items([try await chosen(step, inputs)])
        case "combine": return .items([try await combined(step, inputs)])
        default: throw StepFailure.invalid("mode", "The merge mode '\(mode)' is not supported.")
        }
    }

    static func appended(_ inputs: [[Item]]) -> [Item] {
        inputs.enumerated().flatMap { input, items in items.enumerated().map { $1.paired(with: $0, input: input) } }
    }

    private func chosen(_ step: StepContext, _ inputs: [[Item]]) async throws -> [Item] {
        let output = try await step.text("output", default: "specifiedInput")
        if output == "empty" {
            let lineage = inputs.enumerated().flatMap { input, items in items.indices.map { PairedItem(item: $0, input: input) } }
            return [Item(json: [:], pairedItem: lineage)]
        }
        let number = (try await step.number("useDataOfInput") ?? 1).whole(in: 0...Limits.portsPerNode) ?? 0
        let wanted = output == "input2" ? 2 : output == "input1" ? 1 : number
        guard inputs.indices.contains(wanted - 1) else { throw StepFailure.invalid("useDataOfInput", "There is no input \(wanted).") }
        return inputs[wanted - 1].enumerated().map { $1.paired(with: $0, input: wanted - 1) }
    }

    private func combined(_ step: StepContext, _ inputs: [[Item]]) async throws -> [Item] {
        let old = step.version < 3
        let way = try await step.text(old ? "combinationMode" : "combineBy", default: old ? "mergeByFields" : "combineByFields")
        let clash = try await MergeClash(step, inputCount: inputs.count)
        switch way {
        case "combineByFields", "mergeByFields":
            return try await MergeByFields(step, clash: clash).items(inputs[0], inputs[1])
        case "combineByPosition", "mergeByPosition":
            let includesUnpaired = try await step.parameter("options.includeUnpaired", item: 0)?.isTruthy ?? false
            let keepsLast = !old && clash.resolve == "addSuffix"
            return MergeNode.byPosition(inputs, clash, includesUnpaired: includesUnpaired).enumerated().map { index, item in
                guard keepsLast, let last = inputs.last, last.indices.contains(index) else { return item }
                // From version 3 on n8n gives the fields of the last input both ways.
                var item = item
                item.json.merge(last[index].json)
                return item
            }
        case "combineAll", "multiplex":
            try MergeNode.check(pairs: inputs[0].count * inputs[1].count)
            return MergeNode.allPairs(inputs[0], inputs[1], clash)
        default: throw StepFailure.invalid("combineBy", "'\(way)' is no way to combine.")
        }
    }

    /// To be asked before pairs are made: those of two inputs that any step may give would fill the memory.
    /// - Throws: `too_many_items`
    static func check(pairs count: Int, most: Int = KindLimits.itemsPerStep) throws {
        guard count <= most else {
            throw StepFailure(
                "too_many_items", "The inputs have \(count) pairs of items or more; \(most) are the most that a step makes.", isRetryable: false)
        }
    }

    /// One item for each index that every input has, or, with unpaired ones, that any input has.
    private static func byPosition(_ inputs: [[Item]], _ clash: MergeClash, includesUnpaired: Bool) -> [Item] {
        let counts = inputs.map(\.count)
        let count = (includesUnpaired ? counts.max() : counts.min()) ?? 0
        return (0..<count).map { index in
            clash.merged(
                inputs.enumerated().compactMap { input, items in
                    items.indices.contains(index) ? MergeClash.Part(item: items[index], index: index, input: input) : nil
                })
        }
    }

    private static func allPairs(_ first: [Item], _ second: [Item], _ clash: MergeClash) -> [Item] {
        first.enumerated().flatMap { i, left in
            second.enumerated().map { j, right in
                clash.merged([.init(item: left, index: i, input: 0), .init(item: right, index: j, input: 1)])
            }
        }
    }
}
