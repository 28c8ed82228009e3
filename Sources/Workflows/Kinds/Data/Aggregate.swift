internal import Kernel

/// Makes one item of all, or one of each group of them.
struct Aggregate: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "aggregate", category: .action, title: "Aggregate", summary: "Makes one item of all items.", icon: "aggregate",
                parameters: AggregateParameters.all, n8nTypes: ["n8n-nodes-base.aggregate"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let names = try await step.names("options.groupByFields")
        guard !names.isEmpty else { return .items([[try await item(step, of: Array(step.items.indices), AggregateGroup())]]) }
        var out: [Item] = []
        for group in try AggregateGroup.all(step.items, by: names) {
            var item = try await item(step, of: group.places, group)
            // A group comes of its first item.
            item.pairedItem = [PairedItem(item: group.places[0])]
            out.append(item)
        }
        return .items([out])
    }

    private func item(_ step: StepContext, of places: [Int], _ group: AggregateGroup) async throws -> Item {
        let isWhole = try await step.text("aggregate", default: "aggregateIndividualFields") == "aggregateAllItemData"
        var out = isWhole ? try await whole(step, places, group) : try await fields(step, places, group)
        if try await step.parameter("options.includeBinaries", item: 0)?.isTruthy == true {
            out.binary = try await files(step, group.names.isEmpty ? out.pairedItem?.map(\.item) ?? [] : places)
        }
        return out
    }

    private func whole(_ step: StepContext, _ places: [Int], _ group: AggregateGroup) async throws -> Item {
        let destination = try await step.text("destinationFieldName", default: "data")
        try group.check(destination, parameter: "destinationFieldName")
        let include = try await step.text("include", default: "allFields")
        let named = include == "allFields" ? [] : try await step.names(include == "allFieldsExcept" ? "fieldsToExclude" : "fieldsToInclude")
        var rows: [JSON] = []
        var lineage: [PairedItem] = []
        for index in places {
            let item = step.items[index]
            var row = item.json
            // Without a name all fields stay.
            if !named.isEmpty {
                let keepsNamed = include == "specifiedFields"
                row = JSONObject(item.json.filter { named.contains($0.key) == keepsNamed }.map { ($0.key, $0.value) })
                if row.isEmpty { continue }
            }
            rows.append(.object(row))
            lineage.append(PairedItem(item: index))
        }
        var json = group.json
        json[destination] = .array(rows)
        return Item(json: json, pairedItem: lineage)
    }

    private func fields(_ step: StepContext, _ places: [Int], _ group: AggregateGroup) async throws -> Item {
        let plain = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy ?? false
        let merges = try await step.parameter("options.mergeLists", item: 0)?.isTruthy ?? false
        let keepsMissing = try await step.parameter("options.keepMissing", item: 0)?.isTruthy ?? false
        var out = Item(json: group.json, pairedItem: places.map { PairedItem(item: $0) })
        let entries = try await step.value("fieldsToAggregate.fieldToAggregate")?.array ?? []
        // What a node begins with is one field without a name, which gives nothing.
        guard !entries.isEmpty || step.rawParameter("fieldsToAggregate") == nil else {
            throw StepFailure.invalid("fieldsToAggregate", "Name at least one field to aggregate.")
        }
        var lists = JSONObject()
        var taken: Set<String> = []
        for entry in entries {
            let field = entry["fieldToAggregate"]?.text ?? ""
            // Names are compared as they are written; of two paths with the same last part the later one counts.
            let written = entry["renameField"]?.isTruthy == true ? entry["outputFieldName"]?.text ?? "" : field
            guard taken.insert(written).inserted else {
                throw StepFailure.invalid("fieldsToAggregate", "The '\(written)' output field is used more than once; rename one.")
            }
            guard !field.isEmpty else { continue }
            let name = AggregateParameters.outputName(of: entry, field: field, dotNotation: !plain)
            try group.check(name, parameter: "fieldsToAggregate")
            var values: [JSON] = []
            for place in places {
                var value = DotPath(field, dotNotation: !plain).value(in: step.items[place].json) ?? .null
                if value.isNull, !keepsMissing { continue }
                if !keepsMissing, case .array(let elements) = value { value = .array(elements.filter { !$0.isNull }) }
                if merges, case .array(let elements) = value { values += elements } else { values.append(value) }
            }
            lists[name] = .array(values)
        }
        for (name, list) in lists { DotPath(name, dotNotation: !plain).set(list, in: &out.json) }
        return out
    }

    /// A name that more than one item has gets a number.
    private func files(_ step: StepContext, _ places: [Int]) async throws -> [String: BinaryReference] {
        let isAdded = step.rawOption("keepOnlyUnique") != nil
        let keepsUniqueOnly = isAdded ? try await step.parameter("options.keepOnlyUnique", item: 0)?.isTruthy ?? false : false
        var files: [String: BinaryReference] = [:]
        var seen: Set<String> = []
        for place in places {
            for (name, file) in step.items[place].binary.sorted(by: { $0.key < $1.key }) {
                if keepsUniqueOnly, !seen.insert("\(file.mimeType)\n\(file.fileName ?? "")\n\(file.byteCount)").inserted { continue }
                var free = name
                var number = 0
                while files[free] != nil {
                    number += 1
                    free = "\(name)_\(number)"
                }
                files[free] = file
            }
        }
        return files
    }
}
