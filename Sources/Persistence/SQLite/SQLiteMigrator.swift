internal import GRDB
internal import Kernel

/// Runs what has not run, and refuses what does not fit what ran before.
struct SQLiteMigrator {
    let connection: GRDB.Database

    func run(_ migrations: [Migration]) throws {
        try connection.execute(
            sql: "CREATE TABLE IF NOT EXISTS schema_migrations (id TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL) STRICT, WITHOUT ROWID")
        let rows = try GRDB.Row.fetchAll(connection, sql: "SELECT id, checksum FROM schema_migrations")
        var done: [String: String] = [:]
        for row in rows { done[row["id"]] = row["checksum"] }
        let pending = try MigrationPlan.pending(migrations, done: done)
        for migration in pending {
            for operation in migration.operations {
                for statement in SQLiteSchema.statements(for: operation) { try connection.execute(sql: statement) }
            }
            try connection.execute(sql: "INSERT INTO schema_migrations (id, checksum) VALUES (?, ?)", arguments: [migration.id, migration.checksum])
        }
        try renewChecks(of: SchemaRegistry.fold(migrations))
    }

    /// Writes checks anew that an earlier version wrote in another way. They say the same, so that no row has to be looked at: SQLite's procedure for
    /// changes that leave what is stored as it is (https://www.sqlite.org/lang_altertable.html, section 7).
    private func renewChecks(of tables: [String: Table]) throws {
        var renewed: [(name: String, text: String)] = []
        for row in try GRDB.Row.fetchAll(connection, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL") {
            let (name, text): (String, String) = (row["name"], row["sql"])
            guard let table = tables[name] else { continue }
            let new = SQLiteSchema.renewed(text, of: table)
            if new != text { renewed.append((name, new)) }
        }
        guard !renewed.isEmpty else { return }
        let version = try Int.fetchOne(connection, sql: "PRAGMA schema_version") ?? 0
        try connection.execute(sql: "PRAGMA writable_schema = ON")
        for (name, text) in renewed {
            try connection.execute(sql: "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", arguments: [text, name])
        }
        try connection.execute(sql: "PRAGMA schema_version = \(version + 1)")
        // The connection reads what was written; a text that is no table would fail here, and undo it.
        try connection.execute(sql: "PRAGMA writable_schema = RESET")
        for (name, _) in renewed { _ = try GRDB.Row.fetchOne(connection, sql: "SELECT 1 FROM \(name) LIMIT 1") }
    }
}
