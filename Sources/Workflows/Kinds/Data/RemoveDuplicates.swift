internal import Kernel

/// Keeps the first of items that are the same, or, across runs, the items that were not seen before.
struct RemoveDuplicates: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "remove_duplicates", version: 2, category: .action, title: "Remove duplicates",
                summary: "Keeps the first of items that are the same.", icon: "unique", parameters: RemoveDuplicatesParameters.all,
                n8nTypes: ["n8n-nodes-base.removeDuplicates"]
            )
            .withOutputs(.fixed(["kept", "discarded"]), when: ["operation": ["removeItemsSeenInPreviousExecutions"]])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch try await step.text("operation", default: "removeDuplicateInputItems") {
        case "removeItemsSeenInPreviousExecutions": return .items(try await SeenItems(step).parted())
        case "clearDeduplicationHistory":
            SeenItems.clear(step)
            return .items([step.items.enumerated().map { $1.paired(with: $0) }])
        default: return .items([try await DuplicateFields(step).unique(step.items)])
        }
    }
}

/// Which fields decide whether two items are the same.
struct DuplicateFields: Sendable {
    private let compare: String
    private let paths: [DotPath]
    private let removesOthers: Bool

    init(_ step: StepContext) async throws {
        compare = try await step.text("compare", default: "allFields")
        let plain = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy ?? false
        let name = compare == "allFieldsExcept" ? "fieldsToExclude" : "fieldsToCompare"
        paths = compare == "allFields" ? [] : try await DuplicateFields.names(step, name).map { DotPath($0, dotNotation: !plain) }
        removesOthers = try await step.parameter("options.removeOtherFields", item: 0)?.isTruthy ?? false
        guard compare == "allFields" || !paths.isEmpty else { throw StepFailure.invalid(name, "Name at least one field.") }
    }

    /// `a, b`, or n8n's older `{fields: [{fieldName}]}`.
    static func names(_ step: StepContext, _ path: String) async throws -> [String] {
        if let fields = try await step.parameter(path, item: 0)?["fields"]?.array { return fields.compactMap { $0["fieldName"]?.text } }
        return try await step.names(path)
    }

    func unique(_ items: [Item]) -> [Item] {
        var seen: Set<JSON> = []
        return items.enumerated().compactMap { index, item in
            let key = key(item.json)
            guard seen.insert(key).inserted else { return nil }
            var item = item.paired(with: index)
            if removesOthers, case .object(let members) = key { item.json = members }
            return item
        }
    }

    private func key(_ json: JSONObject) -> JSON {
        var key = JSONObject()
        switch compare {
        case "selectedFields": for path in paths { if let value = path.value(in: json) { path.set(value, in: &key) } }
        case "allFieldsExcept":
            key = json
            for path in paths { path.remove(from: &key) }
        default: key = json
        }
        return .object(key)
    }
}
