internal import GRDB
internal import GRDBSQLite

/// SQLite's result codes in the words of `PersistenceError`.
enum SQLiteFailure {
    static func error(of connection: OpaquePointer?) -> PersistenceError {
        let message = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "unknown"
        return error(code: sqlite3_extended_errcode(connection), message: message)
    }

    static func error(_ error: DatabaseError) -> PersistenceError {
        self.error(code: error.extendedResultCode.rawValue, message: error.message ?? "unknown")
    }

    private static func error(code: CInt, message: String) -> PersistenceError {
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: .constraint(kind: kind(code), constraint: constraint(in: message), message: message)
        case SQLITE_FULL: .diskFull("The disk is full: make room and try again. Nothing of this change was written.")
        case SQLITE_BUSY, SQLITE_LOCKED: .locked("Another process holds the database: \(message)")
        case SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_READONLY: .unavailable("The database file cannot be used: \(message)")
        default: .driver(code: "SQLITE_\(code)", message: message)
        }
    }

    private static func kind(_ code: CInt) -> PersistenceError.ConstraintKind {
        switch code {
        case SQLITE_CONSTRAINT | 8 << 8, SQLITE_CONSTRAINT | 6 << 8, SQLITE_CONSTRAINT | 10 << 8: .unique
        case SQLITE_CONSTRAINT | 3 << 8: .foreignKey
        case SQLITE_CONSTRAINT | 5 << 8: .notNull
        case SQLITE_CONSTRAINT | 1 << 8: .check
        default: .other
        }
    }

    /// "UNIQUE constraint failed: users.email" names the columns.
    private static func constraint(in message: String) -> String? {
        message.split(separator: ": ", maxSplits: 1).dropFirst().first.map(String.init)
    }
}
