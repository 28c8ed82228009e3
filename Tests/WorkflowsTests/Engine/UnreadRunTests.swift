import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Runs that nobody can go on with end all the same.
@Suite(.timeLimit(.minutes(3))) struct UnreadRunTests {
    /// Another process in the place of the first, after `gone` was deleted.
    private func heir(of rig: EngineRig, _ document: WorkflowDocument, without gone: WorkflowID) async throws -> EngineRig {
        try await EngineRig.make(
            rig.lease, workflow: rig.workflow, document: document,
            load: { _, id, _ in
                guard id != gone else { throw Refusal.missing("version") }
                return document
            })
    }

    private func settle(_ rig: EngineRig) async throws {
        for _ in 0..<3 {
            try await rig.settle()
            await rig.engine.recoverOwn()
        }
        try await rig.settle()
    }

    @Test func `a run that waits ends as failed once its workflow is deleted`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let run = try await rig.start(document).run
            try await rig.settle()
            #expect(try await rig.row(run).status == .waiting)
            let heir = try await heir(of: rig, document, without: rig.workflow)
            let handle = try await heir.engine.handle(of: run, tenant: rig.lease.tenant)
            rig.lease.clock.advance(by: .seconds(61))
            try await settle(heir)
            let row = try await rig.row(run)
            #expect(row.status == .failed && row.failure?.code == "workflow_deleted" && row.epoch == 0)
            #expect(await handle.finished().failure?.code == "workflow_deleted")
            #expect(ProbeNode.outside(rig.lease.tenant).all.isEmpty)
        }
    }

    @Test func `a caller goes on when the workflow that it called is deleted before the run of it began`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withRig(document) { rig in
            let run = try await rig.start(document).run
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await rig.row(run).status == .waiting)
            let heir = try await heir(of: rig, document, without: WorkflowID(high: 1, low: 1))
            try await settle(heir)
            let row = try await rig.row(run)
            #expect(row.status == .failed && row.failure?.code == "workflow_deleted")
            let called = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).returned(to: run).map(\.status) }
            #expect(called == [.failed])
        }
    }

    @Test func `a run whose journal is damaged can be cancelled`() async throws {
        let document = Graph(.n8nV1, ["t -> w"]).document(["w": "probe_wait"])
        try await withRig(document) { rig in
            let (run, tenant, damage) = (try await rig.start(document).run, rig.lease.tenant, Array("broken".utf8))
            try await rig.settle()
            try await rig.lease.database.write(in: tenant) { tx in
                _ = try tx.execute("UPDATE run_journal SET data = \(damage) WHERE tenant_id = \(tx.tenant) AND run_id = \(run)")
            }
            rig.lease.clock.advance(by: .seconds(61))
            try await settle(rig)
            #expect(try await rig.row(run).status == .running, "it is tried again and again")
            try await rig.engine.cancel(run, tenant: tenant)
            try await rig.engine.heed()
            await rig.engine.recoverOwn()
            let row = try await rig.row(run)
            #expect(row.status == .cancelled && row.epoch == 0)
        }
    }
}
