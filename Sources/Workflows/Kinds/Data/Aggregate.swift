internal import Kernel

/// Makes one item of all.
struct Aggregate: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "aggregate", category: .action, title: "Aggregate", summary: "Makes one item of all items.", icon: "aggregate",
                parameters: AggregateParameters.all, n8nTypes: ["n8n-nodes-base.aggregate"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let isWhole = try await step.text("aggregate", default: "aggregateIndividualFields") == "aggregateAllItemData"
        var out = isWhole ? try await whole(step) : try await fields(step)
        if try await step.parameter("options.includeBinaries", item: 0)?.isTruthy == true {
            out.binary = try await files(step)
        }
        return .items([[out]])
    }

    private func whole(_ step: StepContext) async throws -> Item {
        let destination = try await step.text("destinationFieldName", default: "data")
        let include = try await step.text("include", default: "allFields")
        let named = include == "allFields" ? [] : try await step.names(include == "allFieldsExcept" ? "fieldsToExclude" : "fieldsToInclude")
        var rows: [JSON] = []
        var lineage: [PairedItem] = []
        for (index, item) in step.items.enumerated() {
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
        return Item(json: [destination: .array(rows)], pairedItem: lineage)
    }

    private func fields(_ step: StepContext) async throws -> Item {
        let plain = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy ?? false
        let merges = try await step.parameter("options.mergeLists", item: 0)?.isTruthy ?? false
        let keepsMissing = try await step.parameter("options.keepMissing", item: 0)?.isTruthy ?? false
        var out = Item(json: [:], pairedItem: step.items.indices.map { PairedItem(item: $0) })
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
            var values: [JSON] = []
            for item in step.items {
                var value = DotPath(field, dotNotation: !plain).value(in: item.json) ?? .null
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
    private func files(_ step: StepContext) async throws -> [String: BinaryReference] {
        let isAdded = step.rawOption("keepOnlyUnique") != nil
        let keepsUniqueOnly = isAdded ? try await step.parameter("options.keepOnlyUnique", item: 0)?.isTruthy ?? false : false
        var files: [String: BinaryReference] = [:]
        var seen: Set<String> = []
        for item in step.items {
            for (name, file) in item.binary.sorted(by: { $0.key < $1.key }) {
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
