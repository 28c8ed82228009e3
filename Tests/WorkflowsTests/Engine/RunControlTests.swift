import Jobs
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Pausing, resuming, cancelling, and the limits of a step.
@Suite(.timeLimit(.minutes(4))) struct RunControlTests {
    private func outside(_ rig: EngineRig) -> [String] { ProbeNode.outside(rig.lease.tenant).all }

    @Test func `a paused run stays where it is until it is let go`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let (run, tenant) = (try await rig.start(document).run, rig.lease.tenant)
            try await rig.settle()
            #expect(try await rig.engine.pause(run, tenant: tenant))
            #expect(try await !rig.engine.pause(run, tenant: tenant))
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(try await rig.row(run).shownStatus == "paused")
            #expect(outside(rig) == [])
            #expect(try await rig.engine.unpause(run, tenant: tenant))
            #expect(try await !rig.engine.unpause(run, tenant: tenant))
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
            #expect(outside(rig) == ["b-0"])
            #expect(try await !rig.engine.pause(run, tenant: tenant))
        }
    }

    @Test func `where a stranger's account is taken over, the tenant's runs stay where they are until somebody lets them go`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let (runs, tenant) = ([try await rig.start(document).run, try await rig.start(document).run], rig.lease.tenant)
            try await rig.settle()
            func pause(in tenant: TenantID) async throws -> Int {
                try await rig.lease.database.write(in: tenant) { tx in try RunStore(tx: tx).pauseAll() }
            }
            #expect(try await pause(in: rig.lease.other) == 0)
            #expect(try await pause(in: tenant) == 2)
            #expect(try await pause(in: tenant) == 0)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            for run in runs { #expect(try await rig.row(run).shownStatus == "paused") }
            #expect(outside(rig) == [])
            #expect(try await rig.engine.unpause(runs[0], tenant: tenant))
            try await rig.settle()
            #expect(try await rig.row(runs[0]).status == .succeeded)
            #expect(try await rig.row(runs[1]).shownStatus == "paused")
        }
    }

    @Test func `a run is not paused, let go or cancelled without what is recorded of it`() async throws {
        struct Unrecorded: Error {}
        let document = Graph(.n8nV1, ["t -> w"]).document(["w": "probe_wait"])
        try await withRig(document) { rig in
            let (run, tenant) = (try await rig.start(document).run, rig.lease.tenant)
            try await rig.settle()
            await #expect(throws: Unrecorded.self) { try await rig.engine.pause(run, tenant: tenant) { _ in throw Unrecorded() } }
            #expect(try await rig.row(run).pausedAt == nil)
            #expect(try await rig.engine.pause(run, tenant: tenant))
            await #expect(throws: Unrecorded.self) { try await rig.engine.unpause(run, tenant: tenant) { _ in throw Unrecorded() } }
            #expect(try await rig.row(run).pausedAt != nil)
            await #expect(throws: Unrecorded.self) { try await rig.engine.cancel(run, tenant: tenant) { _ in throw Unrecorded() } }
            try await rig.settle()
            #expect(try await rig.row(run).status == .waiting)
        }
    }

    @Test func `a run's mark is another after every change, and the same as long as nothing happens`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let (run, tenant, database) = (try await rig.start(document).run, rig.lease.tenant, rig.lease.database)
            func mark() async throws -> String? { try await database.read(in: tenant) { tx in try RunStore(tx: tx).mark(of: run) } }
            try await rig.settle()
            var marks = [try await mark()]
            let again = try await mark()
            #expect(again == marks[0])
            #expect(try await rig.engine.pause(run, tenant: tenant))
            marks.append(try await mark())
            #expect(try await rig.engine.unpause(run, tenant: tenant))
            try await rig.settle()
            marks.append(try await mark())
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            marks.append(try await mark())
            #expect(try await rig.row(run).status == .succeeded)
            #expect(!marks.contains(nil) && marks[1] != marks[0] && marks[2] != marks[1] && marks[3] != marks[2])
            let foreign = try await database.read(in: rig.lease.other) { tx in try RunStore(tx: tx).mark(of: run) }
            #expect(foreign == nil)
        }
    }

    @Test(arguments: [WorkflowSettings.Order.n8nV1, .parallel])
    func `a run at work ends the step in flight and goes no further`(_ order: WorkflowSettings.Order) async throws {
        let document = Graph(order, ["t -> a", "t -> c", "a -> b"]).document(["a": "probe_gate", "b": "probe_keyed", "c": "probe_gate"])
        try await withRig(document) { rig in
            let gate = ProbeNode.outside(rig.lease.tenant)
            let handle = try await rig.start(document)
            try await gate.gathered(order == .parallel ? 2 : 1)
            #expect(try await rig.engine.pause(handle.run, tenant: rig.lease.tenant))
            gate.open()
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            let row = try await rig.row(handle.run)
            #expect(row.shownStatus == "paused" && row.epoch == 0)
            let before = outside(rig)
            #expect(before.contains("a-0") && !before.contains("b-0"))
            #expect(try await rig.engine.unpause(handle.run, tenant: rig.lease.tenant))
            try await rig.settle()
            #expect(await handle.finished().status == .succeeded)
            #expect(outside(rig).sorted() == ["a-0", "b-0", "c-0"])
        }
    }

    @Test func `a run that is let go while it is being paused goes on`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_gate", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let gate = ProbeNode.outside(rig.lease.tenant)
            let handle = try await rig.start(document)
            try await gate.gathered(1)
            #expect(try await rig.engine.pause(handle.run, tenant: rig.lease.tenant))
            #expect(try await rig.engine.unpause(handle.run, tenant: rig.lease.tenant))
            gate.open()
            try await rig.settle()
            #expect(await handle.finished().status == .succeeded)
            #expect(outside(rig) == ["a-0", "b-0"])
        }
    }

    @Test func `a paused run can be cancelled`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let (run, tenant) = (try await rig.start(document).run, rig.lease.tenant)
            try await rig.settle()
            #expect(try await rig.engine.pause(run, tenant: tenant))
            try await rig.engine.cancel(run, tenant: tenant)
            try await rig.settle()
            #expect(try await rig.row(run).status == .cancelled)
        }
    }

    @Test func `a run in the hands of another process is cancelled and paused by asking`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_slow", "b": "probe_keyed"])
        try await withRig(document) { owner in
            let handle = try await owner.start(document)
            let other = try await EngineRig.make(owner.lease, workflow: owner.workflow, document: document)
            try await other.engine.cancel(handle.run, tenant: owner.lease.tenant)
            #expect(try await owner.row(handle.run).status == .running)
            try await owner.engine.heed()
            #expect(await handle.finished().status == .cancelled)
        }
    }

    @Test func `the run of a dead process that was paused stays paused, and cancelled ends`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_slow", "b": "probe_keyed"])
        try await withRig(document) { owner in
            let tenant = owner.lease.tenant
            let (paused, cancelled) = (try await owner.start(document).run, try await owner.start(document).run)
            await owner.engine.stop()
            let other = try await EngineRig.make(owner.lease, workflow: owner.workflow, document: document)
            #expect(try await other.engine.pause(paused, tenant: tenant))
            try await other.engine.cancel(cancelled, tenant: tenant)
            #expect(try await other.engine.recover() == 2)
            while other.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            let rows = (try await other.row(paused), try await other.row(cancelled))
            #expect(rows.0.shownStatus == "paused" && rows.0.epoch == 0)
            #expect(rows.1.status == .cancelled)
        }
    }

    /// Runs of `body` whose process dies at its next commit once that is asked for.
    private func withMortalRig(_ document: WorkflowDocument, _ body: (EngineRig, _ isDying: @escaping @Sendable (Bool) -> Void) async throws -> Void)
        async throws
    {
        let dies = Mutex(false)
        let fault: @Sendable (Engine.FaultPoint) throws -> Void = { point in
            if point == .beforeCommit, dies.withLock({ $0 }) { throw EngineTests.Death() }
        }
        try await withRig(document, fault: fault) { rig in
            try await body(rig) { isDying in dies.withLock { $0 = isDying } }
        }
    }

    @Test(arguments: ["probe_gate", "probe_wait"])
    func `a run that was cancelled stays so although its process died before its end was written`(_ kind: String) async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": kind, "b": "probe_keyed"])
        try await withMortalRig(document) { owner, isDying in
            let tenant = owner.lease.tenant
            let run = try await owner.start(document).run
            while kind == "probe_wait", owner.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            isDying(true)
            try await owner.engine.cancel(run, tenant: tenant)
            while owner.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await owner.row(run).status == .running)
            ProbeNode.outside(tenant).open()
            let heir = try await EngineRig.make(owner.lease, workflow: owner.workflow, document: document)
            #expect(try await heir.engine.recover() == 1)
            try await heir.settle()
            #expect(try await heir.row(run).status == .cancelled)
            #expect(outside(heir) == [])
        }
    }

    @Test func `an answer that a run waits for is written before anybody is told that it was taken`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withMortalRig(document) { rig, isDying in
            let (run, tenant) = (try await rig.start(document).run, rig.lease.tenant)
            try await rig.settle()
            func answer() async throws -> RunHandle? {
                try await rig.engine.answer(run, tenant: tenant, with: .single) { machine in
                    machine.workflow.index(ofNode: "w").map { StepKey(node: $0, runIndex: 0) }
                }
            }
            isDying(true)
            await #expect(throws: EngineTests.Death.self) { try await answer() }
            isDying(false)
            await rig.engine.recoverOwn()
            try await rig.settle()
            #expect(try await answer() != nil)
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
            #expect(outside(rig) == ["b-0"])
        }
    }

    @Test func `who waits for a run is told although it was paused meanwhile`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            #expect(try await rig.engine.pause(handle.run, tenant: rig.lease.tenant))
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(try await rig.engine.unpause(handle.run, tenant: rig.lease.tenant))
            try await rig.settle()
            #expect(await handle.finished().status == .succeeded)
        }
    }

    /// A run whose commits failed from its first step on, until the database was back.
    private func withRunCutOff(_ body: (EngineRig, RunID) async throws -> Void) async throws {
        let isAway = Mutex(false)
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_gate", "b": "probe_keyed"])
        let fault: @Sendable (Engine.FaultPoint) throws -> Void = { point in
            if point == .beforeCommit, isAway.withLock({ $0 }) { throw PersistenceError.unavailable("away") }
        }
        try await withRig(document, fault: fault) { rig in
            let gate = ProbeNode.outside(rig.lease.tenant)
            let handle = try await rig.start(document)
            try await gate.gathered(1)
            isAway.withLock { $0 = true }
            gate.open()
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await rig.row(handle.run).status == .running)
            isAway.withLock { $0 = false }
            try await body(rig, handle.run)
        }
    }

    @Test func `a run that could not go on is taken up again by its own process`() async throws {
        try await withRunCutOff { rig, run in
            await rig.engine.recoverOwn()
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
        }
    }

    @Test func `a run whose commit is refused each time is tried less and less often, and goes on once it is taken`() async throws {
        let isRefused = Mutex(false)
        let refusals = Mutex(0)
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_gate", "b": "probe_keyed"])
        let fault: @Sendable (Engine.FaultPoint) throws -> Void = { point in
            guard point == .beforeCommit, isRefused.withLock({ $0 }) else { return }
            refusals.withLock { $0 += 1 }
            throw PersistenceError.driver(code: "22021", message: "refused")
        }
        try await withRig(document, fault: fault) { rig in
            let gate = ProbeNode.outside(rig.lease.tenant)
            let handle = try await rig.start(document)
            try await gate.gathered(1)
            isRefused.withLock { $0 = true }
            gate.open()
            func look() async throws {
                await rig.engine.recoverOwn()
                while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            for _ in 0..<20 { try await look() }
            #expect((Setbacks.patience..<20).contains(refusals.withLock { $0 }))
            isRefused.withLock { $0 = false }
            for _ in 0..<1_200 where try await rig.row(handle.run).status == .running {
                try await Task.sleep(for: .milliseconds(50))
                try await look()
            }
            #expect(try await rig.row(handle.run).status == .succeeded)
        }
    }

    @Test func `a run whose commit shows only later is taken up all the same`() async throws {
        try await withRunCutOff { rig, run in
            let tenant = rig.lease.tenant
            func own(by epoch: Int64) async throws {
                try await rig.lease.database.write(in: tenant) { tx in
                    _ = try tx.execute("UPDATE runs SET epoch = \(epoch) WHERE tenant_id = \(tx.tenant) AND id = \(run)")
                }
            }
            let epoch = try await rig.row(run).epoch
            try await own(by: epoch + 1_000)
            await rig.engine.recoverOwn()
            #expect(rig.engine.liveRuns == 0)
            try await own(by: epoch)
            await rig.engine.recoverOwn()
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
        }
    }

    @Test func `a call of a workflow that is not there fails its step`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withRig(document, resolve: { _, _ in throw StepFailure("no_such_workflow", "There is none.") }) { rig in
            let result = try await rig.start(document).finished()
            #expect(result.failure?.code == "no_such_workflow")
        }
    }

    @Test func `an attempt that takes longer than its node allows fails`() async throws {
        var document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_slow"])
        document.nodes[1].timeoutSeconds = 1
        let fixed = document
        try await withRig(fixed) { rig in
            let result = try await rig.start(fixed).finished()
            #expect(result.failure?.code == "step_timed_out" && result.failure?.isRetryable == true)
        }
    }

    @Test func `waits double up to their cap, and jitter takes up to half away`() {
        func waits(_ retry: WorkflowNode.Retry) -> [Duration] {
            let document = WorkflowDocument(name: "w", nodes: [.init(id: "a", category: .action, kind: "no_op", name: "a", retry: retry)])
            let node = CompiledWorkflow(document, kinds: probeKinds).nodes[0]
            return (1...5).map { node.retryWait(after: $0, at: Timestamp(microseconds: Int64($0) * 1_234_567)) }
        }
        let plain = waits(.init(attempts: 6, waitMilliseconds: 1_000))
        #expect(plain == Array(repeating: .seconds(1), count: 5))
        let doubled = waits(.init(attempts: 6, waitMilliseconds: 1_000, backoff: .exponential, maxWaitMilliseconds: 5_000))
        #expect(doubled == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
        let jittered = waits(.init(attempts: 6, waitMilliseconds: 1_000, backoff: .exponential, maxWaitMilliseconds: 5_000, jitter: true))
        #expect(zip(jittered, doubled).allSatisfy { $0 <= $1 && $0 >= $1 / 2 })
        #expect(jittered != doubled)
        let days = waits(.init(attempts: 20, waitMilliseconds: 604_800_000, backoff: .exponential))
        #expect(days.allSatisfy { $0 == .seconds(604_800) })
    }

    @Test func `a document keeps its retries and limits`() throws {
        let retry = WorkflowNode.Retry(attempts: 12, waitMilliseconds: 500, backoff: .exponential, maxWaitMilliseconds: 86_400_000, jitter: true)
        let document = WorkflowDocument(
            name: "w", nodes: [.init(id: "a", category: .action, kind: "no_op", name: "a", retry: retry, timeoutSeconds: 30)])
        let read = try WorkflowDocument(stored: document.json.bytes)
        #expect(read.nodes[0].retry == retry && read.nodes[0].timeoutSeconds == 30)
    }

    @Test func `a list is written once in a run, and counted with the figures of its hour`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b", "b -> c", "c -> d"]).document(["b": "probe_pure"])
        try await withRig(document) { rig in
            let (database, tenant) = (rig.lease.database, rig.lease.tenant)
            let note = (0..<150).map { "word\($0)" }.joined(separator: " ")
            let run = try await rig.start(document, items: [Item(json: ["note": .string(note)])]).finished().run
            let row = try await rig.row(run)
            let blobs = rig.lease.blobs
            let (input, texts, result) = try await database.read(in: tenant) { tx in
                let texts = try JournalStore(tx: tx).texts(of: run)
                return (try RunStore(tx: tx).inputText(run), texts, try PayloadReader(tx: tx, run: run, blobs: blobs).result(row))
            }
            #expect(try #require(input).lists.count == 1 && texts.map(\.lists.count) == [0, 0, 1, 0, 0])
            #expect(texts[0].head["outputs"]?[0]?["items"] == "@" && texts[4].head["outputs"]?[0]?["items"] == "@2.1")
            #expect(try result.items().first?.json["seen"]?["note"] == .string(note))
            #expect(row.input.count < note.utf8.count, "it is compressed")

            func used() async throws -> Int { try await database.read(in: tenant) { try StorageUse(tx: $0).bytes() } }
            #expect(try await used() == 0)
            rig.lease.clock.advance(by: .seconds(3_600))
            try await Figures(database: database, clock: rig.lease.clock.clock).fold(of: tenant)
            let stored = try await used()
            #expect(stored > 2 * note.utf8.count)
            let later = try await rig.start(document, items: [Item(json: ["note": .string(note)])]).finished().run
            try await database.write(in: tenant) { try RunStore(tx: $0).remove(later) }
            #expect(try await used() == stored, "what was not counted is not given back")
            try await database.write(in: tenant) { try RunStore(tx: $0).remove(run) }
            #expect(try await used() == 0)
        }
    }

    @Test func `a text of an earlier program is read, and damage is told`() throws {
        let old = try JournalText(stored: Array(#"{"items":"=[{\"json\":{}}]","count":1}"#.utf8))
        #expect(old.lists.isEmpty && old.head["count"] == 1)
        let text = JournalText(headText: JSON.object(["items": "=1"]).bytes, lists: [Array(repeating: UInt8(ascii: "x"), count: 3_000)])
        let (bytes, size) = text.stored
        let read = try JournalText(stored: bytes)
        #expect(bytes.count < 100 && size > 3_000 && read.lists == text.lists && read.head == text.head && read.size == size)
        #expect(throws: (any Error).self) { try JournalText(stored: Array(bytes.dropLast(9))) }
        #expect(throws: (any Error).self) { try JournalText(stored: []) }
    }

    @Test func `a deleted run gives back what it stored, and what another run uses stays`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_pure"])
        try await withRig(document) { rig in
            let (shared, own) = (String(repeating: "s", count: 4_000), String(repeating: "o", count: 4_000))
            let runs = [
                try await rig.start(document, items: [Item(json: ["n": .string(shared)])]).finished().run,
                try await rig.start(document, items: [Item(json: ["n": .string(shared)])]).finished().run,
                try await rig.start(document, items: [Item(json: ["n": .string(own)])]).finished().run
            ]
            func used() async throws -> Int { try await rig.lease.database.read(in: rig.lease.tenant) { try StorageUse(tx: $0).bytes() } }
            func remove(_ run: RunID) async throws { try await rig.lease.database.write(in: rig.lease.tenant) { try RunStore(tx: $0).remove(run) } }
            // What came in and what the step made of it, of each of the two texts.
            let each = try await used() / 2
            #expect(each > 8_000)
            try await remove(runs[0])
            #expect(try await used() == each * 2)
            try await remove(runs[2])
            #expect(try await used() == each)
            try await remove(runs[1])
            #expect(try await used() == 0)
        }
    }

    @Test func `called runs and their caller give back all that they stored`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withRig(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "probe_pure"])) { rig in
            let (database, tenant) = (rig.lease.database, rig.lease.tenant)
            let items = ["x", "y"].map { Item(json: ["n": .string(String(repeating: $0, count: 4_000))]) }
            let handle = try await rig.start(document, items: items)
            try await rig.settle()
            #expect(try await rig.row(handle.run).status == .succeeded)
            func used() async throws -> Int { try await database.read(in: tenant) { try StorageUse(tx: $0).bytes() } }
            #expect(try await used() > 0)
            try await database.write(in: tenant) { tx in
                let runs = RunStore(tx: tx)
                for called in try runs.returned(to: handle.run) { try runs.remove(called.id) }
                try runs.remove(handle.run)
            }
            #expect(try await used() == 0)
        }
    }
}
