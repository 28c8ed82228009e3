internal import GRDBSQLite
internal import Glibc
internal import Kernel

/// Answers one SELECT over lists of objects, in a database in memory that nothing else can be read from or written to.
///
/// Request: `query`, `maximum_rows`, `result_bytes`, and a file for each table, named as it: a JSON array of objects.
/// Answer: `{rows: [object, …]}`, and where each row can be traced, `lineage: [[[table, place], …], …]`, both from 0.
struct SQLQuery {
    /// Steps of SQLite's machine: some seconds. A second limit on the clock holds for steps that are long themselves.
    static let stepsMaximum = 400_000_000
    static let secondsMaximum = 20
    /// Of the query's text and of one value.
    static let textMaximum: Int32 = 100_000
    static let valueMaximum: Int32 = 32 << 20
    /// What is told of a table where the query is at fault.
    static let columnsNamed = 40
    private static let aggregates: Set<String> = [
        "COUNT", "SUM", "AVG", "MIN", "MAX", "TOTAL", "GROUP_CONCAT", "JSON_GROUP_ARRAY", "JSON_GROUP_OBJECT"
    ]

    private let tables: SQLTables
    private let text: SQLText
    private let rowsMaximum: Int
    private let bytesMaximum: Int

    static func answer(_ request: Wire.Message) throws -> Wire.Message {
        let tables = try SQLTables()
        for file in request.files { try tables.add(file.name, try JSON(parsing: file.bytes).array ?? []) }
        let query = SQLQuery(
            tables: tables, text: SQLText(request.text("query")), rowsMaximum: request.head["maximum_rows"]?.integer ?? 0,
            bytesMaximum: request.head["result_bytes"]?.integer ?? 0)
        return Wire.Message(head: try query.answer())
    }

    private func answer() throws -> JSONObject {
        _ = sqlite3_limit(tables.database, SQLITE_LIMIT_SQL_LENGTH, Self.textMaximum)
        _ = sqlite3_limit(tables.database, SQLITE_LIMIT_LENGTH, Self.valueMaximum)
        let (statement, traced) = try prepared()
        defer { sqlite3_finalize(statement) }
        let budget = UnsafeMutablePointer<SQLBudget>.allocate(capacity: 1)
        budget.initialize(to: SQLBudget(steps: Self.stepsMaximum, until: time(nil) + Self.secondsMaximum))
        defer { budget.deallocate() }
        sqlite3_progress_handler(
            tables.database, Int32(SQLBudget.between), { $0?.assumingMemoryBound(to: SQLBudget.self).pointee.spend() ?? 1 }, budget)
        return try rows(of: statement, traced)
    }

    // MARK: The statement

    /// - Returns: the statement, and the tables whose row numbers are its last columns.
    private func prepared() throws -> (OpaquePointer, [Int]) {
        let plain = try prepare(text.bytes)
        guard let place = text.endOfColumns, !text.calls(Self.aggregates) || text.has(["GROUP"]) else { return (plain, []) }
        let order = Dictionary(text.words.enumerated().map { ($1.text, $0) }) { first, _ in first }
        let candidates = tables.shapes.indices.filter { order[tables.shapes[$0].name.uppercased()] != nil }
            .sorted { order[tables.shapes[$0].name.uppercased()]! < order[tables.shapes[$1].name.uppercased()]! }
        let traced = candidates.filter { candidate in
            guard let statement = try? prepare(with([candidate], at: place)) else { return false }
            sqlite3_finalize(statement)
            return true
        }
        guard !traced.isEmpty, let statement = try? prepare(with(traced, at: place)) else { return (plain, []) }
        sqlite3_finalize(plain)
        return (statement, traced)
    }

    private func with(_ traced: [Int], at place: Int) -> [UInt8] {
        let columns = traced.compactMap { index in tables.rowNumber(of: tables.shapes[index]).map { ", \(tables.shapes[index].name).\($0)" } }
        guard columns.count == traced.count else { return [] }
        return text.bytes[..<place] + Array((columns.joined() + " ").utf8) + text.bytes[place...]
    }

    private func prepare(_ query: [UInt8]) throws -> OpaquePointer {
        while true {
            sqlite3_set_authorizer(tables.database, { _, action, _, name, _, _ in SQLQuery.permits(action, name) ? SQLITE_OK : SQLITE_DENY }, nil)
            var statement: OpaquePointer?
            var rest = ""
            let code = query.withUnsafeBytes { raw -> Int32 in
                let characters = raw.bindMemory(to: CChar.self)
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v2(tables.database, characters.baseAddress, Int32(characters.count), &statement, &tail)
                if let tail, let base = characters.baseAddress { rest = String(decoding: raw[(tail - base)...], as: UTF8.self) }
                return code
            }
            if code == SQLITE_OK, let statement {
                guard SQLText(rest).words.isEmpty else {
                    sqlite3_finalize(statement)
                    throw Fault("sql", "There is more than one query; write one SELECT.")
                }
                guard sqlite3_column_count(statement) > 0, sqlite3_stmt_readonly(statement) != 0 else {
                    sqlite3_finalize(statement)
                    throw fault(SQLITE_AUTH)
                }
                return statement
            }
            guard code != SQLITE_OK else {
                throw Fault("sql", "The query is empty; write a SELECT over \(tables.shapes.map(\.name).joined(separator: ", ")).")
            }
            guard try growsMissing() else { throw fault(code) }
        }
    }

