import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Runs that a newer program has worked on, while an older one serves beside it.
@Suite(.timeLimit(.minutes(3))) struct NewerProgramTests {
    private func write(format: Int, of run: RunID, _ rig: EngineRig) async throws {
        try await rig.lease.database.write(in: rig.lease.tenant) { tx in
            _ = try tx.execute("UPDATE run_journal SET format = \(format) WHERE tenant_id = \(tx.tenant) AND run_id = \(run)")
        }
    }

    @Test func `the run of a dead process stays in its name until a process comes that can read it`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_gate", "b": "probe_keyed"])
        try await withRig(document) { owner in
            let run = try await owner.start(document).run
            await owner.engine.stop()
            let epoch = try await owner.row(run).epoch
            try await write(format: JournalFormat.current + 1, of: run, owner)
            let older = try await EngineRig.make(owner.lease, workflow: owner.workflow, document: document)
            for _ in 0..<2 {
                #expect(try await older.engine.recover() == 0)
                await older.engine.recoverOwn()
                #expect(try await owner.row(run).epoch == epoch)
            }
            #expect(older.engine.liveRuns == 0)

            try await write(format: JournalFormat.current, of: run, owner)
            let newer = try await EngineRig.make(owner.lease, workflow: owner.workflow, document: document)
            ProbeNode.outside(owner.lease.tenant).open()
            #expect(try await newer.engine.recover() == 1)
            try await newer.settle()
            #expect(try await owner.row(run).status == .succeeded)
        }
    }

    @Test func `the timer of a run that waits is left to a process that can read it, and nobody cancels it unread`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let run = try await rig.start(document).run
            try await rig.settle()
            try await write(format: JournalFormat.current + 1, of: run, rig)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let row = try await rig.row(run)
            #expect(row.epoch == 0 && row.status == .waiting)
            let refusal = await #expect(throws: Refusal.self) { try await rig.engine.cancel(run, tenant: rig.lease.tenant) }
            #expect(refusal?.code == "newer_execution")

            try await write(format: JournalFormat.current, of: run, rig)
            rig.lease.clock.advance(by: NewerRun.wait + .seconds(1))
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
        }
    }
}
