/// SQLite's DDL of declared tables: STRICT, so that a value keeps its type, with triggers that guard tenants' rows.
enum SQLiteSchema {
    /// The SQL function that names the tenant a transaction has entered.
    static let tenantFunction = "aias_tenant"

    static func statements(for operation: Migration.Operation) -> [String] {
        switch operation {
        case .createTable(let table):
            [create(table)] + table.indexes.map { create($0, on: table.name) } + (table.scope == .tenant ? guards(table) : [])
                + (table.isAppendOnly ? seals(table.name) : [])
        case .addColumn(let table, let column): ["ALTER TABLE \(table) ADD COLUMN \(definition(column))"]
        case .createIndex(let table, let index): [create(index, on: table)]
        case .dropIndex(_, let name): ["DROP INDEX \(name)"]
        case .dropTable(let name): ["DROP TABLE \(name)"]
        case .dropColumn(let table, let column): ["ALTER TABLE \(table) DROP COLUMN \(column)"]
        case .takeMarkedRows(let table): ["DROP TRIGGER \(table)_guard_insert"]
        }
    }

    /// Rows without blobs lie in the order of the key (WITHOUT ROWID): one tenant's are together and no second tree is kept. Rows with blobs lie
    /// in the order of their arrival: in a key's tree each one over 1,002 bytes takes a page of its own beside it, and random keys such as
    /// hashes touch a page a row (measured with 1,000 bytes: 9,000 rows/s and 4.7 KB a row, against 24,000 and 1.4 KB).
    private static func create(_ table: Table) -> String {
        let isInKeyOrder = table.columns.allSatisfy { $0.kind != .blob || table.primaryKey.contains($0.name) }
        var parts = table.columns.map(definition)
        parts.append("PRIMARY KEY (\(table.primaryKey.joined(separator: ", ")))")
        parts += table.foreignKeys.map { key in
            "FOREIGN KEY (\(key.columns.joined(separator: ", "))) REFERENCES \(key.table) (\(key.references.joined(separator: ", "))) "
                + "ON DELETE \(key.onDelete == .cascade ? "CASCADE" : "RESTRICT")"
        }
        parts += table.checks.map { "CHECK (\(condition($0)))" }
        return "CREATE TABLE \(table.name) (\(parts.joined(separator: ", "))) STRICT\(isInKeyOrder ? ", WITHOUT ROWID" : "")"
    }

    /// SQLite fills a table of its own with the values of an `IN` for every row that is checked, at the price of half an insert.
    private static func condition(_ check: Check) -> String {
        guard case .oneOf(let column, let values) = check else { return SQLText.condition(check) }
        return values.map { "\(column) = \(SQLText.quoted($0))" }.joined(separator: " OR ")
    }

    /// The text of a table that an earlier version made, with checks as they are written now.
    static func renewed(_ text: String, of table: Table) -> String {
        table.checks.reduce(text) { $0.replacing("CHECK (\(SQLText.condition($1)))", with: "CHECK (\(condition($1)))") }
    }

    private static func create(_ index: Index, on table: String) -> String {
        let condition = index.condition.map { " WHERE \(SQLText.condition($0))" } ?? ""
        return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(index.name) ON \(table) (\(index.columns.joined(separator: ", ")))\(condition)"
    }

    private static func definition(_ column: Column) -> String {
        let type =
            switch column.kind {
            case .integer, .timestamp, .boolean: "INTEGER"
            case .real: "REAL"
            case .text: "TEXT"
            case .blob, .uuid: "BLOB"
            }
        let value =
            switch column.defaultValue {
            case .integer(let value): " DEFAULT \(value)"
            case .text(let value): " DEFAULT \(SQLText.quoted(value))"
            case .boolean(let value): " DEFAULT \(value ? 1 : 0)"
            case nil: ""
            }
        let check =
            switch column.kind {
            case .boolean: " CHECK (\(column.name) IN (0, 1))"
            case .uuid: " CHECK (length(\(column.name)) = 16)"
            default: ""
            }
        return "\(column.name) \(type)\(column.isOptional ? "" : " NOT NULL")\(value)\(check)"
    }

    /// Rows of an append-only table stay as they were written.
    private static func seals(_ table: String) -> [String] {
        ["UPDATE", "DELETE"].map { verb in
            "CREATE TRIGGER \(table)_seal_\(verb.lowercased()) BEFORE \(verb) ON \(table) BEGIN SELECT RAISE(ABORT, 'rows of \(table) are written once'); END"
        }
    }

    /// A write to a row of another tenant than the entered one fails, whatever the statement says. What is inserted into a table of marked rows is
    /// right by how its statements are put together.
    private static func guards(_ table: Table) -> [String] {
        let name = table.name
        let refuse = "BEGIN SELECT RAISE(ABORT, 'a row of another tenant'); END"
        let insert = "CREATE TRIGGER \(name)_guard_insert BEFORE INSERT ON \(name) WHEN NEW.tenant_id IS NOT \(tenantFunction)() \(refuse)"
        return (table.takesMarkedRows ? [] : [insert]) + [
            "CREATE TRIGGER \(name)_guard_update BEFORE UPDATE ON \(name) "
                + "WHEN OLD.tenant_id IS NOT \(tenantFunction)() OR NEW.tenant_id IS NOT \(tenantFunction)() \(refuse)",
            "CREATE TRIGGER \(name)_guard_delete BEFORE DELETE ON \(name) WHEN OLD.tenant_id IS NOT \(tenantFunction)() \(refuse)"
        ]
    }
}

/// Text that both drivers write alike.
enum SQLText {
    static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

    static func condition(_ check: Check) -> String {
        switch check {
        case .oneOf(let column, let values): "\(column) IN (\(values.map(quoted).joined(separator: ", ")))"
        case .atLeast(let column, let bound): "\(column) >= \(bound)"
        case .atMost(let column, let bound): "\(column) <= \(bound)"
        case .notAbove(let left, let right): "\(left) IS NULL OR \(right) IS NULL OR \(left) <= \(right)"
        }
    }

    static func condition(_ condition: Index.Condition) -> String {
        switch condition {
        case .equals(let column, let text): "\(column) = \(quoted(text))"
        case .isNull(let column): "\(column) IS NULL"
        case .isNotNull(let column): "\(column) IS NOT NULL"
        case .differs(let column, let text): "\(column) <> \(quoted(text))"
        case .all(let conditions): conditions.map { Self.condition($0) }.joined(separator: " AND ")
        }
    }
}