    /// A query that names a field of an input without items is as good as any other.
    private func growsMissing() throws -> Bool {
        let missing = "no such column: "
        guard tables.message.hasPrefix(missing) else { return false }
        let name = tables.message.dropFirst(missing.count)
        sqlite3_set_authorizer(tables.database, nil, nil)
        return try tables.grow(String(name.split(separator: ".").last ?? name))
    }

    /// Reading, and functions that stay within the database.
    private static func permits(_ action: Int32, _ name: UnsafePointer<CChar>?) -> Bool {
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: true
        case SQLITE_FUNCTION: !["load_extension", "fts3_tokenizer"].contains(name.map { String(cString: $0).lowercased() } ?? "")
        default: false
        }
    }

    // MARK: The rows

    private func rows(of statement: OpaquePointer, _ traced: [Int]) throws -> JSONObject {
        let width = Int(sqlite3_column_count(statement)) - traced.count
        let names = (0..<width).map { index in
            String(cString: sqlite3_column_name(statement, Int32(index))).split(separator: SQLText.division, omittingEmptySubsequences: false)
                .joined(separator: "/")
        }
        let isBoolean = (0..<width).map { index in sqlite3_column_decltype(statement, Int32(index)).map { String(cString: $0) } == "BOOLEAN" }
        var made: [(row: JSON, places: [Int?])] = []
        var byteCount = 0
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw fault(code) }
            guard made.count < rowsMaximum else { throw Fault("sql", "The query gives more than \(rowsMaximum) rows; add a condition or a LIMIT.") }
            var row = JSONObject()
            for (index, name) in names.enumerated() where name != SQLTables.placeholder {
                let value = value(statement, Int32(index), isBoolean: isBoolean[index], &byteCount)
                // Of fields with one name the last has its say, where it has anything to say.
                if !value.isNull || row[name] == nil { row[name] = value }
            }
            byteCount += 16 * width
            guard byteCount <= bytesMaximum else {
                throw Fault("sql", "The query gives more than \(bytesMaximum >> 20) MB; select fewer fields or rows.")
            }
            made.append((.object(row), traced.indices.map { place(statement, Int32(width + $0)) }))
        }
        guard !traced.isEmpty else { return ["rows": .array(made.map(\.row))] }
        // SQLite goes through tables in an order of its own; where none is asked for it is that of the items.
        if !text.has(["ORDER", "GROUP", "LIMIT"]) {
            made.sort { $0.places.map { $0 ?? Int.max }.lexicographicallyPrecedes($1.places.map { $0 ?? Int.max }) }
        }
        let lineage = made.map { row -> JSON in
            .array(zip(traced, row.places).compactMap { table, place in place.map { [.number(Double(table)), .number(Double($0))] } })
        }
        return ["rows": .array(made.map(\.row)), "lineage": .array(lineage)]
    }

    private func place(_ statement: OpaquePointer, _ index: Int32) -> Int? {
        sqlite3_column_type(statement, index) == SQLITE_NULL ? nil : Int(sqlite3_column_int64(statement, index)) - 1
    }

    private func value(_ statement: OpaquePointer, _ index: Int32, isBoolean: Bool, _ byteCount: inout Int) -> JSON {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER:
            let whole = sqlite3_column_int64(statement, index)
            return isBoolean && (whole == 0 || whole == 1) ? .bool(whole == 1) : .number(Double(whole))
        case SQLITE_FLOAT:
            let number = sqlite3_column_double(statement, index)
            return number.isFinite ? .number(number) : .null
        default:
            let bytes = UnsafeBufferPointer(start: sqlite3_column_text(statement, index), count: Int(sqlite3_column_bytes(statement, index)))
            byteCount += bytes.count
            let text = String(decoding: bytes, as: UTF8.self)
            return tables.nested[text] ?? .string(text)
        }
    }

    private func fault(_ code: Int32) -> Fault {
        switch code & 0xFF {
        case _ where tables.message.hasPrefix("not authorized"), SQLITE_AUTH:
            return Fault("sql", "A query may only read the inputs: write one SELECT.")
        case SQLITE_INTERRUPT: return Fault("sql", "The query takes too long: join by fields with '=', or bring fewer items.")
        case SQLITE_NOMEM: return Fault("sql", "The query takes too much memory: select fewer fields, or bring fewer items.")
        default:
            let known = tables.shapes.map { shape in
                let names = shape.columns.prefix(Self.columnsNamed).joined(separator: ", ")
                return "\(shape.name) (\(shape.columns.count > Self.columnsNamed ? names + ", …" : names))"
            }
            return Fault("sql", "The query cannot be run: \(tables.message). There are: \(known.joined(separator: ", ")).")
        }
    }
}

/// What a query may still use.
struct SQLBudget {
    /// Steps between two looks.
    static let between = 10_000
    var steps: Int
    var until: Int

    /// - Returns: 0 to go on.
    mutating func spend() -> Int32 {
        steps -= SQLBudget.between
        return steps > 0 && time(nil) <= until ? 0 : 1
    }
}
