import Kernel
import Persistence
import TestKit

/// A database that fails where a test says so.
struct FrailDatabase: Persistence.Database {
    let base: any Persistence.Database
    /// Called before each transaction of a tenant that writes; what it throws is what the database says.
    let beforeWrite: @Sendable () throws -> Void

    var engine: DatabaseEngine { base.engine }

    func write<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result {
        try beforeWrite()
        return try await base.write(in: tenant, body)
    }
    func read<Result: Sendable>(in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result) async throws -> Result {
        try await base.read(in: tenant, body)
    }
    func writeDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await base.writeDirectory(body)
    }
    func readDirectory<Result: Sendable>(_ body: @escaping @Sendable (DirectoryTransaction) throws -> Result) async throws -> Result {
        try await base.readDirectory(body)
    }
    func writePlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await base.writePlatform(body)
    }
    func readPlatform<Result: Sendable>(_ body: @escaping @Sendable (PlatformTransaction) throws -> Result) async throws -> Result {
        try await base.readPlatform(body)
    }
    func writeSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await base.writeSystem(body)
    }
    func readSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await base.readSystem(body)
    }
    func close() async { await base.close() }
}

extension DatabaseLease {
    func failing(beforeWrite: @escaping @Sendable () throws -> Void) -> DatabaseLease {
        DatabaseLease(
            database: FrailDatabase(base: database, beforeWrite: beforeWrite), registry: registry, clock: clock, ids: ids, vault: vault, blobs: blobs,
            tenant: tenant, other: other, folder: folder)
    }
}
