internal import Kernel
internal import Outbound

/// Reads and writes a PostgreSQL database of the tenant's own.
struct PostgresNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "postgres", version: 2.6, category: .action, title: "PostgreSQL", summary: "Reads and writes a PostgreSQL database.",
                icon: "database",
                parameters: PostgresParameters.all, credentials: ["postgres"], effect: .once, n8nTypes: ["n8n-nodes-base.postgres"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard let network = step.services.facilities.network else { throw StepFailure.noNetwork }
        let operation = try await step.text("operation", default: "insert")
        let destination = try await destination(step)
        var statements: [PostgresStatement] = []
        for index in step.items.indices {
            statements.append(try await PostgresQuery(step: step, item: index).statement(operation))
        }
        let batching = try await step.text("options.queryBatching", default: "single")
        let givesNothing = operation == "select"
        if batching == "independently" {
            var out: [Item] = []
            for (index, statement) in statements.enumerated() {
                let outcome = try await network.postgres(destination, [statement], false, step.tenant).first
                do throws(PostgresClientError) { out += items(try outcome?.get() ?? [], statement, index, givesNothing) } catch {
                    out.append(try step.failed(StepFailure(error, item: index), at: index))
                }
            }
            return .items([out])
        }
        // "Single" sends all at once too: they stand or fall together.
        let outcomes: [Result<[JSONObject], PostgresClientError>]
        do { outcomes = try await network.postgres(destination, statements, statements.count > 1, step.tenant) } catch let error
            as PostgresClientError
        {
            throw StepFailure(error, item: nil)
        }
        var out: [Item] = []
        for (index, outcome) in outcomes.enumerated() {
            do throws(PostgresClientError) { out += items(try outcome.get(), statements[index], index, givesNothing) } catch {
                out = [try step.failed(StepFailure(error, item: index), at: index)]
            }
        }
        return .items([out])
    }

    private func items(_ rows: [JSONObject], _ statement: PostgresStatement, _ index: Int, _ givesNothing: Bool) -> [Item] {
        let paired = [PairedItem(item: index)]
        guard rows.isEmpty else { return rows.map { Item(json: $0, pairedItem: paired) } }
        let isSelect = statement.text.drop(while: \.isWhitespace).prefix(6).lowercased() == "select"
        return givesNothing || isSelect ? [] : [Item(json: ["success": true], pairedItem: paired)]
    }

    private func destination(_ step: StepContext) async throws -> PostgresDestination {
        let fields = try await step.services.credential(ofType: "postgres")
        func text(_ name: String) -> String { fields[name]?.displayText ?? "" }
        let ignoresFaults = fields["allowUnauthorizedCerts"]?.isTruthy ?? false
        // n8n's words for TLS: `disable`, `allow`, `require`; a certificate that is asked for is checked unless the credential says otherwise.
        let mode = ["require": ignoresFaults ? "require" : "verify-full", "allow": "prefer"][text("ssl")] ?? "disable"
        let seconds = try await step.number("options.connectionTimeout") ?? 60
        return PostgresDestination(
            destination: OutboundDestination(host: text("host"), port: Int(text("port")) ?? 5_432), database: text("database"), user: text("user"),
            password: text("password"), sslMode: mode, timeout: .seconds(Int64(max(1, min(seconds.isFinite ? seconds : 60, 600)))))
    }
}

