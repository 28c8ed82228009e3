import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

/// What both drivers promise.
@Suite struct ConformanceTests {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.allCases)
    func `every type comes back as it was written`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let id: ID<Thing> = lease.ids.next()
            let time = Timestamp(microseconds: 1_795_518_439_123_457)
            let text = "naïve 😀 'quoted' ?1 $1 \\ \n"
            try await lease.database.write(in: lease.tenant) { tx in
                try tx.execute(
                    """
                    INSERT INTO things (tenant_id, id, name, count, ratio, content, at, is_good)
                    VALUES (\(tx.tenant), \(id), \(text), \(Int64.max), \(0.1), \([0, 255] as [UInt8]), \(time), \(true))
                    """)
                let other: ID<Thing> = tx.ids.next()
                try tx.execute(
                    """
                    INSERT INTO things (tenant_id, id, name, count, ratio, content, at, is_good)
                    VALUES (\(tx.tenant), \(other), \(""), \(0), \(Double?.none), \([] as [UInt8]), \(Timestamp?.none), \(Bool?.none))
                    """)
            }
            let rows = try await lease.database.read(in: lease.tenant) { tx in
                try tx.all("SELECT id, name, count, ratio, content, at, is_good FROM things WHERE tenant_id = \(tx.tenant) ORDER BY count DESC")
            }
            #expect(try rows[0].column(0, as: ID<Thing>.self) == id)
            #expect(try rows[0].column(1, as: String.self) == text)
            #expect(try rows[0].column(2, as: Int64.self) == .max)
            #expect(try rows[0].column(3, as: Double?.self) == 0.1)
            #expect(try rows[0].column(4, as: [UInt8]?.self) == [0, 255])
            #expect(try rows[0].column(5, as: Timestamp?.self) == time)
            #expect(try rows[0].column(6, as: Bool?.self) == true)
            #expect(try rows[1].column(1, as: String.self).isEmpty)
            #expect(try rows[1].column(3, as: Double?.self) == nil)
            #expect(try rows[1].column(4, as: [UInt8]?.self) == [])
            #expect(try rows[1].column(6, as: Bool?.self) == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `texts are in the order of their bytes`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            try await lease.database.write(in: lease.tenant) { tx in for name in ["é", "a", "B", "Z", "_", "😀"] { try tx.addThing(name) } }
            let names = try await lease.database.read(in: lease.tenant) { tx in try tx.names() }
            #expect(names == ["B", "Z", "_", "a", "é", "😀"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a write that throws leaves nothing and its neighbours stay`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            await withTaskGroup { group in
                for number in 0..<60 {
                    group.addTask {
                        _ = try? await lease.database.write(in: lease.tenant) { tx in
                            try tx.addThing("thing \(number)")
                            if number % 3 == 0 { throw Stop() }
                        }
                    }
                }
            }
            let names = try await lease.database.read(in: lease.tenant) { tx in try tx.names() }
            #expect(Set(names) == Set((0..<60).filter { $0 % 3 != 0 }.map { "thing \($0)" }))
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a swallowed failure of a statement still fails the write`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            await #expect(throws: PersistenceError.self) {
                try await lease.database.write(in: lease.tenant) { tx in
                    try tx.addThing("one")
                    try? tx.addThing("one")
                }
            }
            let names = try await lease.database.read(in: lease.tenant) { tx in try tx.names() }
            #expect(names.isEmpty)
        }
    }

    /// Every fourth presumes a row that is not there.
    private func presuming(_ number: Int, _ tx: TenantTransaction) throws {
        try tx.addThing("thing \(number)")
        let wanted = number.isMultiple(of: 4) ? "nobody" : "thing \(number)"
        let isRaised = try tx.presume("UPDATE things SET count = count + 1 WHERE tenant_id = \(tx.tenant) AND name = \(wanted)", changes: 1)
        guard isRaised else { throw Stop() }
        try tx.presume("UPDATE things SET count = 0 WHERE tenant_id = \(tx.tenant) AND name = \("nobody")", changes: 0)
        try tx.presume("UPDATE things SET ratio = \(1.0) WHERE tenant_id = \(tx.tenant) AND name = \(wanted)")
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `what was presumed wrongly is seen before anything is committed, and the neighbours stay`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let refused = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        do {
                            try await lease.database.write(in: lease.tenant) { tx in try presuming(number, tx) }
                            return false
                        } catch {
                            return error is Stop
                        }
                    }
                }
                return await group.reduce(into: 0) { count, isRefused in count += isRefused ? 1 : 0 }
            }
            #expect(refused == 10)
            let names = try await lease.database.read(in: lease.tenant) { tx in try tx.names() }
            #expect(Set(names) == Set((0..<40).filter { $0 % 4 != 0 }.map { "thing \($0)" }))
            let sum = try await lease.database.read(in: lease.tenant) { tx in
                try tx.first("SELECT count(*) FROM things WHERE tenant_id = \(tx.tenant) AND count = 1 AND ratio = 1") {
                    try $0.column(0, as: Int.self)
                }
            }
            #expect(sum == 30)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `concurrent writers never pass a limit`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            try await lease.database.write(in: lease.tenant) { tx in try tx.addThing("counter") }
            let taken = Counter()
            await withTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        let changed = try? await lease.database.write(in: lease.tenant) { tx in
                            try tx.execute(
                                "UPDATE things SET count = count + 1 WHERE tenant_id = \(tx.tenant) AND name = \("counter") AND count < 20")
                        }
                        if changed == 1 { taken.raise() }
                    }
                }
            }
            let count = try await lease.database.read(in: lease.tenant) { tx in
                try tx.first("SELECT count FROM things WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) }
            }
            #expect(count == 20)
            #expect(taken.value == 20)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `constraints are told apart`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            try await lease.database.write(in: lease.tenant) { tx in try tx.addThing("one") }
            @Sendable func kind(_ body: @escaping @Sendable (TenantTransaction) throws -> Void) async -> PersistenceError.ConstraintKind? {
                do {
                    try await lease.database.write(in: lease.tenant, body)
                    return nil
                } catch PersistenceError.constraint(let kind, _, _) {
                    return kind
                } catch {
                    return nil
                }
            }
            #expect(await kind { tx in try tx.addThing("one") } == .unique)
            #expect(await kind { tx in try tx.addThing("two", count: -1) } == .check)
            #expect(
                await kind { tx in
                    let id: ID<Thing> = tx.ids.next()
                    try tx.execute("INSERT INTO things (tenant_id, id, name, count) VALUES (\(tx.tenant), \(id), \(String?.none), 0)")
                } == .notNull)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `what is to follow a commit follows only a commit`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let seen = Counter()
            try await lease.database.write(in: lease.tenant) { tx in
                try tx.addThing("one")
                tx.afterCommit { seen.raise() }
            }
            #expect(seen.value == 1)
            await #expect(throws: Stop.self) {
                try await lease.database.write(in: lease.tenant) { tx in
                    tx.afterCommit { seen.raise() }
                    throw Stop()
                }
            }
            #expect(seen.value == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `statements keep to their scope`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            await #expect(throws: PersistenceError.self) {
                try await lease.database.read(in: lease.tenant) { tx in try tx.all("SELECT name FROM things") }
            }
            await #expect(throws: PersistenceError.self) {
                try await lease.database.read(in: lease.tenant) { tx in try tx.all("SELECT words FROM notes") }
            }
            await #expect(throws: PersistenceError.self) {
                try await lease.database.readDirectory { tx in try tx.all("SELECT name FROM things") }
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `scopes join in one transaction`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let note: ID<Thing> = lease.ids.next()
            try await lease.database.writeDirectory { tx in
                try tx.execute("INSERT INTO notes (id, words) VALUES (\(note), \("hello"))")
                try tx.tenant(lease.tenant).addThing("one")
                try tx.tenant(lease.other).addThing("two")
            }
            let names = try await lease.database.read(in: lease.other) { tx in try tx.names() }
            #expect(names == ["two"])
        }
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    func raise() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}
