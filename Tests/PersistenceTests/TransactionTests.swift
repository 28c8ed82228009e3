import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

/// What a transaction may be used for, and by whom.
@Suite struct TransactionTests {
    private func isUnscoped(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return false
        } catch PersistenceError.unscoped {
            return true
        } catch {
            return false
        }
    }

    @Test(arguments: [1, 2, 64, 126, 127, 128, 129, 200]) func `many values at once are bound as each by itself`(count: Int) {
        let values: [SQLValue] = (0..<count).map { .integer(Int64($0)) }
        let (together, rows): (SQL, SQL) = ("SELECT \(1), \(values: values), \(2)", "VALUES \(rows: [values, values])")
        #expect(together.text == "SELECT " + (1...count + 2).map { "?\($0)" }.joined(separator: ", "))
        #expect(together.values == [.integer(1)] + values + [.integer(2)])
        let first = (1...count).map { "?\($0)" }.joined(separator: ", ")
        #expect(rows.text == "VALUES (\(first)), (" + (count + 1...count * 2).map { "?\($0)" }.joined(separator: ", ") + ")")
        #expect(rows.values == values + values)
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `two tenants' transactions may take turns within one`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let names = try await lease.database.writeDirectory { tx in
                let first = try tx.tenant(lease.tenant)
                let second = try tx.tenant(lease.other)
                try first.addThing("a")
                try second.addThing("b")
                try first.addThing("c")
                return [try first.names(), try second.names()]
            }
            #expect(names == [["a", "c"], ["b"]])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant's mark is of no use in another transaction`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let stolen = try await lease.database.read(in: lease.tenant) { tx in tx.tenant }
            #expect(
                await isUnscoped {
                    _ = try await lease.database.read(in: lease.other) { tx in try tx.all("SELECT name FROM things WHERE tenant_id = \(stolen)") }
                })
            #expect(
                await isUnscoped {
                    _ = try await lease.database.writeDirectory { tx in
                        let both = (try tx.tenant(lease.tenant), try tx.tenant(lease.other))
                        try both.0.execute(
                            "UPDATE things SET count = 1 WHERE tenant_id = \(both.0.tenant) AND id IN (SELECT id FROM things WHERE tenant_id = \(both.1.tenant))"
                        )
                    }
                })
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a join of a table with itself needs a mark for each side`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            #expect(
                await isUnscoped {
                    _ = try await lease.database.read(in: lease.tenant) { tx in
                        try tx.all("SELECT b.name FROM things a JOIN THINGS b ON b.count = a.count WHERE a.tenant_id = \(tx.tenant)")
                    }
                })
            _ = try await lease.database.read(in: lease.tenant) { tx in
                try tx.all(
                    "SELECT b.name FROM things a JOIN things b ON b.count = a.count AND b.tenant_id = \(tx.tenant) WHERE a.tenant_id = \(tx.tenant)")
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a transaction that a closure let out is over`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let escaped = Escaped()
            try await lease.database.write(in: lease.tenant) { tx in escaped.keep(tx) }
            #expect(throws: PersistenceError.self) { try escaped.use() }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a read neither writes nor sees what is not committed`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            await #expect(throws: PersistenceError.self) { try await lease.database.read(in: lease.tenant) { tx in try tx.addThing("no") } }
            try await lease.database.write(in: lease.tenant) { tx in try tx.addThing("yes") }
            #expect(try await lease.database.read(in: lease.tenant) { tx in try tx.names() } == ["yes"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `an event is in the outbox exactly where its change is`(_ engine: DatabaseEngine) async throws {
        struct Stop: Error {}
        try await withFixtures(engine) { lease in
            try await lease.database.write(in: lease.tenant) { tx in
                try tx.addThing("kept")
                try tx.emit(ThingMade(name: "kept"))
            }
            _ = try? await lease.database.write(in: lease.tenant) { tx in
                try tx.emit(ThingMade(name: "lost"))
                throw Stop()
            }
            let rows = try await lease.database.readSystem { tx in try tx.all("SELECT tenant_id, name, version, subject, payload FROM outbox_events")
            }
            #expect(rows.count == 1)
            #expect(try rows[0].column(0, as: TenantID?.self) == lease.tenant)
            #expect(try rows[0].column(1, as: String.self) == "test.thing.made")
            #expect(try rows[0].column(2, as: Int.self) == 1)
            #expect(try rows[0].column(3, as: String.self) == "thing:kept")
            #expect(try rows[0].column(4, as: String.self) == #"{"name":"kept"}"#)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a closed database refuses and finishes what was on its way`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let written = Counter()
            await withTaskGroup { group in
                for number in 0..<40 {
                    group.addTask {
                        if (try? await lease.database.write(in: lease.tenant) { tx in try tx.addThing("\(number)") }) != nil { written.raise() }
                    }
                }
                group.addTask { await lease.database.close() }
            }
            await #expect(throws: PersistenceError.self) { try await lease.database.write(in: lease.tenant) { tx in try tx.addThing("late") } }
            #expect(written.value <= 40)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `reads that come while a database is closed are answered or refused`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            try await lease.database.write(in: lease.tenant) { tx in try tx.addThing("only") }
            await withTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask {
                        while true {
                            do {
                                let names = try await lease.database.read(in: lease.tenant) { tx in try tx.names() }
                                #expect(names == ["only"])
                            } catch {
                                if case PersistenceError.unavailable = error { return }
                                Issue.record(error)
                                return
                            }
                        }
                    }
                }
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(50))
                    await lease.database.close()
                }
            }
        }
    }
}

private struct ThingMade: Event {
    static let name = "test.thing.made"
    static let version = 1
    var name: String
    var subject: String { "thing:\(name)" }
    var payload: JSON { .object(["name": .string(name)]) }
}

/// Keeps a transaction beyond its closure, as a careless caller might.
private final class Escaped: @unchecked Sendable {
    private let lock = Mutex(())
    private var transaction: TenantTransaction?

    func keep(_ tx: TenantTransaction) { lock.withLock { _ in transaction = tx } }
    func use() throws { try lock.withLock { _ in try transaction?.addThing("late") } }
}
