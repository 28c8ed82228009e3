import Jobs
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Runs that a run would start, where it may start no more.
@Suite(.timeLimit(.minutes(3))) struct RefusedStartTests {
    private func outside(_ rig: EngineRig) -> [String] { ProbeNode.outside(rig.lease.tenant).all }

    private static func refusing(_ mode: String) -> EngineRig.OnStart {
        { _, facts in if facts.mode == mode { throw Refusal(.limitReached, "limit_reached", "No more of them.") } }
    }

    @Test func `a failed run whose error workflow may not start is over all the same`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_refused"], settings: .init(order: .n8nV1, errorWorkflow: "errors"))
        try await withRig(document, sub: Graph(.n8nV1, ["t -> log"]).document(["log": "probe_keyed"]), onStart: Self.refusing("error")) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            await rig.engine.recoverOwn()
            try await rig.settle()
            let row = try await rig.row(handle.run)
            #expect(row.status == .failed)
            #expect(row.failure?.code == "http_error")
            #expect(outside(rig).count == 1, "what was done outside is not done again")
        }
    }

    @Test(arguments: [WorkflowSettings.Order.n8nV1, .parallel])
    func `a step that may start no runs fails, and the run can be retried`(_ order: WorkflowSettings.Order) async throws {
        let isRefused = Mutex(true)
        let document = Graph(order, ["t -> a", "a -> b", "a -> c"]).document(["a": "probe_keyed", "b": "probe_call", "c": "probe_pure"])
        let sub = Graph(.n8nV1, ["t -> s"]).document(["s": "probe_keyed"])
        let onStart: EngineRig.OnStart = { tx, facts in if isRefused.withLock({ $0 }) { try Self.refusing("call")(tx, facts) } }
        try await withRig(document, sub: sub, onStart: onStart) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            await rig.engine.recoverOwn()
            try await rig.settle()
            let row = try await rig.row(handle.run)
            #expect(row.status == .failed)
            #expect(row.failure?.code == "limit_reached")
            #expect(outside(rig) == ["a-0"])
            isRefused.withLock { $0 = false }
            let retry = try await rig.engine.replay(handle.run, tenant: rig.lease.tenant, from: nil)
            try await rig.settle()
            #expect(try await rig.row(retry.run).status == .succeeded)
            #expect(outside(rig) == ["a-0", "s-0"])
        }
    }

    @Test func `a run that begins with a call that is refused is written as failed`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withRig(document, onStart: Self.refusing("call")) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            let row = try await rig.row(handle.run)
            #expect(row.status == .failed)
            #expect(row.failure?.code == "limit_reached")
            #expect(row.epoch == 0)
        }
    }

    @Test func `an error workflow that calls what fails again comes to an end`() async throws {
        let document = Graph(.n8nV1, ["t -> k", "k -> f"]).document(
            ["k": "probe_keyed", "f": "probe_fail"], settings: .init(order: .n8nV1, errorWorkflow: "errors"))
        let errors = Graph(.n8nV1, ["t -> c"]).document(["c": "probe_call"])
        let (tables, migrations) = (RunTables.all + JobsModule.tables, JobsModule.migrations + RunTables.migrations)
        try await withDatabase(.sqlite, tables: tables, migrations: migrations) { lease in
            let workflow: WorkflowID = lease.ids.next()
            let rig = try await EngineRig.make(
                lease, workflow: workflow, document: document, sub: errors, resolve: { _, _ in (workflow, 1, "t") })
            _ = try await rig.start(document)
            try await rig.settle()
            #expect(outside(rig).count == Limits.callDepth / 2 + 1)
        }
    }
}
