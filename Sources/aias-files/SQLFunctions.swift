internal import GRDBSQLite
internal import Kernel

/// Functions that queries written for n8n use and SQLite does not have, or has only in later versions than Debian's.
enum SQLFunctions {
    /// SQLite makes its own copy of what it is given.
    static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    static func add(to database: OpaquePointer) {
        add(database, "if", 3) { context, _, values in
            guard let values else { return }
            let isText = sqlite3_value_type(values[0]) == SQLITE_TEXT
            let holds = isText ? sqlite3_value_bytes(values[0]) > 0 : sqlite3_value_double(values[0]) != 0
            sqlite3_result_value(context, holds ? values[1] : values[2])
        }
        add(database, "concat", -1) { context, count, values in
            SQLFunctions.give(context, (0..<Int(count)).compactMap { SQLFunctions.text(values?[$0]) }.joined())
        }
        add(database, "concat_ws", -1) { context, count, values in
            guard count > 0, let separator = SQLFunctions.text(values?[0]) else { return }
            SQLFunctions.give(context, (1..<max(1, Int(count))).compactMap { SQLFunctions.text(values?[$0]) }.joined(separator: separator))
        }
        add(database, "len", 1) { context, _, values in
            if let text = SQLFunctions.text(values?[0]) { sqlite3_result_int64(context, Int64(text.utf16.count)) }
        }
        add(database, "ucase", 1) { context, _, values in
            if let text = SQLFunctions.text(values?[0]) { SQLFunctions.give(context, text.uppercased()) }
        }
        add(database, "lcase", 1) { context, _, values in
            if let text = SQLFunctions.text(values?[0]) { SQLFunctions.give(context, text.lowercased()) }
        }
    }

    private typealias Function = @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void

    private static func add(_ database: OpaquePointer, _ name: String, _ count: Int32, _ function: @escaping Function) {
        _ = sqlite3_create_function_v2(database, name, count, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nil, function, nil, nil, nil)
    }

    /// Numbers as JavaScript writes them; nil for NULL.
    private static func text(_ value: OpaquePointer?) -> String? {
        switch sqlite3_value_type(value) {
        case SQLITE_NULL: return nil
        case SQLITE_FLOAT: return JSON.number(sqlite3_value_double(value)).serialized
        default: return sqlite3_value_text(value).map { String(cString: $0) }
        }
    }

    private static func give(_ context: OpaquePointer?, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                sqlite3_result_text(context, characters.baseAddress, Int32(characters.count), SQLFunctions.copied)
            }
        }
    }
}
