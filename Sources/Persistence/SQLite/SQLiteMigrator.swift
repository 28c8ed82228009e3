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
    }
}
