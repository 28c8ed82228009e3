import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Old runs go, with all that they stored, while others run.
@Suite(.timeLimit(.minutes(4))) struct RetentionTests {
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
            let retention = RunRetention(database: database, succeeded: .seconds(2 * 86_400), failed: .seconds(2 * 86_400))
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

    @Test func `what failed is kept apart from what succeeded`() async throws {
        let good = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_picky"])
        try await withRig(good) { rig in
            let day: Duration = .seconds(86_400)
            func left(_ runs: [RunID]) async throws -> Int {
                try await rig.lease.database.read(in: rig.lease.tenant) { tx in try runs.filter { try RunStore(tx: tx).find($0) != nil }.count }
            }
            var (failed, succeeded): ([RunID], [RunID]) = ([], [])
            // Side by side, and more than one transaction removes.
            for _ in 0..<(RunRetention.batch + 10) {
                failed.append(try await rig.start(good).finished().run)
                succeeded.append(try await rig.start(good, items: [Item(json: ["n": 2])]).finished().run)
            }
            #expect(try await rig.row(failed[0]).status == .failed)
            #expect(try await rig.row(succeeded[0]).status == .succeeded)
            rig.lease.clock.advance(by: day * 5)
            let removed = try await RunRetention(database: rig.lease.database, succeeded: day * 3, failed: day * 7).prune(rig.lease.tenant)
            #expect(removed == succeeded.count)
            #expect(try await left(succeeded) == 0)
            #expect(try await left(failed) == failed.count)
            #expect(try await RunRetention(database: rig.lease.database, succeeded: day, failed: nil).prune(rig.lease.tenant) == 0)
            rig.lease.clock.advance(by: day * 3)
            #expect(try await RunRetention(database: rig.lease.database, succeeded: nil, failed: day * 7).prune(rig.lease.tenant) == failed.count)
        }
    }

    @Test func `a run that cannot be read is left, and keeps no other`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_pure"])
        try await withRig(document) { rig in
            let (database, tenant) = (rig.lease.database, rig.lease.tenant)
            var runs: [RunID] = []
            for _ in 0..<5 { runs.append(try await rig.start(document).finished().run) }
            let (broken, damage) = (runs[1], Array("broken".utf8))
            try await database.write(in: tenant) { tx in
                _ = try tx.execute("UPDATE runs SET journal = \(damage) WHERE tenant_id = \(tx.tenant) AND id = \(broken)")
            }
            rig.lease.clock.advance(by: .seconds(3 * 86_400))
            let retention = RunRetention(database: database, succeeded: .seconds(86_400), failed: .seconds(86_400))
            #expect(try await retention.prune(tenant) == 4)
            #expect(try await retention.prune(tenant) == 0)
            #expect(try await rig.row(broken).id == broken)
        }
    }
}
