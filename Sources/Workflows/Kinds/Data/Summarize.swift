internal import Kernel

/// Sums, counts and gathers fields over all items, or over groups of them.
struct Summarize: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "summarize", version: 1.1, category: .action, title: "Summarize", summary: "Sums, counts and gathers fields over items.",
                icon: "aggregate", parameters: SummarizeParameters.all, n8nTypes: ["n8n-nodes-base.summarize"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let options = try await step.value("options")?.object ?? [:]
        let summary = Summary(
            fields: try (try await step.value("fieldsToSummarize.values")?.array ?? [["aggregation": "count", "field": ""]]).map(Summary.Field.init),
            groups: try await step.names("fieldsToSplitBy"), dotNotation: options["disableDotNotation"]?.isTruthy != true,
            skipsEmptyGroups: options["skipEmptySplitFields"]?.isTruthy ?? false, keepsKeyTypes: step.version > 1)
        guard summary.fields.contains(where: { !$0.name.isEmpty }) else {
            throw StepFailure.invalid("fieldsToSummarize", "Name at least one field to summarize.")
        }
        if step.version <= 1, options["continueIfFieldNotFound"]?.isTruthy != true, let missing = summary.missingField(step.items) {
            throw StepFailure.invalid("fieldsToSummarize", "No item has the field '\(missing)'.")
        }
        if options["outputFormat"] == "singleItem" {
            let lineage = step.items.indices.map { PairedItem(item: $0) }
            return .items([[Item(json: summary.nested(step.items), pairedItem: lineage)]])
        }
        return .items([summary.items(step.items)])
    }
}

/// What is computed, and by which groups.
struct Summary: Sendable {
    struct Field: Sendable {
        enum Aggregation: String, Sendable {
            case append, average, concatenate, count, countUnique, max, min, sum
        }

        var name: String
        var aggregation: Aggregation
        var includesEmpty: Bool
        var separator: String

        init(_ entry: JSON) throws {
            name = entry["field"]?.displayText ?? ""
            let wanted = entry["aggregation"]?.text ?? "count"
            guard let aggregation = Aggregation(rawValue: wanted) else {
                throw StepFailure.invalid("fieldsToSummarize", "'\(wanted)' is no way to summarize.")
            }
            self.aggregation = aggregation
            includesEmpty = entry["includeEmpty"]?.isTruthy ?? false
            let separateBy = entry["separateBy"]?.text ?? ","
            separator = separateBy == "other" ? entry["customSeparator"]?.text ?? "" : separateBy
        }

        /// `sum_price`
        var outputName: String {
            let prefix: String =
                switch aggregation {
                case .append: "appended_"
                case .concatenate: "concatenated_"
                case .countUnique: "unique_count_"
                default: "\(aggregation.rawValue)_"
                }
            return Summary.normalized(prefix + name)
        }
    }

    let fields: [Field]
    let groups: [String]
    let dotNotation: Bool
    let skipsEmptyGroups: Bool
    /// Whether a group's number or boolean stays one.
    let keepsKeyTypes: Bool

    /// Brackets and quotes go, spaces and dots become underscores.
    static func normalized(_ name: String) -> String {
        String(name.filter { !"[]\"".contains($0) }.map { " .".contains($0) ? "_" : $0 })
    }

    private func value(_ name: String, _ item: Item) -> JSON? { DotPath(name, dotNotation: dotNotation).value(in: item.json) }

    func missingField(_ items: [Item]) -> String? {
        fields.map(\.name).first { name in !name.isEmpty && !items.contains { value(name, $0) != nil } }
    }

    // MARK: Groups

    /// One item a group: what was computed, and then the group's keys, the innermost first.
    func items(_ items: [Item]) -> [Item] { split(Array(items.enumerated()), groups[...]) }

