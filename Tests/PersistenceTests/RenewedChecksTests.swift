import GRDB
import Kernel
@testable import Persistence
import TestKit
import Testing

/// What becomes of a file whose tables an earlier version made.
@Suite struct RenewedChecksTests {
    @Test func `checks that an earlier version wrote are written anew, and say the same`() async throws {
        let table = Persistence.Table(
            "states", .directory, primaryKey: ["id"], columns: [Persistence.Column("id", .uuid), Persistence.Column("state", .text)],
            checks: [.oneOf(column: "state", values: ["new", "it's old"]), .oneOf(column: "state", values: ["new", "it's old", "other"])])
        let migrations = [Persistence.Migration("test.0001", [.createTable(table)])]
        try await withDatabase(.sqlite, tables: [table], migrations: migrations) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            let ids = IDs(clock: .system)
            func text() throws -> String {
                try database.pool.read { try String.fetchOne($0, sql: "SELECT sql FROM sqlite_schema WHERE name = 'states'") ?? "" }
            }
            func add(_ state: String) async throws {
                let id: ID<Thing> = ids.next()
                try await database.writeDirectory { tx in _ = try tx.execute("INSERT INTO states (id, state) VALUES (\(id), \(state))") }
            }
            let current = try text()
            let checks = "CHECK (state IN ('new', 'it''s old')), CHECK (state IN ('new', 'it''s old', 'other'))"
            let earlier = current.replacing(
                "CHECK (state = 'new' OR state = 'it''s old'), CHECK (state = 'new' OR state = 'it''s old' OR state = 'other')", with: checks)
            #expect(earlier.contains(checks) && !current.contains(" IN "))
            try await database.pool.writeWithoutTransaction { connection in
                try connection.execute(sql: "DROP TABLE states")
                try connection.execute(sql: earlier)
            }
            try await add("new")
            #expect(try text() == earlier)
            try database.migrate(PersistenceModule.migrations + migrations)
            #expect(try text() == current)
            try await add("it's old")
            await #expect(throws: Persistence.PersistenceError.self) { try await add("other") }
            let found = try await database.readDirectory { tx in try tx.all("SELECT state FROM states") { try $0.column(0, as: String.self) } }
            #expect(Set(found) == ["new", "it's old"])
            #expect(try database.writerSetting("integrity_check") == "ok")
            try database.migrate(PersistenceModule.migrations + migrations)
            #expect(try text() == current)
        }
    }
}
