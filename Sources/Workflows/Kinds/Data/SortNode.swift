internal import Kernel
internal import Scripting

/// Orders items by fields, by chance, or by a script.
struct SortNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "sort", category: .action, title: "Sort", summary: "Orders items by fields, by chance, or by a script.", icon: "sort",
                parameters: parameters, n8nTypes: ["n8n-nodes-base.sort"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let order: [Int]
        switch try await step.text("type", default: "simple") {
        case "random": order = SortOrder.shuffled(step.items.count, seed: step.services.scope().facts.seed)
        case "code": order = try await SortOrder.scripted(step, source: try await step.text("code"))
        default: order = try await byFields(step)
        }
        return .items([order.map { step.items[$0].paired(with: $0) }])
    }

    private func byFields(_ step: StepContext) async throws -> [Int] {
        let plain = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy ?? false
        let fields = (try await step.value("sortFieldsUi.sortField")?.array ?? []).map { entry in
            SortOrder.Field(
                path: DotPath(entry["fieldName"]?.displayText ?? "", dotNotation: !plain), descends: entry["order"] == "descending")
        }
        guard !fields.isEmpty else { throw StepFailure.invalid("sortFieldsUi", "Name at least one field to sort by.") }
        for field in fields where !step.items.contains(where: { field.path.value(in: $0.json) != nil }) {
            throw StepFailure.invalid("sortFieldsUi", "No item has the field '\(field.path.text)'.")
        }
        return SortOrder.sorted(step.items, by: fields)
    }

    private static var parameters: [Parameter] {
        [
            Parameter(
                "type", .options, "Type", default: "simple",
                options: [.init("simple", "By fields"), .init("random", "By chance"), .init("code", "By a script")]),
            Parameter(
                "sortFieldsUi", .collection, "Fields", default: .init([:]),
                fields: [
                    Parameter(
                        "sortField", .list, "Fields",
                        fields: [
                            Parameter("fieldName", .string, "Field", default: ""),
                            Parameter(
                                "order", .options, "Order", default: "ascending",
                                options: [.init("ascending", "Ascending"), .init("descending", "Descending")])
                        ])
                ], showWhen: ["type": ["simple"]]),
            Parameter("code", .code, "Comparison of a and b", default: "return 0;", showWhen: ["type": ["code"]]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [Parameter("disableDotNotation", .boolean, "No dot notation", default: false)], showWhen: ["type": ["simple"]])
        ]
    }
}

/// Orders of items, as the places they had before.
enum SortOrder {
    struct Field: Sendable {
        var path: DotPath
        var descends: Bool
    }

    /// Stable; texts compare without case, and an item without the field comes last in both directions.
    static func sorted(_ items: [Item], by fields: [Field]) -> [Int] {
        let keys = items.map { item in fields.map { $0.path.value(in: item.json) } }
        return items.indices.sorted { left, right in
            for (index, field) in fields.enumerated() {
                let (a, b) = (keys[left][index], keys[right][index])
                guard let a else { if b == nil { continue } else { return false } }
                guard let b else { return true }
                let order = compare(a, b)
                if order != 0 { return field.descends ? order > 0 : order < 0 }
            }
            return left < right
        }
    }

    private static func compare(_ a: JSON, _ b: JSON) -> Int {
        if case .string(let left) = a, case .string(let right) = b {
            let (left, right) = (left.lowercased(), right.lowercased())
            return left < right ? -1 : left > right ? 1 : 0
        }
        let (left, right) = (a.coercedNumber, b.coercedNumber)
        return left < right ? -1 : left > right ? 1 : 0
    }

    /// Fisher and Yates, with the step's seed, so that a repeat of the step gives the same order.
    static func shuffled(_ count: Int, seed: UInt64) -> [Int] {
        var source = SplitMix64(state: seed)
        return (0..<count).shuffled(using: &source)
    }

    static func scripted(_ step: StepContext, source: String) async throws -> [Int] {
        let script = """
            const compare = (a, b) => {
            \(source)
            };
            return $input.all().map((item, index) => ({ item, index }))
              .sort((a, b) => compare(a.item, b.item)).map((entry) => ({ json: { index: entry.index } }));
            """
        let result = try await step.services.scripts.run(
            Script(source: script, mode: .allItems), tenant: step.tenant, scope: step.services.scope())
        let order = result.items.compactMap { $0["json"]?["index"]?.integer }
        guard order.count == step.items.count, Set(order) == Set(step.items.indices) else {
            throw StepFailure("code_error", "The script gave no order.", isRetryable: false)
        }
        return order
    }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
