import Jobs
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Workflows that allow only so many runs at once.
@Suite(.timeLimit(.minutes(4))) struct ConcurrencyTests {
    private func document(_ rule: WorkflowSettings.Concurrency, _ kind: String = "probe_wait") -> WorkflowDocument {
        Graph(.n8nV1, ["t -> a"]).document(["a": kind], settings: .init(order: .n8nV1, concurrency: rule))
    }

    private func item(_ key: String) -> [Item] { [Item(json: ["key": .string(key)])] }

    private func statuses(_ rig: EngineRig, _ handles: [RunHandle]) async throws -> [RunStatus] {
        var found: [RunStatus] = []
        for handle in handles { found.append(try await rig.row(handle.run).status) }
        return found
    }

    @Test func `further runs wait, and each end lets the next one begin`() async throws {
        let document = document(.init(limit: 2))
        try await withRig(document) { rig in
            var handles: [RunHandle] = []
            for _ in 0..<5 {
                handles.append(try await rig.start(document))
                try await rig.settle()
            }
            #expect(try await statuses(rig, handles) == [.waiting, .waiting, .queued, .queued, .queued])
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            #expect(try await statuses(rig, handles) == [.succeeded, .succeeded, .waiting, .waiting, .queued])
            try await rig.engine.cancel(handles[4].run, tenant: rig.lease.tenant)
            try await rig.engine.cancel(handles[2].run, tenant: rig.lease.tenant)
            try await rig.settle()
            let last = try await rig.start(document)
            try await rig.settle()
            #expect(try await statuses(rig, handles + [last]) == [.succeeded, .succeeded, .cancelled, .waiting, .cancelled, .waiting])
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let left = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                try tx.first("SELECT count(*) FROM run_slots WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: Int.self) }
            }
            #expect(left == 0)
        }
    }

    @Test func `runs of another key do not count`() async throws {
        let document = document(.init(limit: 1, key: "=$json.key"))
        try await withRig(document) { rig in
            var handles: [RunHandle] = []
            for key in ["a", "b", "a"] { handles.append(try await rig.start(document, items: item(key))) }
            try await rig.settle()
            #expect(try await statuses(rig, handles) == [.waiting, .waiting, .queued])
        }
    }

    @Test func `a key is kept as every database takes it`() async throws {
        let document = document(.init(limit: 1, key: "=$json.key"))
        try await withRig(document) { rig in
            _ = try await rig.start(document, items: item("a\0"))
            let keys = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                try tx.all("SELECT slot_key FROM run_slots WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: String.self) }
            }
            #expect(keys == ["a\u{FFFD}"])
        }
    }

    @Test func `a run without a place is refused where the workflow says so, and leaves nothing`() async throws {
        let document = document(.init(limit: 1, whenFull: .skip))
        try await withRig(document) { rig in
            let first = try await rig.start(document, key: "k")
            try await rig.settle()
            #expect(try await rig.start(document, key: "k").run == first.run)
            let refusal = await #expect(throws: Refusal.self) { try await rig.start(document) }
            #expect(refusal?.code == "concurrency_limit")
            let runs = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).list(before: nil, limit: 9).count }
            #expect(runs == 1)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let next = try await rig.start(document)
            try await rig.settle()
            #expect(try await statuses(rig, [first, next]) == [.succeeded, .waiting])
        }
    }

    @Test func `the newest takes the place of the oldest`() async throws {
        let document = document(.init(limit: 1, whenFull: .cancelOldest))
        try await withRig(document) { rig in
            var handles: [RunHandle] = []
            for _ in 0..<3 {
                handles.append(try await rig.start(document))
                try await rig.settle()
            }
            #expect(try await statuses(rig, handles) == [.cancelled, .cancelled, .waiting])
        }
    }

    /// Writes a run as a process does that dies right after its commit.
    private func write(_ document: WorkflowDocument, _ rig: EngineRig) async throws -> RunID {
        let facts = RunFacts(
            id: rig.lease.ids.next(), tenant: rig.lease.tenant, workflow: rig.workflow, version: 1, mode: "webhook", timeZone: "UTC")
        let new = NewRun(
            facts: facts, trigger: "t", items: ItemList(item("a")), idempotencyKey: nil, parent: nil, createdAt: rig.lease.clock.now)
        let admission = try await rig.engine.admission(of: new, CompiledWorkflow(document, kinds: probeKinds))
        _ = try await rig.lease.database.write(in: rig.lease.tenant) { tx in try Admission.enter(new, admission, tx) }
        return facts.id
    }

    @Test func `the oldest ends also where the process dies before it cancels it`() async throws {
        let document = document(.init(limit: 1, whenFull: .cancelOldest))
        try await withRig(document) { rig in
            let first = try await rig.start(document)
            try await rig.settle()
            let second = try await write(document, rig)
            let third = try await write(document, rig)
            try await rig.settle()
            #expect(try await rig.row(first.run).status == .cancelled)
            #expect(try await rig.row(second).status == .cancelled)
            #expect(try await rig.row(third).status == .waiting)
        }
    }

    @Test func `the oldest ends also where the process dies that took it up to cancel it`() async throws {
        let document = document(.init(limit: 1, whenFull: .cancelOldest))
        try await withRig(document) { rig in
            let tenant = rig.lease.tenant
            let first = try await rig.start(document)
            try await rig.settle()
            let second = try await write(document, rig)
            _ = try await rig.engine.take(first.run, tenant: tenant, from: 0, to: rig.worker.epoch, evenPaused: true, wasHeld: false)
            let heir = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document)
            #expect(try await heir.engine.recover() == 1)
            try await heir.settle()
            #expect(try await heir.row(first.run).status == .cancelled)
            #expect(try await heir.row(second).status == .waiting)
        }
    }

    @Test func `the oldest is cancelled by the process that works on it also where the other one dies`() async throws {
        let document = document(.init(limit: 1, whenFull: .cancelOldest), "probe_gate")
        try await withRig(document) { rig in
            let first = try await rig.start(document)
            let second = try await write(document, rig)
            try await rig.engine.heed()
            #expect(await first.finished().status == .cancelled)
            ProbeNode.outside(rig.lease.tenant).open()
            try await rig.settle()
            #expect(try await rig.row(second).status == .succeeded)
        }
    }

    @Test func `a run that is saved counts as started where the database is away before it is taken up`() async throws {
        let document = document(.init(limit: 1), "probe_keyed")
        try await withRig(document) { rig in
            let writes = Mutex(0)
            let lease = rig.lease.failing {
                let count = writes.withLock { writes in
                    writes += 1
                    return writes
                }
                if count == 2 { throw PersistenceError.unavailable("away") }
            }
            let frail = try await EngineRig.make(lease, workflow: rig.workflow, document: document)
            let handle = try await frail.start(document)
            await frail.engine.recoverOwn()
            try await frail.settle()
            #expect(await handle.finished().status == .succeeded)
            let runs = try await lease.database.read(in: lease.tenant) { tx in try RunStore(tx: tx).list(before: nil, limit: 9).count }
            #expect(runs == 1)
            #expect(ProbeNode.outside(lease.tenant).all == ["a-0"])
        }
    }

    @Test func `an uncertain run keeps its place until it ends`() async throws {
        let document = document(.init(limit: 1), "probe_once")
        try await withRig(document, fault: { if $0 == .afterEffect { throw EngineTests.Death() } }) { rig in
            let first = try await rig.start(document)
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(2)) }
            let heir = try await EngineRig.make(rig.lease, workflow: rig.workflow, document: document)
            #expect(try await heir.engine.recover() == 1)
            try await heir.settle()
            let second = try await heir.start(document)
            try await heir.settle()
            #expect(try await statuses(heir, [first, second]) == [.uncertain, .queued])
            #expect(try await heir.engine.repeatUncertain(first.run, tenant: rig.lease.tenant))
            try await heir.settle()
            #expect(try await statuses(heir, [first, second]) == [.succeeded, .succeeded])
        }
    }

    @Test func `many at once never pass the limit`() async throws {
        let document = document(.init(limit: 3), "probe_crowd")
        try await withRig(document) { rig in
            let handles = try await withThrowingTaskGroup(of: RunHandle.self) { group in
                for _ in 0..<12 { group.addTask { try await rig.start(document) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            var most = 0
            while true {
                let running = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                    try RunStore(tx: tx).list(status: .running, before: nil, limit: 99).count
                }
                most = max(most, running)
                let over = try await statuses(rig, handles).filter(\.isOver)
                if over.count == handles.count { break }
                _ = try await rig.timers.fireDue()
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(most <= 3)
            #expect(ProbeNode.outside(rig.lease.tenant).most == 3)
            #expect(ProbeNode.outside(rig.lease.tenant).all.count == 12)
        }
    }

    @Test func `a key that cannot be told refuses the start`() async throws {
        let document = document(.init(limit: 1, key: "=$('nobody').item.json.key"))
        try await withRig(document) { rig in
            let refusal = await #expect(throws: Refusal.self) { try await rig.start(document, items: item("a")) }
            #expect(refusal?.code == "concurrency_key_failed")
        }
    }

    @Test func `a document keeps its rule`() throws {
        let settings = WorkflowSettings(concurrency: .init(limit: 4, key: "={{ $json.key }}", whenFull: .cancelOldest), priority: .high)
        let read = try WorkflowDocument(stored: WorkflowDocument(name: "w", settings: settings).json.bytes)
        #expect(read.settings == settings)
    }
}
