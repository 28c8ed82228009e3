import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Starts that meet.
@Suite(.timeLimit(.minutes(3))) struct StartRaceTests {
    /// Two processes on one server: each with connections and an engine of its own.
    @Test func `starts of several processes with one key at once are one run`() async throws {
        let tables = PersistenceModule.tables + RunTables.all + JobsModule.tables
        let migrations = PersistenceModule.migrations + JobsModule.migrations + RunTables.migrations
        let url = try await PostgresLease.shared.clone(of: migrations)
        let clock = TestClock()
        let document = Graph(.n8nV1, ["t -> a"]).document([:])
        let seed = IDs(clock: clock.clock)
        let (tenant, workflow): (TenantID, WorkflowID) = (seed.next(), seed.next())
        var rigs: [EngineRig] = []
        for _ in 0..<3 {
            let ids = IDs(clock: clock.clock)
            let database = try Databases.server(url: url, tables: tables, migrations: migrations, clock: clock.clock, ids: ids)
            let lease = DatabaseLease(
                database: database, registry: SchemaRegistry(tables), clock: clock, ids: ids,
                vault: KeyVault(database: database, master: MasterKey()),
                blobs: FolderBlobs(path: "/nowhere"), tenant: tenant, other: tenant, folder: "/nowhere")
            rigs.append(try await EngineRig.make(lease, workflow: workflow, document: document))
        }
        for round in 0..<6 {
            let runs = try await withThrowingTaskGroup(of: RunID.self) { group in
                for index in 0..<9 {
                    let rig = rigs[index % rigs.count]
                    group.addTask { try await rig.start(document, key: "key-\(round)").run }
                }
                return try await group.reduce(into: Set<RunID>()) { $0.insert($1) }
            }
            #expect(runs.count == 1)
        }
        let count = try await rigs[0].lease.database.read(in: tenant) { tx in
            try tx.first("SELECT count(*) FROM runs WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) }
        }
        #expect(count == 6)
        for rig in rigs { await rig.lease.database.close() }
    }
}
