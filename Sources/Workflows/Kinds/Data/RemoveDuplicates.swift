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
    private let named: [String]
    private let dotNotation: Bool
    private let removesOthers: Bool
    /// Whether null may stand in the place of any type.
    private let allowsNull: Bool

    init(_ step: StepContext) async throws {
        compare = try await step.text("compare", default: "allFields")
        dotNotation = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy != true
        let name = compare == "allFieldsExcept" ? "fieldsToExclude" : "fieldsToCompare"
        named = compare == "allFields" ? [] : try await DuplicateFields.names(step, name)
        removesOthers = try await step.parameter("options.removeOtherFields", item: 0)?.isTruthy ?? false
        allowsNull = step.kind.kind == "remove_duplicates" && step.version > 1
        guard compare == "allFields" || !named.isEmpty else { throw StepFailure.invalid(name, "Name at least one field.") }
    }

    /// `a, b`, or n8n's older `{fields: [{fieldName}]}`.
    static func names(_ step: StepContext, _ path: String) async throws -> [String] {
        if let fields = try await step.parameter(path, item: 0)?["fields"]?.array { return fields.compactMap { $0["fieldName"]?.text } }
        return try await step.names(path)
    }

    /// - Throws: `invalid_parameter` where a field that is compared is missing from an item, or changes its type.
    func unique(_ items: [Item]) throws -> [Item] {
        let paths = paths(of: items)
        for path in paths { try check(path, items) }
        var seen: Set<[JSON?]> = []
        return items.enumerated().compactMap { index, item in
            let values = paths.map { $0.value(in: item.json) }
            guard seen.insert(values).inserted else { return nil }
            var item = item.paired(with: index)
            if removesOthers {
                var kept = JSONObject()
                for (path, value) in zip(paths, values) { if let value { path.set(value, in: &kept) } }
                item.json = kept
            }
            return item
        }
    }

    /// All fields are those of all items, down to single values; an empty list or object has none. Where some are left out it is the first item's.
    private func paths(of items: [Item]) -> [DotPath] {
        if compare == "selectedFields" { return named.map { DotPath($0, dotNotation: dotNotation) } }
        var seen: Set<String> = []
        let looked = compare == "allFieldsExcept" && dotNotation ? items.prefix(1) : items[...]
        let all = looked.flatMap { item in dotNotation ? DuplicateFields.leaves(.object(item.json), []) : item.json.keys }
        let names = all.filter { seen.insert($0).inserted && !named.contains($0) }
        return names.map { DotPath($0, dotNotation: dotNotation) }
    }

    private static func leaves(_ value: JSON, _ path: [String]) -> [String] {
        switch value {
        case .object(let members): members.flatMap { leaves($0.value, path + [$0.key]) }
        case .array(let elements): elements.enumerated().flatMap { leaves($0.element, path + [String($0.offset)]) }
        default: [path.joined(separator: ".")]
        }
    }

    private func check(_ path: DotPath, _ items: [Item]) throws {
        var type: String?
        for item in items {
            let value = path.value(in: item.json)
            if allowsNull, value == .null { continue }
            guard let value else { throw StepFailure.invalid("compare", "The field '\(path.text)' is missing from some input items.") }
            let found = value.typeName == "array" || value.isNull ? "object" : value.typeName
            guard type == nil || type == found else {
                throw StepFailure.invalid("compare", "The field '\(path.text)' is not always of the same type.")
            }
            type = found
        }
    }
}
