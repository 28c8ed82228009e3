import Foundation
import Kernel
@testable import Persistence
import Synchronization
import TestKit
import Testing

/// What only a server can do: be away, know roles, be migrated by two at once.
@Suite(.timeLimit(.minutes(5))) struct PostgresTests {
    private let ids = IDs(clock: .system)

    private func open(_ url: String, connections: Int = 2) throws -> PostgresDatabase {
        try PostgresDatabase(
            url: url, registry: SchemaRegistry(Fixtures.tables), migrations: Fixtures.migrations, clock: .system, ids: ids, connections: connections)
    }

    /// Ends all other connections of the database, and waits until they have ended.
    private static let endOthers =
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    private func prepared() async throws -> String { try await PostgresLease.shared.clone(of: Fixtures.migrations) }

    @Test func `connections that the server closed while idle are replaced`() async throws {
        let url = try await prepared()
        let database = try open(url)
        let tenant: TenantID = ids.next()
        for name in ["a", "b", "c", "d"] { try await database.write(in: tenant) { tx in try tx.addThing(name) } }
        try PostgresConnection(url: url).simple(Self.endOthers)
        for name in ["e", "f", "g", "h"] { try await database.write(in: tenant) { tx in try tx.addThing(name) } }
        #expect(try await database.read(in: tenant) { tx in try tx.names() }.count == 8)
        await database.close()
    }

    @Test func `a server that takes no writes is away, and the next transaction looks for one that does`() async throws {
        let url = try await prepared()
        let name = try #require(url.split(separator: "/").last)
        let owner = try PostgresConnection(url: url)
        try owner.simple("ALTER DATABASE \(name) SET default_transaction_read_only = on")
        let database = try open(url, connections: 1)
        let tenant: TenantID = ids.next()
        do {
            try await database.write(in: tenant) { tx in try tx.addThing("lost") }
            Issue.record("it was written")
        } catch PersistenceError.unavailable {}
        try owner.simple("ALTER DATABASE \(name) RESET default_transaction_read_only")
        try await database.write(in: tenant) { tx in try tx.addThing("kept") }
        #expect(try await database.read(in: tenant) { tx in try tx.names() } == ["kept"])
        await database.close()
    }

    @Test func `a transaction that lost its server is unavailable and leaves nothing, and the next one works`() async throws {
        let url = try await prepared()
        let database = try open(url)
        let tenant: TenantID = ids.next()
        do {
            try await database.write(in: tenant) { tx in
                try tx.addThing("lost")
                try PostgresConnection(url: url).simple(Self.endOthers)
                try tx.addThing("more")
            }
            Issue.record("the write outlived its server")
        } catch PersistenceError.unavailable {}
        try await database.write(in: tenant) { tx in try tx.addThing("later") }
        #expect(try await database.read(in: tenant) { tx in try tx.names() } == ["later"])
        await database.close()
    }

    @Test func `a process that is held up within a transaction does not keep its rows from others`() async throws {
        let url = try await prepared()
        let (held, other) = (try open(url), try open(url))
        let tenant: TenantID = ids.next()
        try await other.write(in: tenant) { tx in try tx.addThing("one") }
        let change = { @Sendable (tx: TenantTransaction) throws -> Int in
            try tx.execute("UPDATE things SET name = name WHERE tenant_id = \(tx.tenant)")
        }
        let isHeld = Atomic(false)
        let isChanged = Atomic(false)
        async let late: Void = {
            do {
                _ = try await held.write(in: tenant) { tx -> Int in
                    let count = try change(tx)
                    isHeld.store(true, ordering: .sequentiallyConsistent)
                    // Until the other has written; so long that it would not be reached otherwise.
                    for _ in 0..<1_200 where !isChanged.load(ordering: .sequentiallyConsistent) { usleep(100_000) }
                    return count
                }
                // Its transaction is gone; what is not held up any more may be tried once more.
            } catch PersistenceError.unavailable {}
        }()
        while !isHeld.load(ordering: .sequentiallyConsistent) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await other.write(in: tenant) { tx in try change(tx) } == 1)
        isChanged.store(true, ordering: .sequentiallyConsistent)
        try await late
        await held.close()
        await other.close()
    }

    @Test func `processes that raise one counter do not undo each other's work`() async throws {
        let url = try await prepared()
        let (held, other) = (try open(url), try open(url))
        let tenant: TenantID = ids.next()
        try await other.write(in: tenant) { tx in try tx.addThing("counter") }
        let raise = { @Sendable (tx: TenantTransaction) throws -> Int in
            try tx.execute("UPDATE things SET count = count + 1 WHERE tenant_id = \(tx.tenant) AND name = \("counter")")
        }
        let attempts = Atomic(0)
        let isRaised = Atomic(false)
        async let late = held.write(in: tenant, .rows) { tx in
            // What it has read is older than what the other process commits meanwhile.
            let names = try tx.names()
            attempts.add(1, ordering: .sequentiallyConsistent)
            while !isRaised.load(ordering: .sequentiallyConsistent) { usleep(1_000) }
            return try raise(tx) + names.count
        }
        while attempts.load(ordering: .sequentiallyConsistent) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await other.write(in: tenant, .rows) { tx in try raise(tx) } == 1)
        isRaised.store(true, ordering: .sequentiallyConsistent)
        #expect(try await late == 2)
        #expect(attempts.load(ordering: .sequentiallyConsistent) == 1)
        let count = try await other.read(in: tenant) { tx in
            try tx.first("SELECT count FROM things WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) }
        }
        #expect(count == 2)
        await held.close()
        await other.close()
    }

    @Test func `roles for which row level security is off may not serve`() async throws {
        let url = try await prepared()
        let suffix = UUID().uuidString.prefix(8).lowercased()
        let (bypass, owner) = ("bypass_\(suffix)", "owner_\(suffix)")
        try PostgresConnection(url: url).simple(
            """
            CREATE ROLE \(bypass) LOGIN BYPASSRLS; GRANT USAGE ON SCHEMA public TO \(bypass); GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(bypass);
            CREATE ROLE \(owner) LOGIN; GRANT USAGE ON SCHEMA public TO \(owner); GRANT SELECT ON schema_migrations TO \(owner); ALTER TABLE notes OWNER TO \(owner)
            """)
        for role in [bypass, owner] {
            do {
                _ = try open(url.replacing("postgres@", with: "\(role)@"))
                Issue.record("\(role) serves")
            } catch PersistenceError.unavailable(let message) {
                #expect(message.contains(role) && message.contains("row level security"))
            }
        }
    }

    @Test func `the serving role itself is refused once it has more than it needs`() async throws {
        let connection = try PostgresConnection(url: try await prepared())
        for gift in ["ALTER ROLE aias_app BYPASSRLS", "ALTER ROLE aias_app SUPERUSER", "ALTER TABLE notes OWNER TO aias_app"] {
            // The role is every database's: what is given to it here is taken back before anybody else sees it.
            try connection.simple("BEGIN; \(gift)")
            #expect(throws: PersistenceError.self) { try PostgresRoles.serve(connection) }
            try connection.simple("ROLLBACK; RESET ROLE")
        }
        try PostgresRoles.serve(connection)
    }

    @Test(arguments: [
        "ALTER TABLE things DISABLE ROW LEVEL SECURITY", "ALTER TABLE things NO FORCE ROW LEVEL SECURITY", "DROP POLICY things_tenant ON things",
        "CREATE POLICY more ON things USING (true)", "ALTER POLICY things_tenant ON things USING (true)", "GRANT TRUNCATE ON things TO aias_app"
    ])
    func `a table whose wall was touched stops the start with its name`(_ change: String) async throws {
        let url = try await prepared()
        try PostgresConnection(url: url).simple(change)
        do {
            _ = try open(url)
            Issue.record("served after \(change)")
        } catch PersistenceError.unavailable(let message) {
            #expect(message.contains("things"))
        }
    }

    @Test func `a login of its own that is only a member of the serving role serves, and one that owns nothing may not migrate`() async throws {
        let url = try await prepared()
        let web = "web_\(UUID().uuidString.prefix(8).lowercased())"
        try PostgresConnection(url: url).simple("CREATE ROLE \(web) LOGIN; GRANT aias_app TO \(web)")
        let own = url.replacing("postgres@", with: "\(web)@")
        let database = try open(own)
        let tenant: TenantID = ids.next()
        try await database.write(in: tenant) { tx in try tx.addThing("a") }
        await database.close()
        #expect(throws: PersistenceError.self) { try PostgresDatabase.migrate(url: own, migrations: Fixtures.migrations) }
    }

    @Test func `the serving role cannot change the schema or lift the walls`() async throws {
        let connection = try PostgresConnection(url: try await prepared())
        try PostgresRoles.serve(connection)
        for text in [
            "ALTER TABLE things DISABLE ROW LEVEL SECURITY", "DROP TABLE notes", "DROP POLICY things_tenant ON things",
            "CREATE TABLE more (id bigint)"
        ] {
            #expect(throws: PersistenceError.self) { try connection.simple(text) }
        }
        let seen = try connection.run("SELECT count(*) FROM things").rows.first
        #expect(try seen?.column(0, as: Int.self) == 0)
    }

    @Test func `starters that migrate at once do it once`() async throws {
        let url = try await PostgresLease.shared.createDatabase()
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { try PostgresDatabase.migrate(url: url, migrations: Fixtures.migrations) } }
            try await group.waitForAll()
        }
        let database = try open(url)
        #expect(try await database.readDirectory { tx in try tx.all("SELECT id FROM notes") }.isEmpty)
        await database.close()
    }

    @Test func `a server that is not there is unavailable`() {
        #expect(throws: PersistenceError.self) { try open("postgres://nobody@127.0.0.1:1/none?connect_timeout=2") }
    }

    @Test(arguments: [Int64.max, .min, 0, 10_000, -99_990_000, 1_234_567_890_123])
    func `a sum of integers is an integer`(_ value: Int64) async throws {
        let connection = try PostgresConnection(url: try await prepared())
        let row = try connection.run("SELECT sum(x) FROM (VALUES (\(value)), (\(0))) v (x)").rows.first
        #expect(try row?.column(0, as: Int64.self) == value)
    }

    @Test func `a sum beyond 64 bits is an error`() async throws {
        let connection = try PostgresConnection(url: try await prepared())
        #expect(throws: PersistenceError.self) { try connection.run("SELECT sum(x) FROM (VALUES (\(Int64.max)), (\(Int64(1)))) v (x)") }
    }
}
