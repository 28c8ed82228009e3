internal import GRDBSQLite
internal import Kernel

/// A database in memory with a table for each list of objects: columns by their members, in the order they come up, and a row for each object
/// whose `rowid` is its place, from 1. Nested values lie as JSON, booleans as 0 and 1.
final class SQLTables {
    struct Shape {
        var name: String
        var columns: [String]
        var isEmpty: Bool
    }

    /// The only column of a table without any; it is never given out.
    static let placeholder = "aias_nothing"
    /// SQLite's own maximum of columns in a table.
    static let columnsMaximum = 2_000

    let database: OpaquePointer
    private(set) var shapes: [Shape] = []
    /// Nested values by the text that stands for them.
    private(set) var nested: [String: JSON] = [:]

    init() throws {
        var opened: OpaquePointer?
        guard sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK, let opened
        else { throw Fault("internal", "no database can be opened in memory") }
        database = opened
        try execute("PRAGMA temp_store = MEMORY")
        _ = sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0)
        SQLFunctions.add(to: database)
    }

    deinit { sqlite3_close_v2(database) }

    var message: String { String(cString: sqlite3_errmsg(database)) }

    func add(_ name: String, _ rows: [JSON]) throws {
        var columns: [String] = []
        var places: [String: Int] = [:]
        var types: [Set<String>] = []
        for row in rows {
            for (key, value) in row.object ?? [:] {
                let folded = SQLTables.folded(key)
                let place = places[folded] ?? columns.count
                if place == columns.count {
                    guard columns.count < Self.columnsMaximum else {
                        throw Fault("sql", "\(name) has more than \(Self.columnsMaximum) different fields, more than a table can have: keep fewer.")
                    }
                    places[folded] = place
                    columns.append(key)
                    types.append([])
                }
                guard columns[place] == key else {
                    throw Fault(
                        "sql", "The fields '\(columns[place])' and '\(key)' of \(name) differ in case only; SQL takes them for one: rename one.")
                }
                if let type = SQLTables.type(of: value) { types[place].insert(type) }
            }
        }
        let declared = zip(columns, types).map { column, types in SQLTables.quoted(column) + (types.count == 1 ? " \(types.first!)" : "") }
        try execute("CREATE TABLE \(name) (\((declared.isEmpty ? [Self.placeholder] : declared).joined(separator: ", ")))")
        shapes.append(Shape(name: name, columns: columns, isEmpty: rows.isEmpty))
        try insert(rows, name, columns)
    }

    /// Gives the tables without rows this column, since nobody can know what columns they would have.
    /// - Returns: whether any lacked it.
    func grow(_ column: String) throws -> Bool {
        var grown = false
        for index in shapes.indices where shapes[index].isEmpty {
            guard !shapes[index].columns.contains(where: { SQLTables.folded($0) == SQLTables.folded(column) }) else { continue }
            guard shapes[index].columns.count < 100 else { continue }
            try execute("ALTER TABLE \(shapes[index].name) ADD COLUMN \(SQLTables.quoted(column))")
            shapes[index].columns.append(column)
            grown = true
        }
        return grown
    }

    /// The name under which a table's row numbers can be asked for: a field may have taken one.
    func rowNumber(of shape: Shape) -> String? {
        let taken = Set(shape.columns.map(SQLTables.folded))
        return ["rowid", "_rowid_", "oid"].first { !taken.contains($0) }
    }

    private func insert(_ rows: [JSON], _ name: String, _ columns: [String]) throws {
        guard !rows.isEmpty else { return }
        let marks = columns.isEmpty ? "DEFAULT VALUES" : "VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, "INSERT INTO \(name) \(marks)", -1, &statement, nil) == SQLITE_OK else { throw Fault("internal", message) }
        defer { sqlite3_finalize(statement) }
        try execute("BEGIN")
        for row in rows {
            for (index, column) in columns.enumerated() { bind(row[column], statement, Int32(index + 1)) }
            guard sqlite3_step(statement) == SQLITE_DONE else { throw Fault("sql", "\(name) cannot be filled: \(message)") }
            sqlite3_reset(statement)
        }
        try execute("COMMIT")
    }

    private func bind(_ value: JSON?, _ statement: OpaquePointer?, _ index: Int32) {
        switch value {
        case .null?, nil: sqlite3_bind_null(statement, index)
        case .bool(let flag)?: sqlite3_bind_int64(statement, index, flag ? 1 : 0)
        case .number(let number)?:
            guard let whole = value?.integer else { return _ = sqlite3_bind_double(statement, index, number) }
            sqlite3_bind_int64(statement, index, Int64(whole))
        case .string(let text)?: bind(text, statement, index)
        case .array?, .object?:
            let text = value?.serialized ?? ""
            nested[text] = value
            bind(text, statement, index)
        }
    }

    private func bind(_ text: String, _ statement: OpaquePointer?, _ index: Int32) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                _ = sqlite3_bind_text(statement, index, characters.baseAddress, Int32(characters.count), SQLFunctions.copied)
            }
        }
    }

    private func execute(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw Fault("internal", message) }
    }

    /// What a column that holds only such values is declared as: numbers then compare with texts as in JavaScript.
    private static func type(of value: JSON) -> String? {
        switch value {
        case .null: nil
        case .bool: "BOOLEAN"
        case .number: "NUMERIC"
        case .string, .array, .object: "TEXT"
        }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// As SQLite compares names: the letters of ASCII without case.
    static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
