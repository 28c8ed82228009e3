import Kernel
import Persistence
import TestKit

enum Thing {}

/// Tables of every scope and every type of column.
enum Fixtures {
    static let things = Table(
        "things", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("name", .text), Column("count", .integer), Column("ratio", .real, optional: true),
            Column("content", .blob, optional: true), Column("at", .timestamp, optional: true), Column("is_good", .boolean, optional: true)
        ],
        indexes: [Index("things_name", on: ["tenant_id", "name"], unique: true)], checks: [.atLeast(column: "count", 0)])
    static let notes = Table("notes", .directory, primaryKey: ["id"], columns: [Column("id", .uuid), Column("words", .text)])
    static let tables = [things, notes]
    static let migrations = [Migration("fixtures.0001", tables.map { .createTable($0) })]
}

func withFixtures(_ engine: DatabaseEngine, _ body: (DatabaseLease) async throws -> Void) async throws {
    try await withDatabase(engine, tables: Fixtures.tables, migrations: Fixtures.migrations, body)
}

extension TenantTransaction {
    func addThing(_ name: String, count: Int = 0) throws {
        let id: ID<Thing> = ids.next()
        try execute("INSERT INTO things (tenant_id, id, name, count) VALUES (\(tenant), \(id), \(name), \(count))")
    }

    func names() throws -> [String] {
        try all("SELECT name FROM things WHERE tenant_id = \(tenant) ORDER BY name") { try $0.column(0) }
    }
}
