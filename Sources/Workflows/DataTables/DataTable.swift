package import Kernel

package enum DataTableTag {}
package typealias DataTableID = ID<DataTableTag>

/// A table of the tenant's own, which workflows read and write.
package struct DataTable: Sendable, Hashable {
    package enum ColumnType: String, Sendable, Hashable, CaseIterable {
        case string, number, boolean, date
    }

    package struct Column: Sendable, Hashable {
        package var name: String
        package var type: ColumnType
        package init(_ name: String, _ type: ColumnType) {
            self.name = name
            self.type = type
        }
    }

    package var id: DataTableID
    package var name: String
    package var columns: [Column]
    package var rowCount: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Of its rows, counted among what the tenant stores; nil for a table from before they were, until it is changed.
    var byteCount: Int?

    package func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// Columns that every table has, which nobody writes.
    static let own: [Column] = [Column("id", .number), Column("createdAt", .date), Column("updatedAt", .date)]
}

/// One row: its number within the table, and a value for each column that has one.
package struct DataTableRow: Sendable, Hashable {
    package var id: Int
    package var values: JSONObject
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// As workflows see it: every column, null where there is no value.
    func json(_ table: DataTable) -> JSONObject {
        var members: JSONObject = ["id": .number(Double(id)), "createdAt": .string(Self.iso(createdAt)), "updatedAt": .string(Self.iso(updatedAt))]
        for column in table.columns { members[column.name] = values[column.name] ?? .null }
        return members
    }

    static func iso(_ time: Timestamp) -> String { String(time.description.dropLast(4)) + "Z" }
}

extension DataTable {
    /// - Throws: `bad_name` for a name that cannot stand in a page or an expression, or is one of a table's own.
    static func checkedColumns(_ columns: [Column]) throws -> [Column] {
        guard columns.count <= Limits.columnsPerDataTable else {
            throw Refusal.invalid("columns", "too_many", "A table has at most \(Limits.columnsPerDataTable) columns.")
        }
        var seen: Set<String> = []
        for column in columns {
            let isName = column.name.utf8.count <= Limits.dataTableNameLength && column.name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_]*/#) != nil
            guard isName, !own.contains(where: { $0.name.lowercased() == column.name.lowercased() }) else {
                throw Refusal.invalid(
                    "columns", "bad_name", "'\(column.name)' is no name of a column: letters, digits and _, and not id, createdAt or updatedAt.")
            }
            guard seen.insert(column.name.lowercased()).inserted else {
                throw Refusal.invalid("columns", "name_taken", "There is a column '\(column.name)' already.")
            }
        }
        return columns
    }

    /// The values of a row, each of its column's type; null clears a value.
    /// - Throws: `unknown_column`, `wrong_type`, `too_long`.
    func checked(_ values: JSONObject) throws -> JSONObject {
        var checked = JSONObject()
        for (name, value) in values {
            guard let column = column(name) else {
                throw Refusal.invalid(name, "unknown_column", "The table \(self.name) has no column '\(name)'.")
            }
            checked[name] = try DataTable.checked(value, column)
        }
        guard JSON.object(checked).bytes.count <= Limits.dataTableRowBytes else {
            throw Refusal.invalid("values", "too_long", "A row has at most \(Limits.dataTableRowBytes) bytes.")
        }
        return checked
    }

    private static func checked(_ value: JSON, _ column: Column) throws -> JSON {
        if value.isNull { return .null }
        switch column.type {
        case .string: return .string(value.displayText)
        case .number:
            if value != "", value.array == nil, value.object == nil, value.coercedNumber.isFinite, value.boolean == nil {
                return .number(value.coercedNumber)
            }
        case .boolean:
            switch value {
            case .bool: return value
            case "true", 1: return true
            case "false", 0: return false
            default: break
            }
        case .date: if let time = LooseTime.parse(value, timeZone: "UTC") { return .string(DataTableRow.iso(time)) }
        }
        throw Refusal.invalid(
            column.name, "wrong_type", "'\(value.displayText.prefix(100))' is no \(column.type.rawValue), which the column \(column.name) holds.")
    }
}

extension Limits {
    package static let dataTablesPerTenant = 500
    package static let columnsPerDataTable = 200
    package static let rowsPerDataTable = 50_000
    package static let dataTableNameLength = 63
    package static let dataTableRowBytes = 64 << 10
    /// Of all rows of a table: a filter has them in memory.
    package static let dataTableBytes = 64 << 20
    /// Rows that are read at once.
    package static let rowsPerDataTableCall = 50_000
    /// Rows that one step or request gets, for all its items.
    package static let rowsPerDataTableStep = 100_000
    /// Values that one step or request compares with others.
    package static let comparisonsPerDataTableStep = 20_000_000
}
