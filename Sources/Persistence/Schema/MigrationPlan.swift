/// What of a list of migrations is still to run in a database that has run some.
enum MigrationPlan {
    /// - Throws: `PersistenceError.schema` where the database is newer than the program or a migration was edited after it ran.
    static func pending(_ migrations: [Migration], done: [String: String]) throws -> [Migration] {
        let known = Set(migrations.map(\.id))
        precondition(known.count == migrations.count, "two migrations share an id")
        if let newer = done.keys.filter({ !known.contains($0) }).min() {
            throw PersistenceError.schema(
                "The database has run \(newer), which this program does not know: it belongs to a newer version. Run that one.")
        }
        for migration in migrations {
            if let checksum = done[migration.id], checksum != migration.checksum {
                throw PersistenceError.schema(
                    "The migration \(migration.id) is not the one that ran here; a migration is never edited once it has run.")
            }
        }
        return migrations.filter { done[$0.id] == nil }
    }
}
