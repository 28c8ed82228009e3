internal import Kernel

/// Makes an item of each element of a list inside an item.
struct SplitOut: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "split_out", category: .action, title: "Split out", summary: "Makes an item of each element of a list.", icon: "split",
                parameters: [
                    Parameter("fieldToSplitOut", .string, "Fields to split out", default: "", required: true),
                    Parameter(
                        "include", .options, "Keep", default: "noOtherFields",
                        options: [
                            .init("noOtherFields", "No other fields"), .init("allOtherFields", "All other fields"),
                            .init("selectedOtherFields", "Selected other fields")
                        ]),
                    Parameter("fieldsToInclude", .string, "Fields to keep", default: "", showWhen: ["include": ["selectedOtherFields"]]),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [
                            Parameter("destinationFieldName", .string, "Name of the new field", default: ""),
                            Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
                            Parameter("includeBinary", .boolean, "Include files", default: false)
                        ])
                ], n8nTypes: ["n8n-nodes-base.splitOut"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                let plan = try await SplitPlan(step, index, included: try await step.names("fieldsToInclude", item: index))
                return try plan.items(from: item)
            }
        ])
    }
}

/// How one item is split.
struct SplitPlan: Sendable {
    private let index: Int
    private let fields: [String]
    private let destinations: [String]
    private let include: String
    private let included: [String]
    private let dotNotation: Bool
    private let keepsBinary: Bool

    init(_ step: StepContext, _ index: Int, included: [String]) async throws {
        self.index = index
        self.included = included
        fields = try await step.names("fieldToSplitOut", item: index).map { $0.hasPrefix("$json.") ? String($0.dropFirst(6)) : $0 }
        destinations = try await step.names("options.destinationFieldName", item: index)
        include = try await step.text("include", item: index, default: "noOtherFields")
        dotNotation = try await step.parameter("options.disableDotNotation", item: index)?.isTruthy != true
        keepsBinary = try await step.parameter("options.includeBinary", item: index)?.isTruthy ?? false
        guard !fields.isEmpty else { throw StepFailure.invalid("fieldToSplitOut", "Name the field to split out.", item: index) }
        guard destinations.isEmpty || destinations.count == fields.count else {
            throw StepFailure.invalid("options.destinationFieldName", "Name as many new fields as fields to split out.", item: index)
        }
    }

    /// With several fields the elements of the same index share an item. The field `$binary` stands for the item's files.
    func items(from item: Item) throws -> [Item] {
        let files = fields.contains(SplitPlan.files) ? item.binary.sorted { $0.key < $1.key } : []
        let lists = fields.map { $0 == SplitPlan.files ? [] : SplitPlan.elements(DotPath($0, dotNotation: dotNotation).value(in: item.json)) }
        let count = max(files.count, lists.map(\.count).max() ?? 0)
        guard count <= KindLimits.itemsPerStep else { throw StepFailure("too_many_items", "The list is too long.", itemIndex: index) }
        guard count == 0 || include != "selectedOtherFields" || !included.isEmpty else {
            throw StepFailure.invalid("fieldsToInclude", "Name at least one field to keep.", item: index)
        }
        let others = others(of: item.json)
        return (0..<count).map { place in
            var out = Item(json: others, binary: keepsBinary ? item.binary : [:], pairedItem: [PairedItem(item: index)])
            if place < files.count { out.binary = [files[place].key: files[place].value] }
            for (number, list) in lists.enumerated() where place < list.count {
                put(list[place], field: number, into: &out.json)
            }
            if include == "selectedOtherFields" { out.json.merge(selected(from: item.json)) }
            return out
        }
    }

    private func put(_ element: JSON, field: Int, into json: inout JSONObject) {
        if include == "noOtherFields", fields.count == 1, destinations.isEmpty {
            if case .object(let members) = element { return json = members }
            // Spread as ECMAScript spreads a list into an object.
            if case .array(let elements) = element { return json = JSONObject(elements.enumerated().map { (String($0), $1) }) }
        }
        json[destinations.isEmpty ? fields[field] : destinations[field]] = element
    }

    private func others(of json: JSONObject) -> JSONObject {
        switch include {
        case "allOtherFields":
            var others = json
            for field in fields { DotPath(field, dotNotation: dotNotation).remove(from: &others) }
            return others
        default: return [:]
        }
    }

    /// By the names as they are given, dots and all.
    private func selected(from json: JSONObject) -> JSONObject {
        var selected = JSONObject()
        for name in included { selected[name] = DotPath(name, dotNotation: dotNotation).value(in: json) }
        return selected
    }

    private static let files = "$binary"

    /// An object gives its values, a plain value itself, a missing one nothing.
    private static func elements(_ value: JSON?) -> [JSON] {
        switch value {
        case nil: []
        case .array(let elements)?: elements
        case .object(let members)?: members.values
        case let value?: [value]
        }
    }
}
