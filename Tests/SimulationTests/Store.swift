import GRDB
import Kernel

@testable import Persistence

/// What all processes of a world share: one database in memory, in which a transaction happens at once.
final class Store: @unchecked Sendable {
    private let connection: DatabaseQueue
    private let registry: SchemaRegistry
    private let tenant = CurrentTenant()
    /// Until then the server is away.
    var isAwayUntil: Int64 = 0

    init(tables: [Persistence.Table], migrations: [Migration]) throws {
        registry = SchemaRegistry(tables)
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { [tenant] connection in tenant.install(on: connection) }
        connection = try DatabaseQueue(configuration: configuration)
        try connection.writeWithoutTransaction { connection in try SQLiteMigrator(connection: connection).run(migrations) }
    }

    /// One transaction: written as a whole, or not at all.
    func transact<Result>(_ clock: Kernel.Clock, _ ids: IDs, _ body: (any Session) throws -> Result) throws
        -> (result: Result, afterCommit: [@Sendable () -> Void])
    {
        try connection.writeWithoutTransaction { connection in
            try connection.control("BEGIN IMMEDIATE")
            let session = SQLiteSession(connection: connection, registry: registry, tenant: tenant, clock: clock, ids: ids)
            defer {
                session.end()
                tenant.leave()
            }
            do {
                let result = try body(session)
                if let doom = session.doom { throw doom }
                try connection.control("COMMIT")
                return (result, session.afterCommitActions)
            } catch {
                if connection.isInsideTransaction { try? connection.control("ROLLBACK") }
                throw error
            }
        }
    }
}

/// The database as one process reaches it: over a network that is slow at times, loses answers, and is cut.
struct StoreConnection: Persistence.Database {
    let engine = DatabaseEngine.postgres
    let store: Store
    let process: SimulatedProcess

    private func pass<Result: Sendable>(_ body: @Sendable (any Session) throws -> Result) async throws -> Result {
        let world = process.world
        try? await world.sleep(.microseconds(world.happens(onceIn: 50) ? world.pick(1_000...400_000) : world.pick(50...3_000)))
        await process.pass()
        guard store.isAwayUntil <= world.now, !process.loses(onceIn: 200) else { throw PersistenceError.unavailable("the server is away") }
        let done = try store.transact(process.clock, process.ids, body)
        if process.loses(onceIn: 200) { throw PersistenceError.unavailable("the answer was lost") }
        try? await world.sleep(.microseconds(world.pick(50...1_000)))
        await process.pass()
        for action in done.afterCommit { action() }
        return done.result
    }

    func write<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result {
        try await pass { session in try body(try TenantTransaction(session: session, tenant: tenant)) }
    }
    func read<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result {
        try await write(in: tenant, body)
    }
    func writeDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await pass { session in try body(DirectoryTransaction(session: session)) }
    }
    func readDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await writeDirectory(body)
    }
    func writePlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await pass { session in try body(PlatformTransaction(session: session)) }
    }
    func readPlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await writePlatform(body)
    }
    func writeSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await pass { session in try body(SystemTransaction(session: session)) }
    }
    func readSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await writeSystem(body)
    }
    func close() async {}
}