    private func split(_ items: [(offset: Int, element: Item)], _ names: ArraySlice<String>) -> [Item] {
        guard let name = names.first else {
            return [Item(json: aggregated(items.map(\.element)), pairedItem: items.map { PairedItem(item: $0.offset) })]
        }
        return grouped(items, name).flatMap { group in
            split(group.members, names.dropFirst()).map { item in
                var item = item
                item.json[Summary.normalized(name)] = group.key
                return item
            }
        }
    }

    /// `{group: {subgroup: {sum_price: 1}}}`
    func nested(_ items: [Item]) -> JSONObject { nested(Array(items.enumerated()), groups[...]) }

    private func nested(_ items: [(offset: Int, element: Item)], _ names: ArraySlice<String>) -> JSONObject {
        guard let name = names.first else { return aggregated(items.map(\.element)) }
        return JSONObject(grouped(items, name).map { ($0.key?.coercedText ?? "undefined", .object(nested($0.members, names.dropFirst()))) })
    }

    /// In the order in which the groups are met; the key of items without the field is nil.
    private func grouped(_ items: [(offset: Int, element: Item)], _ name: String) -> [(key: JSON?, members: [(offset: Int, element: Item)])] {
        var order: [JSON?] = []
        var members: [JSON?: [(offset: Int, element: Item)]] = [:]
        for item in items {
            let key = key(of: value(name, item.element))
            if skipsEmptyGroups, key?.double == nil, !(key?.isTruthy ?? false) { continue }
            if members[key] == nil { order.append(key) }
            members[key, default: []].append(item)
        }
        return order.map { ($0, members[$0] ?? []) }
    }

    private func key(of value: JSON?) -> JSON? {
        if let value, value.array != nil || value.object != nil { return .string(value.serialized) }
        return keepsKeyTypes ? value : .string(value?.coercedText ?? "undefined")
    }

    // MARK: Aggregations

    private func aggregated(_ items: [Item]) -> JSONObject {
        JSONObject(fields.map { field in (field.outputName, Summary.aggregate(items.map { value(field.name, $0) }, field)) })
    }

    private static func isEmpty(_ value: JSON?) -> Bool { value == nil || value == .null || value == "" }

    private static func aggregate(_ values: [JSON?], _ field: Field) -> JSON {
        let kept = field.includesEmpty ? values : values.filter { !isEmpty($0) }
        let numbers = values.compactMap { $0?.double }
        switch field.aggregation {
        case .append: return .array(kept.map { $0 ?? .null })
        case .concatenate: return .string(kept.map(text).joined(separator: field.separator))
        case .average: return numbers.isEmpty ? .null : .number(numbers.reduce(0, +) / Double(numbers.count))
        case .sum: return .number(numbers.reduce(0, +))
        case .min: return extreme(values) { precedes($0, $1) }
        case .max: return extreme(values) { precedes($1, $0) }
        case .countUnique: return .number(Double(distinctCount(kept)))
        case .count: return .number(Double(kept.count))
        }
    }

    private static func text(_ value: JSON?) -> String {
        switch value {
        case nil: "undefined"
        case .array?, .object?: value?.serialized ?? ""
        case let value?: value.coercedText
        }
    }

    private static func extreme(_ values: [JSON?], _ isBetter: (JSON, JSON) -> Bool) -> JSON {
        var best: JSON?
        for case let value? in values where !isEmpty(value) {
            if best.map({ isBetter(value, $0) }) ?? true { best = value }
        }
        return best ?? .null
    }

    /// ECMAScript's `<`: texts by their characters, everything else as numbers.
    private static func precedes(_ left: JSON, _ right: JSON) -> Bool {
        if case .string(let a) = left, case .string(let b) = right { return a.utf16.lexicographicallyPrecedes(b.utf16) }
        return left.coercedNumber < right.coercedNumber
    }

    /// Objects and lists are distinct, each from every other.
    private static func distinctCount(_ values: [JSON?]) -> Int {
        let plain = values.filter { $0?.array == nil && $0?.object == nil }
        return Set(plain).count + values.count - plain.count
    }
}
