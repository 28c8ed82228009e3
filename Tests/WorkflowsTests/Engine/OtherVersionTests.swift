import Jobs
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Workflows

/// What a process leaves to those of a newer version, which know kinds that it does not.
@Suite(.timeLimit(.minutes(3))) struct OtherVersionTests {
    /// A process of another version comes to the deployment.
    private func join(_ lease: DatabaseLease) async throws -> Jobs.Lease {
        try await lease.database.writeSystem { tx in
            try LeaseStore(tx: tx).acquire(name: "newer", for: .seconds(3_600), version: "2")
        }
    }

    private func queue(_ rig: EngineRig) async throws -> RunID {
        let facts = RunFacts(
            id: rig.lease.ids.next(), tenant: rig.lease.tenant, workflow: rig.workflow, version: 1, mode: "schedule", timeZone: "UTC")
        let new = NewRun(
            facts: facts, trigger: "t", items: ItemList([Item(json: ["n": 1])]), idempotencyKey: nil, parent: nil, createdAt: rig.lease.clock.now)
        _ = try await rig.lease.database.write(in: rig.lease.tenant) { tx in try Admission.enter(new, nil, tx) }
        return facts.id
    }

    @Test func `a run with a kind that a newer program may know is left to that one, and fails where there is none`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "from_later"])
        try await withRig(document) { rig in
            let newer = try await join(rig.lease)
            try await rig.engine.lookForOthers()
            let run = try await queue(rig)
            try await rig.settle()
            let row = try await rig.row(run)
            #expect(row.status == .queued && row.epoch == 0)
            await #expect(throws: NewerRun.self) { try await rig.engine.takeUp(run, tenant: rig.lease.tenant, from: 0) }

            try await rig.lease.database.writeSystem { tx in try LeaseStore(tx: tx).end(newer) }
            try await rig.engine.lookForOthers()
            rig.lease.clock.advance(by: NewerRun.wait + .seconds(1))
            try await rig.settle()
            #expect(try await rig.row(run).failure?.code == "unsupported_kind")
        }
    }

    @Test func `a run that waits before such a node is left as it is, and one of known kinds goes on`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> a"]).document(["w": "probe_wait", "a": "from_later"])
        try await withRig(document) { rig in
            let run = try await rig.start(document).run
            try await rig.settle()
            _ = try await join(rig.lease)
            try await rig.engine.lookForOthers()
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            let row = try await rig.row(run)
            #expect(row.status == .waiting && row.epoch == 0)
        }
        let known = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_keyed"])
        try await withRig(known) { rig in
            _ = try await join(rig.lease)
            try await rig.engine.lookForOthers()
            let run = try await queue(rig)
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
        }
    }

    private func publish(_ trigger: WorkflowNode, _ harness: WorkflowHarness) async throws {
        var trigger = trigger
        trigger.connections = [.init(to: "a")]
        let document = WorkflowDocument(name: "w", nodes: [trigger, .init(id: "a", category: .action, kind: "no_op", name: "a")])
        let workflow = try await harness.workflows.create(document, by: harness.principal())
        _ = try await harness.workflows.publish(workflow.id, by: harness.principal())
    }

    /// A process that knows some kinds alone.
    private func process(_ kinds: KindRegistry, _ lease: DatabaseLease) async throws -> (engine: Engine, workflows: Workflows) {
        let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
        let engine = Engine(
            database: lease.database, lease: worker, services: .plain,
            configuration: Engine.Configuration(
                kinds: kinds, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") }),
            clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
        let workflows = Workflows(database: lease.database, kinds: kinds, policies: .tenancy { _ in "UTC" }, clock: lease.clock.clock)
        return (engine, workflows)
    }

    private let few = KindRegistry(executors: [NoOperation.self])

    @Test func `the slot of a schedule whose trigger only a newer program knows is left to that one`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            try await publish(
                WorkflowNode(
                    id: "t", category: .trigger, kind: "schedule", kindVersion: 1.2, name: "t", config: ["rule": ["interval": [["field": "hours"]]]]),
                harness)
            let (older, newer) = (try await process(few, lease), try await process(.builtIn, lease))
            _ = try await join(lease)
            try await older.engine.lookForOthers()
            lease.clock.advance(by: .seconds(3_600))
            let fired = try await Scheduler(engine: older.engine, workflows: older.workflows, logger: Logger(label: "test")).fireDue()
            #expect(fired == 0)
            let next = try await Scheduler(engine: newer.engine, workflows: newer.workflows, logger: Logger(label: "test")).fireDue()
            #expect(next == 1)
            let runs = try await lease.database.read(in: lease.tenant) { tx in try RunStore(tx: tx).list(before: nil, limit: 9).count }
            #expect(runs == 1)
        }
    }

    @Test func `a poll whose trigger only a newer program knows is left to that one`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            try await publish(
                WorkflowNode(
                    id: "t", category: .trigger, kind: "rss_trigger", name: "t",
                    config: ["feedUrl": "https://example.com/feed", "pollTimes": ["item": [["mode": "everyMinute"]]]]), harness)
            let older = try await process(few, lease)
            _ = try await join(lease)
            try await older.engine.lookForOthers()
            func polls() async throws -> [Jobs.Timer] {
                try await lease.database.readSystem { tx in
                    try FarTimeStore(tx: tx).timers(Poller.timerKind, laterThan: Timestamp(microseconds: 0), after: nil, limit: 9)
                }
            }
            let timer = try #require(try await polls().first)
            let poller = Poller(engine: older.engine, workflows: older.workflows, services: .plain)
            await #expect(throws: TimerService.Busy.self) { try await poller.poll(timer) }
            #expect(try await polls() == [timer])
        }
    }
}