enum PostgresParameters {
    static var all: [Parameter] {
        func on(_ operations: JSONText...) -> Parameter.ShowWhen { ["operation": operations] }
        let table = on("insert", "update", "upsert", "select", "deleteTable")
        let changes = on("update", "upsert")
        let condition: [Parameter] = [
            Parameter("column", .string, "Column", default: ""),
            Parameter(
                "condition", .options, "Operator", default: "equal",
                options: ["equal", "!=", "LIKE", ">", "<", ">=", "<=", "IS NULL", "IS NOT NULL"].map { .init(.init(.string($0)), $0) }),
            Parameter("value", .string, "Value", default: "")
        ]
        let filtered = on("select", "deleteTable")
        return [
            Parameter("resource", .options, "Resource", default: "database", options: [.init("database", "Database")]),
            Parameter(
                "operation", .options, "Operation", default: "insert",
                options: [
                    .init("deleteTable", "Delete"), .init("executeQuery", "Execute query"), .init("insert", "Insert"),
                    .init("upsert", "Insert or update"),
                    .init("select", "Select"), .init("update", "Update")
                ]),
            Parameter("query", .code, "Query", default: "", required: true, showWhen: on("executeQuery")),
            Parameter("schema", .resourceLocator, "Schema", default: .init(["mode": "list", "value": "public"]), required: true, showWhen: table),
            Parameter("table", .resourceLocator, "Table", default: .init(["mode": "list", "value": ""]), required: true, showWhen: table),
            Parameter(
                "deleteCommand", .options, "Command", default: "truncate",
                options: [.init("truncate", "Truncate"), .init("delete", "Delete rows"), .init("drop", "Drop")], showWhen: on("deleteTable")),
            Parameter("restartSequences", .boolean, "Restart sequences", default: false, showWhen: on("deleteTable")),
            Parameter("returnAll", .boolean, "Return all", default: false, showWhen: on("select")),
            Parameter("limit", .number, "Limit", default: 50, showWhen: on("select").merging(["returnAll": [false]]) { $1 }),
            Parameter(
                "where", .collection, "Conditions", default: .init([:]), fields: [Parameter("values", .list, "Conditions", fields: condition)],
                showWhen: filtered),
            Parameter(
                "combineConditions", .options, "Combine", default: "AND", options: [.init("AND", "And"), .init("OR", "Or")], showWhen: filtered),
            Parameter(
                "sort", .collection, "Sort", default: .init([:]),
                fields: [
                    Parameter(
                        "values", .list, "Sort",
                        fields: [
                            Parameter("column", .string, "Column", default: ""),
                            Parameter(
                                "direction", .options, "Direction", default: "ASC", options: [.init("ASC", "Ascending"), .init("DESC", "Descending")])
                        ])
                ], showWhen: on("select")),
            Parameter(
                "dataMode", .options, "Columns", default: "autoMapInputData",
                options: [.init("autoMapInputData", "From the input"), .init("defineBelow", "Below")],
                showWhen: on("insert", "update", "upsert").merging(["@version": ["<2.2"]]) { $1 }),
            Parameter("columnToMatchOn", .string, "Column to match on", default: "", showWhen: changes.merging(["@version": ["<2.2"]]) { $1 }),
            Parameter("valueToMatchOn", .string, "Value to match on", default: "", showWhen: changes.merging(["@version": ["<2.2"]]) { $1 }),
            Parameter(
                "valuesToSend", .collection, "Values", default: .init([:]),
                fields: [
                    Parameter(
                        "values", .list, "Values",
                        fields: [Parameter("column", .string, "Column", default: ""), Parameter("value", .string, "Value", default: "")])
                ], showWhen: on("insert", "update", "upsert").merging(["@version": ["<2.2"]]) { $1 }),
            Parameter(
                "columns", .json, "Columns", default: .init(["mappingMode": "defineBelow", "value": nil]),
                showWhen: on("insert", "update", "upsert").merging(["@version": [">=2.2"]]) { $1 }),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("cascade", .boolean, "Cascade", default: false), Parameter("connectionTimeout", .number, "Time limit in seconds"),
                    Parameter(
                        "queryBatching", .options, "Batching", default: "single",
                        options: [.init("single", "Single"), .init("independently", "Independently"), .init("transaction", "Transaction")]),
                    Parameter("queryReplacement", .string, "Query parameters"), Parameter("outputColumns", .json, "Output columns"),
                    Parameter("skipOnConflict", .boolean, "Skip on conflict", default: false),
                    Parameter("replaceEmptyStrings", .boolean, "Replace empty texts by NULL", default: false)
                ])
        ]
    }
}
