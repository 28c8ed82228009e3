internal import GRDB
internal import GRDBSQLite

extension GRDB.Database {
    /// BEGIN, SAVEPOINT and the like, prepared once a connection: a group runs two of them for each member.
    func control(_ text: String) throws {
        let statement = try cachedStatement(sql: text).sqliteStatement
        defer { sqlite3_reset(statement) }
        guard sqlite3_step(statement) == SQLITE_DONE else { throw SQLiteFailure.error(of: sqliteConnection) }
    }
}
