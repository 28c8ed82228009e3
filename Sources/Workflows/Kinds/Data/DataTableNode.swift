internal import Kernel

/// Reads and writes the tenant's own data tables.
struct DataTableNode: NodeExecutor {
    static var kinds: [NodeKind] {
        func on(_ operations: JSONText...) -> Parameter.ShowWhen { ["operation": operations] }
        let filtered = on("get", "update", "upsert", "deleteRows", "rowExists", "rowNotExists")
        let operators: [Parameter.Option] = DataTableFilter.Operation.allCases.map { .init(.init(.string($0.rawValue)), $0.rawValue) }
        return [
            NodeKind(
                kind: "data_table", version: 1.1, category: .action, title: "Data table", summary: "Reads and writes a data table.", icon: "table",
                parameters: [
                    Parameter("resource", .options, "Resource", default: "row", options: [.init("row", "Row")]),
                    Parameter(
                        "operation", .options, "Operation", default: "insert",
                        options: [
                            .init("deleteRows", "Delete"), .init("get", "Get"), .init("rowExists", "If row exists"),
                            .init("rowNotExists", "If row does not exist"), .init("insert", "Insert"), .init("update", "Update"),
                            .init("upsert", "Upsert")
                        ]),
                    Parameter(
                        "dataTableId", .resourceLocator, "Table", default: .init(["mode": "list", "value": ""]), required: true, resource: .dataTable),
                    Parameter(
                        "matchType", .options, "Must match", default: "anyCondition",
                        options: [.init("anyCondition", "Any condition"), .init("allConditions", "All conditions")], showWhen: filtered),
                    Parameter(
                        "filters", .collection, "Conditions", default: .init([:]),
                        fields: [
                            Parameter(
                                "conditions", .list, "Conditions",
                                fields: [
                                    Parameter("keyName", .string, "Column", default: "id", resource: .dataTableColumn),
                                    Parameter("condition", .options, "Condition", default: "eq", options: operators),
                                    Parameter("keyValue", .string, "Value", default: "")
                                ])
                        ], showWhen: filtered),
                    Parameter("returnAll", .boolean, "Return all", default: false, showWhen: on("get")),
                    Parameter("limit", .number, "Limit", default: 50, showWhen: on("get").merging(["returnAll": [false]]) { $1 }),
                    Parameter("orderBy", .boolean, "Order", default: false, showWhen: on("get")),
                    Parameter(
                        "orderByColumn", .string, "Order by", default: "createdAt", showWhen: on("get").merging(["orderBy": [true]]) { $1 },
                        resource: .dataTableColumn),
                    Parameter(
                        "orderByDirection", .options, "Direction", default: "DESC", options: [.init("ASC", "Ascending"), .init("DESC", "Descending")],
                        showWhen: on("get").merging(["orderBy": [true]]) { $1 }),
                    Parameter(
                        "columns", .json, "Columns", default: .init(["mappingMode": "defineBelow", "value": nil]),
                        showWhen: on("insert", "update", "upsert")),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [
                            Parameter("dryRun", .boolean, "Dry run", default: false),
                            Parameter("optimizeBulk", .boolean, "Optimise for many rows", default: false)
                        ])
                ], effect: .once, n8nTypes: ["n8n-nodes-base.dataTable"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard let tables = step.services.facilities.dataTables else {
            throw StepFailure("no_data_tables", "Without a server there are no data tables.", isRetryable: false)
        }
        let operation = try await step.text("operation", default: "insert")
        let locator = try await step.value("dataTableId") ?? ""
        let reference = PostgresQuery.located(locator)
        guard !reference.isEmpty || locator["cachedResultName"] != nil else { throw StepFailure.invalid("dataTableId", "No data table is chosen.") }
        let table = try await tables.find(reference, name: locator["cachedResultName"]?.text, tenant: step.tenant)
        var calls: [DataTableCall] = []
        for index in step.items.indices { calls.append(try await call(step, operation, table, index)) }
        let answers = try await tables.perform(calls, on: table.id, tenant: step.tenant)
        var out: [Item] = []
        for (index, rows) in answers.enumerated() {
            switch operation {
            case "rowExists": if !rows.isEmpty { out.append(step.items[index].paired(with: index)) }
            case "rowNotExists": if rows.isEmpty { out.append(step.items[index].paired(with: index)) }
            case "insert" where try await step.flag("options.optimizeBulk"): out.append(step.items[index].paired(with: index))
            default: out += rows.map { Item(json: $0, pairedItem: [PairedItem(item: index)]) }
            }
        }
        return .items([out])
    }

    private func call(_ step: StepContext, _ operation: String, _ table: DataTable, _ index: Int) async throws -> DataTableCall {
        if operation == "insert" { return .insert([try await values(step, table, index)]) }
        let filter = try await filter(step, index)
        let isDry = try await step.flag("options.dryRun", item: index)
        guard operation == "get" || !filter.conditions.isEmpty else {
            throw StepFailure.invalid("filters", "At least one condition is required", item: index)
        }
        switch operation {
        case "get":
            let limit = try await step.flag("returnAll", item: index) ? nil : Int(max(0, min(try await step.number("limit", item: index) ?? 50, 1e6)))
            let order: DataTableCall.Order? =
                try await step.flag("orderBy", item: index)
                ? .init(
                    column: try await step.text("orderByColumn", item: index, default: "createdAt"),
                    isDescending: try await step.text("orderByDirection", item: index, default: "DESC") == "DESC") : nil
            return .get(filter, limit: limit, order: order)
        case "rowExists", "rowNotExists": return .get(filter, limit: 1, order: nil)
        case "update": return .update(filter, try await values(step, table, index), isDry: isDry)
        case "upsert": return .upsert(filter, try await values(step, table, index), isDry: isDry)
        case "deleteRows": return .delete(filter, isDry: isDry)
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation on rows.", item: index)
        }
    }

    private func filter(_ step: StepContext, _ index: Int) async throws -> DataTableFilter {
        let entries = try await step.value("filters.conditions", item: index)?.array ?? []
        let conditions = try entries.map { entry in
            let word = entry["condition"]?.text ?? "eq"
            guard let operation = DataTableFilter.Operation(rawValue: word) else {
                throw StepFailure.invalid("filters", "'\(word)' is no condition.", item: index)
            }
            return DataTableFilter.Condition(entry["keyName"]?.displayText ?? "id", operation, entry["keyValue"] ?? .null)
        }
        return DataTableFilter(conditions, isAny: try await step.text("matchType", item: index, default: "anyCondition") == "anyCondition")
    }

    /// The columns as they are mapped; from the input only those that the table has.
    private func values(_ step: StepContext, _ table: DataTable, _ index: Int) async throws -> JSONObject {
        let columns = try await step.value("columns", item: index) ?? [:]
        if columns["mappingMode"] == "autoMapInputData" {
            return JSONObject(step.items[index].json.filter { name, _ in !DataTable.own.contains { $0.name == name } }.map { ($0.key, $0.value) })
        }
        return columns["value"]?.object ?? [:]
    }
}
