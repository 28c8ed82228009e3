internal import Kernel

/// Compares the items of two inputs: only in the first, the same, different, only in the second.
struct CompareDatasets: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "compare_datasets", version: 2.3, category: .condition, title: "Compare datasets", summary: "Compares the items of two inputs.",
                icon: "compare", parameters: parameters, inputs: .fixed(["A", "B"]), outputs: .fixed(["only in A", "same", "different", "only in B"]),
                n8nTypes: ["n8n-nodes-base.compareDatasets"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let comparison = try await DatasetComparison(step)
        let first = try comparison.rows(step.inputs.first ?? [], input: 0)
        let second = try comparison.rows(step.inputs.count > 1 ? step.inputs[1] : [], input: 1)
        let matches = try DatasetLookup(second, comparison).matches(of: first)
        var outputs: [[Item]] = [[], [], [], []]
        var matched: Set<Int> = []
        for (row, found) in zip(first, matches) {
            matched.formUnion(found.map(\.place))
            if found.isEmpty { outputs[0].append(row.item.paired(with: row.place)) }
            var same: Item?
            for other in found {
                let lineage = [PairedItem(item: row.place), PairedItem(item: other.place, input: 1)]
                if comparison.areSame(row.item.json, other.item.json) {
                    let kept = comparison.prefersSecondOfSame ? other.item : row.item
                    same = same ?? Item(json: kept.json, binary: kept.binary, pairedItem: lineage)
                } else {
                    var made = comparison.difference(row, other)
                    made.pairedItem = lineage
                    outputs[2].append(made)
                }
            }
            if let same { outputs[1].append(same) }
        }
        outputs[3] = second.filter { !matched.contains($0.place) }.map { $0.item.paired(with: $0.place, input: 1) }
        return .items(outputs)
    }

    private static var parameters: [Parameter] {
        func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }
        let ways = options(["preferInput1", "preferInput2", "mix", "includeBoth"])
        return [
            Parameter("infoBox", .notice, "", default: ""),
            Parameter(
                "mergeByFields", .collection, "Fields to match", default: .init(["values": []]),
                fields: [
                    Parameter(
                        "values", .list, "Fields",
                        fields: [
                            Parameter("field1", .string, "Field of input A", default: ""),
                            Parameter("field2", .string, "Field of input B", default: "")
                        ])
                ]),
            Parameter(
                "resolve", .options, "When there are differences", default: "preferInput2", options: ways, showWhen: ["@version": ["<2"]]),
            Parameter(
                "resolve", .options, "When there are differences", default: "includeBoth", options: ways, showWhen: ["@version": [">=2"]]),
            Parameter("preferWhenMix", .options, "Prefer", default: "input1", options: options(["input1", "input2"]), showWhen: ["resolve": ["mix"]]),
            Parameter("exceptWhenMix", .string, "But for the fields", default: "", showWhen: ["resolve": ["mix"]]),
            Parameter("fuzzyCompare", .boolean, "Compare across types", default: false, showWhen: ["@version": [">=2"]]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("skipFields", .string, "Fields to skip", default: ""),
                    Parameter("fuzzyCompare", .boolean, "Compare across types", default: false, showWhen: ["@version": ["<2"]]),
                    Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
                    Parameter("multipleMatches", .options, "Several matches", default: "first", options: options(["first", "all"]))
                ])
        ]
    }
}
