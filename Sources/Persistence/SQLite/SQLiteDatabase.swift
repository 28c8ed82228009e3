internal import CSQLite
internal import Foundation
internal import GRDB
package import Kernel
internal import Synchronization

/// The embedded database: one file in write-ahead mode, one writer with group commit whose groups are answered
/// once they are on the disk, pooled readers. Calls run on threads of their own.
package final class SQLiteDatabase: Database {
    package let engine = DatabaseEngine.sqlite
    let pool: DatabasePool
    private let writer: GroupWriter
    private let readers: OperationQueue
    private let isClosed = Mutex(false)
    private let registry: SchemaRegistry
    private let tenants: ConnectionTenants
    private let clock: Clock
    private let ids: IDs

    /// The database's file.
    var path: String { pool.path }

    /// Threads that read at once.
    static let readersMaximum = 4
    static let busyTimeoutSeconds: TimeInterval = 5

    /// Once, before the first connection; where SQLite is in use already it keeps counting, which is only slower, as is writing frame by frame.
    private static let preparation: Void = {
        _ = aias_sqlite_forgo_statistics()
        _ = aias_sqlite_gather_frames()
    }()

    /// - Throws: `PersistenceError.locked` or `.unavailable` where the file cannot be used.
    package init(path: String, registry: SchemaRegistry, clock: Clock, ids: IDs) throws {
        _ = Self.preparation
        self.registry = registry
        self.clock = clock
        self.ids = ids
        let tenants = ConnectionTenants()
        self.tenants = tenants
        var configuration = Configuration()
        configuration.maximumReaderCount = Self.readersMaximum
        configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { connection in
            tenants.make().install(on: connection)
            // Of a new file. A commit writes whole pages, and the runs of many tenants lie on as many pages: smaller ones are less to write.
            try connection.execute(sql: "PRAGMA page_size = 2048")
            // Also of a new file alone: what deleted rows leave empty can be given back later (`giveBackSpace`).
            if !connection.configuration.readonly { try connection.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            try connection.execute(sql: "PRAGMA temp_store = MEMORY")
            try connection.execute(sql: "PRAGMA cache_size = -16000")
            // See `Checkpointer` and `WriteAheadSync`.
            try connection.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        }
        let room: WriteAheadRoom
        do {
            // GRDB turns write-ahead mode on, with `synchronous = NORMAL`.
            pool = try DatabasePool(path: path, configuration: configuration)
            let pageSize = try pool.writeWithoutTransaction { connection in try Int.fetchOne(connection, sql: "PRAGMA page_size") }
            room = WriteAheadRoom(database: path, pageSize: pageSize ?? 0)
        } catch let error as DatabaseError {
            throw SQLiteFailure.error(error)
        }
        guard let writing = tenants.first else { preconditionFailure("GRDB opens the writing connection first") }
        let file = WriteAheadFile(database: path)
        writer = GroupWriter(
            connection: pool, sync: WriteAheadSync { try file.sync() }, room: room, checkpointer: Checkpointer(path: path), registry: registry,
            tenant: writing, clock: clock, ids: ids)
        readers = OperationQueue()
        readers.name = "sqlite-readers"
        readers.maxConcurrentOperationCount = Self.readersMaximum
    }

    func write<Result: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            writer.submit(Write(body: body) { continuation.resume(with: $0) })
        }
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            // GRDB ends the process where a connection is closed between the question for it and its use, so that `close` waits for all that are here.
            let isTaken = isClosed.withLock { isClosed in
                guard !isClosed else { return false }
                readers.addOperation { [self] in continuation.resume(with: Swift.Result { try readNow(body) }) }
                return true
            }
            if !isTaken { continuation.resume(throwing: PersistenceError.unavailable("The database is closed.")) }
        }
    }

    private func readNow<Result>(_ body: (any Session) throws -> Result) throws -> Result {
        do {
            return try pool.read { connection in
                // A reader writes nothing, so that its guards are never asked.
                let session = SQLiteSession(connection: connection, registry: registry, tenant: CurrentTenant(), clock: clock, ids: ids)
                defer { session.end() }
                let result = try body(session)
                if let doom = session.doom { throw doom }
                return result
            }
        } catch let error as DatabaseError {
            throw SQLiteFailure.error(error)
        }
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                writer.close()
                isClosed.withLock { $0 = true }
                readers.waitUntilAllOperationsAreFinished()
                try? pool.close()
                continuation.resume()
            }
        }
    }

    /// Settings of the writing connection, for the test of durability.
    func writerSetting(_ name: String) throws -> String? {
        try pool.writeWithoutTransaction { connection in try String.fetchOne(connection, sql: "PRAGMA \(name)") }
    }

    /// Runs migrations, each with its record in one transaction; see `Migrator`.
    func migrate(_ migrations: [Migration]) throws {
        do {
            try pool.writeWithoutTransaction { connection in
                try connection.execute(sql: "BEGIN IMMEDIATE")
                do {
                    try SQLiteMigrator(connection: connection).run(migrations)
                    try connection.execute(sql: "COMMIT")
                } catch {
                    if connection.isInsideTransaction { try? connection.execute(sql: "ROLLBACK") }
                    throw error
                }
            }
            try WriteAheadFile(database: path).sync()
        } catch let error as DatabaseError {
            throw SQLiteFailure.error(error)
        }
    }
}

/// The current-tenant cells of a pool's connections, which live as long as the pool.
private final class ConnectionTenants: @unchecked Sendable {
    private let lock = NSLock()
    private var cells: [CurrentTenant] = []

    func make() -> CurrentTenant {
        lock.withLock {
            let cell = CurrentTenant()
            cells.append(cell)
            return cell
        }
    }

    var first: CurrentTenant? { lock.withLock { cells.first } }
}

extension SQLiteDatabase {
    package func write<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result
    {
        try await write { session in try body(try TenantTransaction(session: session, tenant: tenant)) }
    }
    package func read<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result
    {
        try await read { session in try body(try TenantTransaction(session: session, tenant: tenant)) }
    }
    package func writeDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await write { session in try body(DirectoryTransaction(session: session)) }
    }
    package func readDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await read { session in try body(DirectoryTransaction(session: session)) }
    }
    package func writePlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await write { session in try body(PlatformTransaction(session: session)) }
    }
    package func readPlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await read { session in try body(PlatformTransaction(session: session)) }
    }
    package func writeSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await write { session in try body(SystemTransaction(session: session)) }
    }
    package func readSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await read { session in try body(SystemTransaction(session: session)) }
    }
}
