import Kernel
@testable import Persistence
import TestKit
import Testing

/// What the embedded database alone promises.
@Suite struct SQLiteTests {
    @Test func `the file is kept as the promises need it, and references are kept`() async throws {
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            try await database.write(in: lease.tenant) { tx in try tx.addThing("one") }
            // Checkpoints sync by themselves; commits are synced by `WriteAheadSync`.
            #expect(try database.writerSetting("synchronous") == "1")
            #expect(try database.writerSetting("journal_mode") == "wal")
            #expect(try database.writerSetting("foreign_keys") == "1")
        }
    }

    @Test func `what deleted rows leave empty is given back while others write`() async throws {
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            #expect(try database.writerSetting("auto_vacuum") == "2")
            let large = [UInt8](repeating: 7, count: 40_000)
            func pages() throws -> Int { Int(try database.writerSetting("page_count") ?? "") ?? 0 }
            for number in 0..<200 {
                try await database.write(in: lease.tenant) { tx in
                    try tx.addThing("thing \(number)")
                    try tx.execute("UPDATE things SET content = \(large) WHERE tenant_id = \(tx.tenant) AND name = \("thing \(number)")")
                }
            }
            let full = try pages()
            try await database.write(in: lease.tenant) { tx in _ = try tx.execute("DELETE FROM things WHERE tenant_id = \(tx.tenant)") }
            #expect(try pages() == full, "a deletion alone makes it no smaller")
            async let given = database.giveBackSpace(keptPages: 100)
            for number in 0..<20 { try await database.write(in: lease.tenant) { tx in try tx.addThing("meanwhile \(number)") } }
            #expect(try await given > 6_000_000)
            #expect(try pages() < full / 5)
            #expect(try await database.giveBackSpace(keptPages: 100) == 0)
        }
    }

    @Test func `rows with blobs lie as they came and all others in the order of their key`() {
        func ddl(_ table: Table) -> String { SQLiteSchema.statements(for: .createTable(table))[0] }
        #expect(ddl(Fixtures.notes).hasSuffix("STRICT, WITHOUT ROWID"))
        #expect(ddl(Fixtures.things).hasSuffix("STRICT"))
        #expect(ddl(Table("keyed", .directory, primaryKey: ["hash"], columns: [Column("hash", .blob)])).hasSuffix("WITHOUT ROWID"))
    }

    @Test func `a full disk fails the write that met it, and the database works on`() async throws {
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            let pages = try #require(Int(try database.writerSetting("page_count") ?? ""))
            _ = try database.writerSetting("max_page_count = \(pages + 20)")
            let large = [UInt8](repeating: 7, count: 400_000)
            let outcomes = await withTaskGroup(of: (Int, Bool, (any Error)?).self) { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            try await database.write(in: lease.tenant) { tx in
                                try tx.addThing("thing \(number)")
                                if number == 7 {
                                    try tx.execute("UPDATE things SET content = \(large) WHERE tenant_id = \(tx.tenant) AND name = \("thing 7")")
                                }
                            }
                            return (number, true, nil)
                        } catch {
                            return (number, false, error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let failed = outcomes.filter { !$0.1 }
            #expect(failed.map(\.0) == [7])
            if case .diskFull? = failed.first?.2 as? PersistenceError {} else { Issue.record("\(String(describing: failed.first?.2))") }
            let names = try await database.read(in: lease.tenant) { tx in try tx.names() }
            #expect(Set(names) == Set((0..<20).filter { $0 != 7 }.map { "thing \($0)" }))
        }
    }
}
