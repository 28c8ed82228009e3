import Jobs
import Persistence
import Testing
import TestKit

@testable import Workflows

@Suite(.timeLimit(.minutes(3))) struct LostLeaseTests {
    @Test func `a process whose lease another has ended stops and ends with a fault`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document([:])
        try await withRig(document) { rig in
            try await rig.lease.database.writeSystem { tx in try LeaseStore(tx: tx).end(rig.worker) }
            let service = EngineService(engine: rig.engine, database: rig.lease.database, logger: rig.engine.logger)
            await #expect(throws: EngineService.LeaseLost.self) { try await service.run() }
            #expect(rig.engine.stops)
        }
    }
}
