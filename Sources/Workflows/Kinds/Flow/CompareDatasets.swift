internal import Kernel

/// Compares the items of two inputs: only in the first, the same, different, only in the second.
struct CompareDatasets: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "compare_datasets", version: 2.3, category: .condition, title: "Compare datasets", summary: "Compares the items of two inputs.",
                icon: "compare",
                parameters: [
                    Parameter(
                        "mergeByFields", .collection, "Fields to match", default: .init(["values": []]),
                        fields: [
                            Parameter(
                                "values", .list, "Fields",
                                fields: [Parameter("field1", .string, "Field of input A", default: ""), Parameter("field2", .string, "Field of input B", default: "")])
                        ]),
                    Parameter(
                        "resolve", .options, "When there are differences", default: "includeBoth",
                        options: ["preferInput1", "preferInput2", "includeBoth"].map { .init(.init(.string($0)), $0) }),
                    Parameter("fuzzyCompare", .boolean, "Compare across types", default: false),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [Parameter("skipFields", .string, "Fields to skip", default: ""), Parameter("disableDotNotation", .boolean, "No dot notation", default: false)]),
                ], inputs: .fixed(["A", "B"]), outputs: .fixed(["only in A", "same", "different", "only in B"]),
                n8nTypes: ["n8n-nodes-base.compareDatasets"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let first = step.inputs.first ?? []
        let second = step.inputs.count > 1 ? step.inputs[1] : []
        let comparison = try await DatasetComparison(step)
        let places = Dictionary(second.enumerated().compactMap { index, item in comparison.key(item, 1).map { ($0, index) } }) { first, _ in first }
        var outputs: [[Item]] = [[], [], [], []]
        var matched: Set<Int> = []
        for (index, item) in first.enumerated() {
            guard let key = comparison.key(item, 0), let other = places[key] else {
                outputs[0].append(item.paired(with: index))
                continue
            }
            matched.insert(other)
            let lineage = [PairedItem(item: index), PairedItem(item: other, input: 1)]
            if let difference = comparison.difference(key, item.json, second[other].json) {
                outputs[2].append(Item(json: difference, pairedItem: lineage))
            } else {
                outputs[1].append(Item(json: item.json, binary: item.binary, pairedItem: lineage))
            }
        }
        outputs[3] = second.indices.filter { !matched.contains($0) }.map { second[$0].paired(with: $0, input: 1) }
        return .items(outputs)
    }
}

/// How two items are compared, and how their difference is told.
struct DatasetComparison: Sendable {
    private let names: [(String, String)]
    private let dotNotation: Bool
    private let fuzzy: Bool
    private let skipped: Set<String>
    private let resolve: String

    init(_ step: StepContext) async throws {
        names = (try await step.value("mergeByFields.values")?.array ?? []).map { ($0["field1"]?.text ?? "", $0["field2"]?.text ?? "") }
        dotNotation = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy != true
        fuzzy = try await step.flag("fuzzyCompare")
        skipped = Set(try await step.names("options.skipFields"))
        resolve = try await step.text("resolve", default: "includeBoth")
        guard !names.isEmpty, names.allSatisfy({ !$0.0.isEmpty && !$0.1.isEmpty }) else {
            throw StepFailure.invalid("mergeByFields", "Name the fields to match.")
        }
    }

    func key(_ item: Item, _ input: Int) -> [JSON]? {
        var key: [JSON] = []
        for (first, second) in names {
            guard let value = DotPath(input == 0 ? first : second, dotNotation: dotNotation).value(in: item.json) else { return nil }
            key.append(fuzzy ? FuzzyValue.normal(value) : value)
        }
        return key
    }

    /// nil where the two are the same: `{keys, same, different: {field: {inputA, inputB}}}`, or the preferred item.
    func difference(_ key: [JSON], _ first: JSONObject, _ second: JSONObject) -> JSONObject? {
        let keys = Set(names.map(\.0))
        var same = JSONObject()
        var different = JSONObject()
        for field in first.keys + second.keys.filter({ !first.contains(key: $0) }) where !keys.contains(field) && !skipped.contains(field) {
            let (a, b) = (first[field], second[field])
            if a == b || fuzzy && FuzzyValue.normal(a ?? .null) == FuzzyValue.normal(b ?? .null) {
                same[field] = a ?? .null
            } else {
                different[field] = ["inputA": a ?? .null, "inputB": b ?? .null]
            }
        }
        if different.isEmpty { return nil }
        switch resolve {
        case "preferInput1": return first
        case "preferInput2": return second
        default: break
        }
        let matched = JSONObject(zip(names, key).map { ($0.0, first[$0.0] ?? $1) })
        return ["keys": .object(matched), "same": .object(same), "different": .object(different)]
    }
}
