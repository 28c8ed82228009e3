internal import Foundation
package import Kernel
package import Persistence
internal import Synchronization

/// A fresh database for one test, two tenants, a clock that only moves when told, and ids in order.
package struct DatabaseLease: Sendable {
    package let database: any Database
    package let registry: SchemaRegistry
    package let clock: TestClock
    package let ids: IDs
    package let vault: KeyVault
    package let blobs: any BlobStore
    /// Two tenants that must not see each other.
    package let tenant: TenantID
    package let other: TenantID
    /// Where the embedded database's files lie.
    package let folder: String

    package init(
        database: any Database, registry: SchemaRegistry, clock: TestClock, ids: IDs, vault: KeyVault, blobs: any BlobStore, tenant: TenantID,
        other: TenantID, folder: String
    ) {
        self.database = database
        self.registry = registry
        self.clock = clock
        self.ids = ids
        self.vault = vault
        self.blobs = blobs
        self.tenant = tenant
        self.other = other
        self.folder = folder
    }
}

/// A clock for tests.
package final class TestClock: Sendable {
    private let time: Mutex<Timestamp>

    package init(_ start: Timestamp = Timestamp(seconds: 1_767_225_600)) { time = Mutex(start) }

    package var clock: Clock { Clock { [self] in time.withLock { $0 } } }
    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    package func set(_ now: Timestamp) { time.withLock { $0 = now } }
    package var now: Timestamp { time.withLock { $0 } }
}

/// Runs a test on a database of its own with the given tables, after their migrations.
package func withDatabase(
    _ engine: DatabaseEngine, tables: [Table], migrations: [Migration], _ body: (DatabaseLease) async throws -> Void
) async throws {
    let folder = NSTemporaryDirectory() + "aias-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let clock = TestClock()
    let ids = IDs(clock: clock.clock)
    let all = PersistenceModule.tables + tables
    let steps = PersistenceModule.migrations + migrations
    let database: any Database =
        switch engine {
        case .sqlite: try Databases.embedded(path: folder + "/aias.db", tables: all, migrations: steps, clock: clock.clock, ids: ids)
        case .postgres: try await PostgresLease.shared.database(tables: all, migrations: steps, clock: clock.clock, ids: ids)
        }
    let lease = DatabaseLease(
        database: database, registry: SchemaRegistry(all), clock: clock, ids: ids, vault: KeyVault(database: database, master: MasterKey()),
        blobs: FolderBlobs(path: folder + "/blobs"), tenant: ids.next(), other: ids.next(), folder: folder)
    do {
        try await body(lease)
        await database.close()
        try? FileManager.default.removeItem(atPath: folder)
    } catch {
        await database.close()
        try? FileManager.default.removeItem(atPath: folder)
        throw error
    }
}
