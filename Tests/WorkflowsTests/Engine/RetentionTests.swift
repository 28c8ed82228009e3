import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Old runs go, with all that they stored, while others run.
@Suite(.timeLimit(.minutes(2))) struct RetentionTests {
    @Test func `runs past their age go, and the database gets smaller while others run`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_pure"])
        try await withRig(document) { rig in
            let database = rig.lease.database
            func runs() async throws -> Int {
                try await database.read(in: rig.lease.tenant) { tx in
                    try tx.first("SELECT count(*) FROM runs WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) } ?? 0
                }
            }
            for _ in 0..<120 { _ = try await rig.start(document).finished() }
            rig.lease.clock.advance(by: .seconds(3 * 86_400))
            let young = try await rig.start(document).finished()
            let retention = RunRetention(database: database, age: .seconds(2 * 86_400))
            async let removed = retention.prune(rig.lease.tenant)
            let meanwhile = try await rig.start(document).finished()
            #expect(meanwhile.status == .succeeded)
            #expect(try await removed == 120)
            #expect(try await runs() == 2)
            #expect(try await retention.prune(rig.lease.tenant) == 0)
            _ = try await rig.row(young.run)
            if let file = database as? any SpaceKeeping { #expect(try await file.giveBackSpace(keptPages: 0) > 0) }
        }
    }
}
