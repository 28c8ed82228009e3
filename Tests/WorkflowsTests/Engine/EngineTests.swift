import Jobs
import Kernel
import Persistence
import Synchronization
import Testing
import TestKit
@testable import Workflows

@Suite(.serialized) struct EngineTests {
    @Test func `a run without effects is saved whole in one transaction`() async throws {
        let commits = Mutex(0)
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document([:])
        try await withRig(document, fault: { if $0 == .beforeCommit { commits.withLock { $0 += 1 } } }) { rig in
            let handle = try await rig.start(document, items: [Item(json: ["text": .string(String(repeating: "x", count: 3_000))])])
            let result = await handle.finished()
            #expect(result.status == .succeeded)
            #expect(commits.withLock { $0 } == 1)
            #expect(try await rig.row(handle.run).status == .succeeded)
            let counts = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                (
                    try tx.first("SELECT count(*) FROM payloads WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) },
                    try JournalStore(tx: tx).texts(of: handle.run).count
                )
            }
            #expect(counts.0 == 1, "the same items are stored once")
            #expect(counts.1 == 3)
        }
    }

    @Test(arguments: [0, 4_000, 6_000, -6_000]) func `a run keeps its journal in its row where it ended about when its id says`(milliseconds: Int)
        async throws
    {
        let document = Graph(.n8nV1, ["t -> a"]).document([:])
        let clock = Mutex<TestClock?>(nil)
        try await withRig(
            document,
            fault: { point in if point == .beforeCommit { clock.withLock { $0?.advance(by: .milliseconds(milliseconds)) } } }
        ) { rig in
            clock.withLock { $0 = rig.lease.clock }
            let run = try await rig.start(document).finished().run
            let (isInRow, events) = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                (
                    try tx.first("SELECT 1 FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(run) AND journal IS NOT NULL") != nil,
                    try JournalStore(tx: tx).texts(of: run).count
                )
            }
            #expect(isInRow == (abs(milliseconds) <= 5_000) && events == 2)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `runs are listed by their status, newest first`(_ engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_fail"])
        let plain = Graph(.n8nV1, ["t -> a"]).document([:])
        try await withDatabase(engine, tables: RunTables.all + JobsModule.tables, migrations: JobsModule.migrations + RunTables.migrations) { lease in
            var runs: [RunID] = []
            for document in [document, plain, plain] {
                let rig = try await EngineRig.make(lease, workflow: WorkflowID(high: 9, low: 9), document: document)
                let handle = try await rig.start(document)
                _ = await handle.finished()
                runs.append(handle.run)
            }
            func listed(_ status: RunStatus?, of workflow: WorkflowID? = nil, before: RunID? = nil) async throws -> [RunID] {
                try await lease.database.read(in: lease.tenant) { tx in
                    let store = RunStore(tx: tx)
                    if let workflow { return try store.list(workflow: workflow, status: status, before: before, limit: 9).map(\.id) }
                    return try store.list(status: status, before: before, limit: 9).map(\.id)
                }
            }
            #expect(try await listed(nil) == runs.reversed())
            #expect(try await listed(.failed) == [runs[0]])
            #expect(try await listed(.succeeded, of: WorkflowID(high: 9, low: 9)) == [runs[2], runs[1]])
            #expect(try await listed(.succeeded, before: runs[2]) == [runs[1]])
            #expect(try await listed(.failed, of: WorkflowID(high: 1, low: 2)).isEmpty)
        }
    }

