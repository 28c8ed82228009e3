internal import Foundation
package import Kernel

/// A database on a PostgreSQL server, for more than one machine.
package final class PostgresDatabase: Database {
    package let engine = DatabaseEngine.postgres
    private let workers: PostgresWorkers
    private let url: String

    /// Connections, each with its thread.
    package static let connectionsDefault = 12

    /// - Throws: `PersistenceError.unavailable` where the server, the role or a wall between tenants is not fit, `.schema` where `aias migrate` must run first.
    package init(url: String, registry: SchemaRegistry, migrations: [Migration], clock: Clock, ids: IDs, connections: Int = connectionsDefault) throws
    {
        self.url = url
        try Self.check(try PostgresConnection(url: url), registry, migrations)
        workers = PostgresWorkers(url: url, count: connections, registry: registry, clock: clock, ids: ids)
    }

    static func check(_ probe: PostgresConnection, _ registry: SchemaRegistry, _ migrations: [Migration]) throws {
        try PostgresMigrator(connection: probe).requireCurrent(migrations)
        try PostgresRoles.serve(probe)
        try PostgresRoles(connection: probe).requireWalls(registry.tables.values.sorted { $0.name < $1.name })
    }

    /// Brings the schema up to date as its owner; two at once are safe.
    package static func migrate(url: String, migrations: [Migration]) throws {
        try PostgresMigrator(connection: try PostgresConnection(url: url)).run(migrations)
    }

    /// Makes the role that serves and the table of migrations, as `migrate` does, without a look at what has run: before a dump is restored.
    package static func prepare(url: String) throws {
        try PostgresMigrator(connection: try PostgresConnection(url: url)).prepare()
    }

    /// Whether something was migrated here.
    package static func hasSchema(url: String) throws -> Bool {
        let row = try PostgresConnection(url: url).run("SELECT to_regclass('public.schema_migrations') IS NOT NULL").rows.first
        return try row?.column(0, as: Bool.self) ?? false
    }

    private func submit<Result: Sendable>(
        _ work: @escaping (any GroupMember) -> PostgresWorkers.Work, _ body: @escaping @Sendable (any Session) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            workers.submit(work(Write(body: body) { continuation.resume(with: $0) }))
        }
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                workers.close()
                continuation.resume()
            }
        }
    }
}

extension PostgresDatabase {
    package func write<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result
    {
        try await write(in: tenant, .serializable, body)
    }
    package func write<Result: Sendable>(
        in tenant: TenantID, _ isolation: WriteIsolation, _ body: @escaping @Sendable (TenantTransaction) throws -> Result
    ) async throws -> Result {
        let work: (any GroupMember) -> PostgresWorkers.Work = { isolation == .statements ? .claim(tenant, $0) : .write(tenant, $0, isolation) }
        return try await submit(work) { session in try body(try TenantTransaction(session: session, tenant: tenant)) }
    }
    package func read<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result
    {
        try await submit({ .read(tenant, $0) }) { session in try body(try TenantTransaction(session: session, tenant: tenant)) }
    }
    package func writeDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await submit({ .write(nil, $0, .serializable) }) { session in try body(DirectoryTransaction(session: session)) }
    }
    package func readDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await submit({ .read(nil, $0) }) { session in try body(DirectoryTransaction(session: session)) }
    }
    package func writePlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await submit({ .write(nil, $0, .serializable) }) { session in try body(PlatformTransaction(session: session)) }
    }
    package func readPlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await submit({ .read(nil, $0) }) { session in try body(PlatformTransaction(session: session)) }
    }
    package func writeSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await submit({ .write(nil, $0, .serializable) }) { session in try body(SystemTransaction(session: session)) }
    }
    package func claimSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await submit({ .claim(nil, $0) }) { session in try body(SystemTransaction(session: session)) }
    }
    package func readSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await submit({ .read(nil, $0) }) { session in try body(SystemTransaction(session: session)) }
    }
}
