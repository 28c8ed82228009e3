/// PostgreSQL's DDL of declared tables, with forced row level security on tenants' tables.
enum PostgresSchema {
    /// The transaction-local setting that names the entered tenant; empty on a pooled connection after use.
    static let tenantSetting = "aias.tenant_id"
    /// The role that serves: owns nothing, is no superuser, cannot bypass row level security.
    static let servingRole = "aias_app"

    static func statements(for operation: Migration.Operation) -> [String] {
        switch operation {
        case .createTable(let table):
            [create(table)] + table.indexes.map { create($0, on: table.name) } + (table.scope == .tenant ? wall(table.name) : [])
                + ["GRANT SELECT, INSERT\(table.isAppendOnly ? "" : ", UPDATE, DELETE") ON \(table.name) TO \(servingRole)"]
        case .addColumn(let table, let column): ["ALTER TABLE \(table) ADD COLUMN \(definition(column))"]
        case .createIndex(let table, let index): [create(index, on: table)]
        case .dropIndex(_, let name): ["DROP INDEX \(name)"]
        case .dropTable(let name): ["DROP TABLE \(name)"]
        case .dropColumn(let table, let column): ["ALTER TABLE \(table) DROP COLUMN \(column)"]
        // Its rows stay under row level security.
        case .takeMarkedRows: []
        }
    }

    private static func create(_ table: Table) -> String {
        var parts = table.columns.map(definition)
        parts.append("PRIMARY KEY (\(table.primaryKey.joined(separator: ", ")))")
        parts += table.foreignKeys.map { key in
            "FOREIGN KEY (\(key.columns.joined(separator: ", "))) REFERENCES \(key.table) (\(key.references.joined(separator: ", "))) "
                + "ON DELETE \(key.onDelete == .cascade ? "CASCADE" : "RESTRICT")"
        }
        parts += table.checks.map { "CHECK (\(SQLText.condition($0)))" }
        return "CREATE TABLE \(table.name) (\(parts.joined(separator: ", ")))"
    }

    private static func create(_ index: Index, on table: String) -> String {
        let condition = index.condition.map { " WHERE \(SQLText.condition($0))" } ?? ""
        return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(index.name) ON \(table) (\(index.columns.joined(separator: ", ")))\(condition)"
    }

    private static func definition(_ column: Column) -> String {
        let type =
            switch column.kind {
            case .integer: "bigint"
            case .timestamp: "timestamptz"
            case .boolean: "boolean"
            case .real: "double precision"
            case .text: "text COLLATE \"C\""
            case .blob: "bytea"
            case .uuid: "uuid"
            }
        let value =
            switch column.defaultValue {
            case .integer(let value): " DEFAULT \(value)"
            case .text(let value): " DEFAULT \(SQLText.quoted(value))"
            case .boolean(let value): " DEFAULT \(value)"
            case nil: ""
            }
        return "\(column.name) \(type)\(column.isOptional ? "" : " NOT NULL")\(value)"
    }

    private static func wall(_ table: String) -> [String] {
        let own = "tenant_id = nullif(current_setting('\(tenantSetting)', true), '')::uuid"
        return [
            "ALTER TABLE \(table) ENABLE ROW LEVEL SECURITY", "ALTER TABLE \(table) FORCE ROW LEVEL SECURITY",
            "CREATE POLICY \(table)_tenant ON \(table) USING (\(own)) WITH CHECK (\(own))"
        ]
    }
}