    @Test func `a second start with the same key is the first run`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document([:])
        try await withRig(document) { rig in
            let first = try await rig.start(document, key: "k")
            let second = try await rig.start(document, key: "k")
            #expect(first.run == second.run)
            #expect(await second.finished().status == .succeeded)
        }
    }

    @Test func `of two starts with one key whose steps fork only the first does anything outside`() async throws {
        let document = Graph(.parallel, ["t -> a", "t -> b", "a -> c"]).document(["a": "probe_pure", "b": "probe_pure", "c": "probe_keyed"])
        try await withRig(document) { rig in
            let first = try await rig.start(document, key: "k")
            #expect(await first.finished().status == .succeeded)
            let second = try await rig.start(document, key: "k")
            #expect(second.run == first.run)
            #expect(await second.finished().status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["c-0"])
        }
    }

    @Test func `who waits for a run that cannot go on for a moment is told all the same`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_keyed"])
        let isArmed = Mutex(true)
        let fault: @Sendable (Engine.FaultPoint) throws -> Void = { point in
            guard point == .afterEffect else { return }
            let dies = isArmed.withLock { isArmed in
                defer { isArmed = false }
                return isArmed
            }
            if dies { throw Death() }
        }
        try await withRig(document, fault: fault) { rig in
            let handle = try await rig.start(document)
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(!isArmed.withLock { $0 })
            await rig.engine.recoverOwn()
            #expect(await handle.finished().status == .succeeded)
        }
    }

    @Test func `a keyed step is saved before and after, and its run goes on behind the answer`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_keyed", "b": "probe_answer"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            #expect(await handle.answer()?.status == 201)
            #expect(await handle.finished().status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["a-0"])
        }
    }

    @Test func `a failed run keeps its failure and starts the error workflow`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_fail"], settings: .init(order: .n8nV1, errorWorkflow: "errors"))
        try await withRig(document, sub: Graph(.n8nV1, ["t -> log"]).document(["log": "probe_keyed"])) { rig in
            let handle = try await rig.start(document)
            let result = await handle.finished()
            #expect(result.failure?.code == "odd")
            #expect(try await rig.row(handle.run).failure?.message == "it fails")
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["log-0"])
        }
    }

    @Test func `the error workflow is told where the failed run is shown`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_fail"], settings: .init(order: .n8nV1, errorWorkflow: "errors"))
        try await withRig(document, sub: Graph(.n8nV1, ["t -> log"]).document(["log": "probe_told"])) { rig in
            let handle = try await rig.start(document)
            #expect(await handle.finished().status == .failed)
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["http://platform.test/executions/\(handle.run)"])
        }
    }

    @Test func `a workflow with an error trigger that names no error workflow is its own`() async throws {
        let graph = Graph(.n8nV1, ["t -> a", "failed -> log"]).changing("failed") { $0.category = .trigger }
        let kinds = ["a": "probe_fail", "failed": "error", "log": "probe_keyed"]
        let document = graph.document(kinds)
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            #expect(await handle.finished().status == .failed)
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["log-0"])
        }
        let disabled = graph.changing("failed") { $0.disabled = true }.document(kinds)
        try await withRig(disabled) { rig in
            let handle = try await rig.start(disabled)
            #expect(await handle.finished().status == .failed)
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == [])
        }
    }

    @Test func `a wait leaves memory and is taken up when its time has come`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .waiting)
            #expect(rig.engine.liveRuns == 0)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["b-0"])
        }
    }

    @Test func `a waiting run can be cancelled`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            try await rig.engine.cancel(handle.run, tenant: rig.lease.tenant)
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .cancelled)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == [])
        }
    }

    @Test func `a run that is at work longer than its workflow allows fails, and starts the error workflow`() async throws {
        let settings = WorkflowSettings(order: .n8nV1, errorWorkflow: "errors", timeoutSeconds: 1)
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_slow"], settings: settings)
        try await withRig(document, sub: Graph(.n8nV1, ["t -> log"]).document(["log": "probe_keyed"])) { rig in
            let result = await (try await rig.start(document)).finished()
            #expect(result.failure?.code == "timed_out")
            #expect(try await rig.row(result.run).status == .failed)
            try await rig.settle()
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["log-0"])
        }
    }

    @Test func `a run that was taken up again keeps the time zone it began with`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_wait", "b": "probe_zone"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document, timeZone: "Asia/Tokyo")
            try await rig.settle()
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let items = try await handle.finished().items.items()
            #expect(items.first?.json["zone"] == "Asia/Tokyo")
        }
    }

    @Test func `a step that calls another workflow goes on with what its runs gave`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_call", "b": "probe_pure"])
        try await withRig(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "probe_pure"])) { rig in
            let handle = try await rig.start(document, items: [Item(json: ["n": 1]), Item(json: ["n": 2])])
            try await rig.settle()
            let row = try await rig.row(handle.run)
            #expect(row.status == .succeeded)
            let blobs = rig.lease.blobs
            let result = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                try PayloadReader(tx: tx, run: row.id, blobs: blobs).result(row)
            }
            #expect(result.count == 2)
            #expect(String(decoding: result.bytes, as: UTF8.self).contains(#"{"seen":{"seen":{"n":2}}}"#))
        }
    }

    @Test func `static data is kept from run to run`() async throws {
        var document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_static"])
        document.nodes[1].config = ["code": "$getWorkflowStaticData('global')"]
        let fixed = document
        try await withRig(fixed) { rig in
            _ = try await rig.start(fixed).finished()
            let second = try await rig.start(fixed).finished()
            #expect(try second.items.items()[0].json["count"] == 2)
        }
    }

    @Test func `a stale process cannot write to a run that was taken over`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_wait"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            let run = handle.run
            await #expect(throws: RunAbandoned.self) {
                try await rig.lease.database.write(in: rig.lease.tenant) { tx in
                    try JournalStore(tx: tx).append(
                        [
                            .init(
                                seq: 9, kind: .fired, node: "a", runIndex: 0, attempt: 1, at: tx.clock.now(),
                                text: JournalText(headText: JSON.object([:]).bytes, lists: []))
                        ],
                        as: .rows([Array("{}".utf8)]), run: run,
                        epoch: 77)
                }
            }
        }
    }

    @Test func `a start that must wait keeps to its key too`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document([:])
        try await withRig(document, liveRunsMaximum: 0) { rig in
            let first = try await rig.start(document, key: "k")
            let second = try await rig.start(document, key: "k")
            let other = try await rig.start(document, key: "l")
            #expect(first.run == second.run && first.run != other.run)
            let row = try await rig.row(first.run)
            #expect(row.status == .queued)
        }
    }

    struct Death: Error {}

    /// Dies at the n-th fault point, and at every one after it.
    final class Killer: Sendable {
        let left: Mutex<Int>
        init(after count: Int) { left = Mutex(count) }
        func reach(_ point: Engine.FaultPoint) throws {
            let isDead = left.withLock { left in
                left -= 1
                return left < 0
            }
            if isDead { throw Death() }
        }
    }

    @Test(arguments: WorkflowSettings.Order.allCases)
    func `a run survives the death of its process at every boundary, and repeats at most the step in flight`(order: WorkflowSettings.Order)
        async throws
    {
        let graph = Graph(order, ["t -> a", "a -> w", "w -> b", "b -> c"])
        let document = graph.document(["a": "probe_keyed", "w": "probe_wait", "b": "probe_keyed", "c": "probe_pure"])
        for cut in 0..<14 {
            let killer = Killer(after: cut)
            try await withRig(document, fault: { try killer.reach($0) }) { rig in
                let run = try? await rig.start(document).run
                try await Task.sleep(for: .milliseconds(5))
                rig.lease.clock.advance(by: .seconds(61))
                _ = try? await rig.timers.fireDue()
                try await Task.sleep(for: .milliseconds(5))
                let heir = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document)
                try await heir.engine.recover()
                for _ in 0..<3 {
                    try await heir.settle()
                    rig.lease.clock.advance(by: .seconds(120))
                }
                let hits = ProbeNode.outside(rig.lease.tenant).all
                guard let run else {
                    // Never acknowledged: it may or may not have been written, but what was written ended.
                    #expect(hits.count <= 2)
                    return
                }
                let row = try await heir.row(run)
                #expect(row.status == .succeeded, "cut \(cut)")
                #expect(Set(hits) == ["a-0", "b-0"], "cut \(cut)")
                #expect(hits.count <= 3, "cut \(cut): one step was in flight, so one may be repeated: \(hits)")
            }
        }
    }

    @Test func `a step that may not be repeated leaves its run uncertain`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_once"])
        let isArmed = Mutex(true)
        try await withRig(document, fault: { if $0 == .afterEffect, isArmed.withLock({ $0 }) { throw Death() } }) { rig in
            let run = try await rig.start(document).run
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(2)) }
            let heir = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document)
            #expect(try await heir.engine.recover() == 1)
            try await heir.settle()
            #expect(try await heir.row(run).status == .uncertain)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["a-0"])
            let isRepeated = try await heir.engine.repeatUncertain(run, tenant: rig.lease.tenant)
            #expect(isRepeated)
            try await heir.settle()
            #expect(try await heir.row(run).status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["a-0", "a-0"])
            let isRepeatedAgain = try await heir.engine.repeatUncertain(run, tenant: rig.lease.tenant)
            #expect(!isRepeatedAgain)
        }
    }

    @Test func `a step in flight that may not be repeated leaves its run uncertain also where its tenant has moved`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_once"])
        try await withRig(document, fault: { if $0 == .afterEffect { throw Death() } }) { rig in
            let tenant = rig.lease.tenant
            let run = try await rig.start(document).run
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(2)) }
            try await rig.lease.database.write(in: tenant) { tx in
                try tx.execute("UPDATE runs SET epoch = 0 WHERE tenant_id = \(tx.tenant)")
                try tx.system.execute("UPDATE run_owners SET epoch = 0 WHERE tenant_id = \(tx.tenant.id)")
            }
            let heir = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document)
            #expect(try await heir.engine.recover() == 1)
            try await heir.settle()
            #expect(try await heir.row(run).status == .uncertain)
            #expect(ProbeNode.outside(tenant).all == ["a-0"])
        }
    }

    @Test func `a run that is uncertain has not ended, and its end is counted once`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_once"])
        try await withRig(document, fault: { if $0 == .afterEffect { throw Death() } }) { rig in
            let run = try await rig.start(document).run
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(2)) }
            let ends = Mutex<[RunStatus]>([])
            let heir = try await EngineRig.make(
                rig.lease, workflow: rig.workflow, document: document, onFinish: { _, _, status, _ in ends.withLock { $0.append(status) } })
            try await heir.engine.recover()
            try await heir.settle()
            #expect(try await heir.row(run).status == .uncertain)
            #expect(ends.withLock { $0 } == [])
            let isRepeated = try await heir.engine.repeatUncertain(run, tenant: rig.lease.tenant)
            #expect(isRepeated)
            try await heir.settle()
            #expect(ends.withLock { $0 } == [.succeeded])
        }
    }
}
