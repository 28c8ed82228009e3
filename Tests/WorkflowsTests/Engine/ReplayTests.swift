import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Running again from a step, with the results of those before it.
@Suite(.timeLimit(.minutes(4))) struct ReplayTests {
    private func outside(_ rig: EngineRig) -> [String] { ProbeNode.outside(rig.lease.tenant).all }

    private func replay(_ rig: EngineRig, _ run: RunID, from point: ReplayPoint? = nil) async throws -> RunResult {
        let handle = try await rig.engine.replay(run, tenant: rig.lease.tenant, from: point)
        try await rig.settle()
        return await handle.finished()
    }

    private func items(_ number: Double) -> ItemList { ItemList([Item(json: ["n": .number(number)])]) }

    @Test func `a failed step runs again with other data, and nothing before it`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b", "b -> c"]).document(["a": "probe_keyed", "b": "probe_picky", "c": "probe_keyed"])
        try await withRig(document) { rig in
            let failed = try await rig.start(document).finished()
            #expect(failed.failure?.code == "picky")
            let same = try await replay(rig, failed.run)
            #expect(same.failure?.code == "picky", "with the same data it fails again")
            let edited = try await replay(rig, failed.run, from: ReplayPoint(node: "b", inputs: [items(2)]))
            #expect(edited.status == .succeeded)
            #expect(try edited.items.items().first?.json["n"] == 2)
            #expect(outside(rig) == ["a-0", "b-0", "c-0"])
            let row = try await rig.row(edited.run)
            #expect(row.replayOf == failed.run)
            let replayOfReplay = try await replay(rig, edited.run, from: ReplayPoint(node: "c"))
            #expect(try replayOfReplay.items.items().first?.json["n"] == 2, "what was edited is in the history")
            #expect(outside(rig) == ["a-0", "b-0", "c-0", "c-0"])
        }
    }

    @Test func `a run that went well is begun anew, or from any step`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_keyed", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            #expect(try await replay(rig, first.run).status == .succeeded)
            #expect(try await replay(rig, first.run, from: ReplayPoint(node: "b")).status == .succeeded)
            #expect(outside(rig) == ["a-0", "b-0", "a-0", "b-0", "b-0"])
        }
    }

    @Test func `branches beside the step stay as they were`() async throws {
        let document = Graph(.parallel, ["t -> a", "t -> b", "a -> c"]).document(["a": "probe_keyed", "b": "probe_keyed", "c": "probe_keyed"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            #expect(outside(rig).sorted() == ["a-0", "b-0", "c-0"])
            #expect(try await replay(rig, first.run, from: ReplayPoint(node: "a")).status == .succeeded)
            #expect(outside(rig).sorted() == ["a-0", "a-0", "b-0", "c-0", "c-0"])
        }
    }

    @Test func `a replay waits, is taken up from its own journal, and goes on`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> w", "w -> b"]).document(["a": "probe_keyed", "w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let first = try await rig.start(document)
            try await rig.settle()
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let handle = try await rig.engine.replay(first.run, tenant: rig.lease.tenant, from: ReplayPoint(node: "w"))
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .waiting)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .succeeded)
            #expect(outside(rig) == ["a-0", "b-0", "b-0"])
        }
    }

    @Test func `steps of called runs are called again`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_call", "b": "probe_picky"])
        try await withRig(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "probe_keyed"])) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .failed)
            _ = try await replay(rig, handle.run)
            #expect(outside(rig) == ["s-0"], "what the call gave is in the history")
            _ = try await replay(rig, handle.run, from: ReplayPoint(node: "a"))
            #expect(outside(rig) == ["s-0", "s-0"])
        }
    }

    /// Whether each run of `d` gave items that came from `a`, which wraps them.
    private func origins(_ rig: EngineRig, _ run: RunID, _ document: WorkflowDocument) async throws -> [Bool] {
        let workflow = CompiledWorkflow(document, kinds: probeKinds)
        let blobs = rig.lease.blobs
        return try await rig.lease.database.read(in: rig.lease.tenant) { tx in
            let payloads = PayloadReader(tx: tx, run: run, blobs: blobs)
            let given = try JournalStore(tx: tx).history(of: run, workflow: workflow, payloads: payloads).compactMap { event -> (Int, Bool)? in
                guard case .stepFinished(let finish) = event, finish.step.node == workflow.index(ofNode: "d") else { return nil }
                return (finish.step.runIndex, try finish.outputs.first??.items.items().first?.json["seen"] != nil)
            }
            return given.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test func `what came of a branch is not taken for that of another`() async throws {
        let document = Graph(.parallel, ["t -> a", "t -> b", "a -> d", "b -> d"]).document(["a": "probe_pure", "b": "probe_brief", "d": "probe_gate"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            // Both branches have come to `d` before either run of it ends.
            try await ProbeNode.outside(rig.lease.tenant).gathered(2)
            ProbeNode.outside(rig.lease.tenant).open()
            let first = await handle.finished()
            #expect(try await origins(rig, first.run, document) == [true, false], "the quick branch came first")
            let again = try await replay(rig, first.run, from: ReplayPoint(node: "a"))
            #expect(again.status == .succeeded)
            #expect(try await origins(rig, again.run, document) == [false, true], "the items of both branches go through, each once")
            #expect(outside(rig).filter { $0 == "b-0" }.count == 1, "the branch beside is not executed again")
        }
    }

    @Test func `a run that was cancelled while it waited for another calls that again`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_call", "b": "probe_keyed"])
        try await withRig(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "probe_keyed"])) { rig in
            let handle = try await rig.start(document)
            try await rig.engine.cancel(handle.run, tenant: rig.lease.tenant)
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .cancelled)
            #expect(try await replay(rig, handle.run).status == .succeeded)
            #expect(outside(rig).filter { $0 == "b-0" }.count == 1)
        }
    }

    @Test func `a replay leaves alone what later runs kept`() async throws {
        var document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_static", "b": "probe_keyed"])
        document.nodes[1].config = ["code": "$getWorkflowStaticData('global')"]
        let fixed = document
        try await withRig(fixed) { rig in
            let first = try await rig.start(fixed).finished()
            for _ in 0..<3 { _ = try await rig.start(fixed).finished() }
            #expect(try await replay(rig, first.run, from: ReplayPoint(node: "b")).status == .succeeded)
            let next = try await rig.start(fixed).finished()
            #expect(try next.items.items()[0].json["count"] == 5)
        }
    }

    @Test func `a correction stays when the corrected step is tried again, and a full process leaves the replay to others`() async throws {
        let document = Graph(.n8nV1, ["t -> b", "b -> c"]).document(["b": "probe_picky", "c": "probe_fail"])
        try await withRig(document) { rig in
            let failed = try await rig.start(document).finished()
            let edited = try await replay(rig, failed.run, from: ReplayPoint(node: "b", inputs: [items(2)]))
            #expect(edited.failure?.code == "odd")
            #expect(try await replay(rig, edited.run, from: ReplayPoint(node: "b")).failure?.code == "odd", "b passes with the corrected items")
            let full = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document, liveRunsMaximum: 0)
            let waiting = try await full.engine.replay(failed.run, tenant: rig.lease.tenant, from: nil)
            #expect(try await rig.row(waiting.run).status == .waiting)
            try await rig.settle()
            #expect(try await rig.row(waiting.run).failure?.code == "picky")
        }
    }

    @Test func `a replay whose first commit had no answer goes on in its process`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_keyed"])
        let isLost = Mutex(false)
        try await withRig(
            document,
            fault: { point in
                if point == .afterCommit, isLost.withLock({ $0 }) { throw PersistenceError.unavailable("the answer was lost") }
            }
        ) { rig in
            let first = try await rig.start(document).finished()
            isLost.withLock { $0 = true }
            await #expect(throws: PersistenceError.self) { try await rig.engine.replay(first.run, tenant: rig.lease.tenant, from: nil) }
            isLost.withLock { $0 = false }
            await rig.engine.recoverOwn()
            try await rig.settle()
            let status = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                try tx.first("SELECT status FROM runs WHERE tenant_id = \(tx.tenant) AND replay_of = \(first.run)") { row in
                    try row.column(0, as: RunStatus.self)
                }
            }
            #expect(status == .succeeded)
            #expect(outside(rig) == ["a-0", "a-0"])
        }
    }

    @Test func `what cannot be replayed says so`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> w", "w -> b"]).document(["w": "probe_wait"])
        try await withRig(document) { rig in
            let first = try await rig.start(document)
            try await rig.settle()
            func code(_ point: ReplayPoint?, of run: RunID) async -> String? {
                do {
                    _ = try await rig.engine.replay(run, tenant: rig.lease.tenant, from: point)
                    return nil
                } catch {
                    return (error as? Refusal)?.code
                }
            }
            #expect(await code(nil, of: first.run) == "not_over")
            try await rig.engine.cancel(first.run, tenant: rig.lease.tenant)
            try await rig.settle()
            #expect(await code(ReplayPoint(node: "nobody"), of: first.run) == "unknown_node")
            #expect(await code(ReplayPoint(node: "b"), of: first.run) == "step_not_reached")
            #expect(await code(ReplayPoint(node: "a", runIndex: 7), of: first.run) == "step_not_reached")
            #expect(await code(ReplayPoint(node: "a", inputs: [nil, items(1)]), of: first.run) == "too_many_inputs")
            #expect(await code(nil, of: RunID(high: 4, low: 2)) == "not_found")
            let other = try await rig.lease.database.read(in: rig.lease.other) { tx in try RunStore(tx: tx).find(first.run) }
            #expect(other == nil)
            await #expect(throws: Refusal.self) { try await rig.engine.replay(first.run, tenant: rig.lease.other, from: nil) }
            let resumed = try await replayed(rig, first.run)
            #expect(resumed == .waiting, "a cancelled run goes on where it was")
        }
    }

    private func replayed(_ rig: EngineRig, _ run: RunID) async throws -> RunStatus {
        let handle = try await rig.engine.replay(run, tenant: rig.lease.tenant, from: nil)
        try await rig.settle()
        return try await rig.row(handle.run).status
    }
}
