internal import Kernel
internal import Outbound

/// The statement of one item. Names are quoted, values always travel beside the text.
struct PostgresQuery: Sendable {
    let step: StepContext
    let item: Int

    func statement(_ operation: String) async throws -> PostgresStatement {
        switch operation {
        case "executeQuery": return try await written()
        case "select": return try await select()
        case "deleteTable": return try await delete()
        case "insert", "update", "upsert": return try await change(operation)
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation.", item: item)
        }
    }

    // MARK: A query as written

    private func written() async throws -> PostgresStatement {
        PostgresStatement(try await step.text("query", item: item), values: try await parameters())
    }

    /// `$1`, `$2`, …: a list, or texts divided by commas; each `{{ … }}` of an expression is one value, whatever commas it gives.
    private func parameters() async throws -> [String?] {
        guard let raw = step.rawOption("queryReplacement") else { return [] }
        if let text = raw.text, text.hasPrefix("=") {
            let blocks = text.matches(of: #/\{\{(?:(?!\}\}).)*\}\}/#.dotMatchesNewlines()).map { String($0.output) }
            if blocks.count > 1
                || (blocks.count == 1 && text.dropFirst().filter({ !$0.isWhitespace }).count > blocks[0].filter({ !$0.isWhitespace }).count)
            {
                var values: [String?] = []
                for block in blocks { values.append(Self.value(try await step.services.evaluate(.string("=" + block), item: item, roots: [:]))) }
                return values
            }
        }
        switch try await step.value("options.queryReplacement", item: item) {
        case .array(let values)?: return values.map(Self.value)
        case .string(let text)?: return StepContext.names(in: text)
        case nil, .null?: return []
        case let other?: return [Self.value(other)]
        }
    }

    // MARK: Statements on a table

    private func select() async throws -> PostgresStatement {
        let (conditions, values) = try await conditions()
        var text = "SELECT \(try await outputs()) FROM \(try await table())\(conditions)"
        let rules = try await step.value("sort.values", item: item)?.array ?? []
        if !rules.isEmpty {
            text +=
                " ORDER BY "
                + rules.map { Self.quoted($0["column"]?.displayText ?? "") + ($0["direction"] == "DESC" ? " DESC" : " ASC") }
                .joined(separator: ", ")
        }
        if try await !step.flag("returnAll", item: item) {
            text += " LIMIT \(Int(max(0, min(try await step.number("limit", item: item) ?? 50, 1e9))))"
        }
        return PostgresStatement(text, values: values)
    }

    private func delete() async throws -> PostgresStatement {
        let name = try await table()
        let cascade = try await step.flag("options.cascade", item: item) ? ["CASCADE"] : []
        switch try await step.text("deleteCommand", item: item, default: "truncate") {
        case "drop": return PostgresStatement((["DROP", "TABLE", "IF", "EXISTS", name] + cascade).joined(separator: " "))
        case "truncate":
            let identity = try await step.flag("restartSequences", item: item) ? ["RESTART", "IDENTITY"] : []
            return PostgresStatement((["TRUNCATE", "TABLE", name] + identity + cascade).joined(separator: " "))
        case "delete":
            let (conditions, values) = try await conditions()
            return PostgresStatement("DELETE FROM \(name)\(conditions)", values: values)
        case let command: throw StepFailure.invalid("deleteCommand", "Invalid delete command '\(command)'.", item: item)
        }
    }

    private func change(_ operation: String) async throws -> PostgresStatement {
        let (row, matching) = try await columns(operation)
        let name = try await table()
        let returning = " RETURNING \(try await outputs())"
        let replaces = try await step.flag("options.replaceEmptyStrings", item: item)
        let values = row.map { replaces && $0.value == "" ? nil : Self.value($0.value) }
        let names = row.map { Self.quoted($0.key) }
        let places = row.indices.map { "$\($0 + 1)" }
        guard !row.isEmpty else { throw StepFailure.invalid("columns", "No values are given for the row.", item: item) }
        if operation == "insert" {
            let skip = try await step.flag("options.skipOnConflict", item: item) ? " ON CONFLICT DO NOTHING" : ""
            return PostgresStatement(
                "INSERT INTO \(name) (\(names.joined(separator: ", "))) VALUES (\(places.joined(separator: ", ")))\(skip)\(returning)", values: values
            )
        }
        guard !matching.isEmpty, matching.allSatisfy({ row[$0] != nil }) else {
            throw StepFailure.invalid(
                "columns", "Column to match on not found in input item. Add a column to match on, or define its value.", item: item)
        }
        let sets = row.indices.filter { !matching.contains(row[$0].key) }.map { "\(names[$0]) = \(places[$0])" }
        guard !sets.isEmpty else { throw StepFailure.invalid("columns", "Add values to update or insert beside the column to match on.", item: item) }
        if operation == "upsert" {
            let keys = matching.map(Self.quoted).joined(separator: ", ")
            let insert = "INSERT INTO \(name) (\(names.joined(separator: ", "))) VALUES (\(places.joined(separator: ", ")))"
            return PostgresStatement("\(insert) ON CONFLICT (\(keys)) DO UPDATE SET \(sets.joined(separator: ", "))\(returning)", values: values)
        }
        let matches = row.indices.filter { matching.contains(row[$0].key) }.map { "\(names[$0]) = \(places[$0])" }
        return PostgresStatement(
            "UPDATE \(name) SET \(sets.joined(separator: ", ")) WHERE \(matches.joined(separator: " AND "))\(returning)", values: values)
    }

    /// The row's values, and the columns that find it.
    private func columns(_ operation: String) async throws -> (row: JSONObject, matching: [String]) {
        let input = step.items[item].json
        if step.version < 2.2 {
            let match = try await step.text("columnToMatchOn", item: item)
            let matching = operation == "insert" || match.isEmpty ? [] : [match]
            guard try await step.text("dataMode", item: item, default: "autoMapInputData") == "defineBelow" else { return (input, matching) }
            let entries = try await step.value("valuesToSend.values", item: item)?.array ?? []
            var row = JSONObject(entries.map { ($0["column"]?.displayText ?? "", $0["value"] ?? .null) })
            if !matching.isEmpty { row[match] = try await step.value("valueToMatchOn", item: item) ?? .null }
            return (row, matching)
        }
        let columns = try await step.value("columns", item: item) ?? [:]
        let matching = (columns["matchingColumns"]?.array ?? []).compactMap(\.text)
        if columns["mappingMode"] == "autoMapInputData" { return (input, matching) }
        return (columns["value"]?.object ?? [:], matching)
    }

    private func conditions() async throws -> (text: String, values: [String?]) {
        let entries = try await step.value("where.values", item: item)?.array ?? []
        guard !entries.isEmpty else { return ("", []) }
        let joint = try await step.text("combineConditions", item: item, default: "AND") == "OR" ? " OR " : " AND "
        var values: [String?] = []
        var parts: [String] = []
        for entry in entries {
            let column = Self.quoted(entry["column"]?.displayText ?? "")
            let written = entry["condition"]?.text ?? "equal"
            let sign = written == "equal" ? "=" : written
            guard ["=", "!=", "LIKE", ">", "<", ">=", "<=", "IS NULL", "IS NOT NULL"].contains(sign) else {
                throw StepFailure.invalid("where", "'\(written)' is no condition.", item: item)
            }
            if sign.hasPrefix("IS ") {
                parts.append("\(column) \(sign)")
            } else {
                values.append(Self.value(entry["value"] ?? .null))
                parts.append("\(column) \(sign) $\(values.count)")
            }
        }
        return (" WHERE " + parts.joined(separator: joint), values)
    }

    private func outputs() async throws -> String {
        let columns = try await step.names("options.outputColumns", item: item)
        return columns.isEmpty || columns.contains("*") ? "*" : columns.map(Self.quoted).joined(separator: ", ")
    }

    private func table() async throws -> String {
        let schema = Self.located(try await step.value("schema", item: item))
        let table = Self.located(try await step.value("table", item: item))
        guard !table.isEmpty else { throw StepFailure.invalid("table", "No table is chosen.", item: item) }
        return "\(Self.quoted(schema.isEmpty ? "public" : schema)).\(Self.quoted(table))"
    }

    /// What a resource locator, or the plain text of older versions, names.
    static func located(_ value: JSON?) -> String { (value?["value"] ?? value).map { $0.object == nil ? $0.displayText : "" } ?? "" }

    /// An identifier (PostgreSQL's manual, 4.1.1).
    static func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"").replacing("\0", with: "") + "\"" }

    static func value(_ value: JSON) -> String? {
        switch value {
        case .null: nil
        default: value.displayText.replacing("\0", with: "")
        }
    }
}
