import Jobs
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Schedules that fire once a slot, whatever happens to their processes and the clock.
@Suite(.timeLimit(.minutes(4))) struct SchedulerTests {
    private struct Rig {
        let harness: WorkflowHarness
        let engine: Engine
        var lease: DatabaseLease { harness.lease }

        func scheduler() -> Scheduler { Scheduler(engine: engine, workflows: harness.workflows, logger: Logger(label: "test")) }

        func publish(_ settings: WorkflowSettings, _ interval: JSON = ["field": "hours"], in tenant: TenantID? = nil) async throws -> WorkflowID {
            let trigger = WorkflowNode(
                id: "t", category: .trigger, kind: "schedule", kindVersion: 1.2, name: "t", config: ["rule": ["interval": .array([interval])]],
                connections: [.init(to: "a")])
            let document = WorkflowDocument(
                name: "w", nodes: [trigger, .init(id: "a", category: .action, kind: "no_op", name: "a")], settings: settings)
            let id = try await harness.workflows.create(document, by: harness.principal(in: tenant)).id
            _ = try await harness.workflows.publish(id, by: harness.principal(in: tenant))
            return id
        }

        func runs(of tenant: TenantID) async throws -> Int {
            try await lease.database.read(in: tenant) { tx in try RunStore(tx: tx).list(before: nil, limit: 1_000).count }
        }

        /// Fires until nothing is due, and returns how many runs there are.
        func fired() async throws -> Int {
            while try await scheduler().fireDue() > 0 {}
            return try await runs(of: lease.tenant)
        }
    }

    private func withRig(
        onStart: @escaping @Sendable (TenantTransaction, RunFacts) throws -> Void = { _, _ in }, _ body: (Rig) async throws -> Void
    ) async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            var configuration = Engine.Configuration(
                kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") })
            configuration.onStart = onStart
            let engine = Engine(
                database: lease.database, lease: worker, services: .plain, configuration: configuration,
                clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            try await body(Rig(harness: harness, engine: engine))
        }
    }

    @Test(arguments: [(WorkflowSettings.CatchUp.none, 0), (.one, 1), (.all, 5)])
    func `slots that passed while nothing served are caught up as the workflow says`(_ catchUp: WorkflowSettings.CatchUp, _ count: Int) async throws {
        try await withRig { rig in
            _ = try await rig.publish(.init(catchUp: catchUp))
            #expect(try await rig.fired() == 0)
            rig.lease.clock.advance(by: .seconds(5 * 3_600))
            #expect(try await rig.fired() == count)
            #expect(try await rig.fired() == count)
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == count + 1, "it goes on with the next slot")
        }
    }

    @Test func `a backlog of months is caught up for a week at most`() async throws {
        try await withRig { rig in
            _ = try await rig.publish(.init(catchUp: .all))
            rig.lease.clock.advance(by: .seconds(90 * 86_400))
            let runs = try await rig.fired()
            #expect((168...170).contains(runs))
        }
    }

    @Test func `a slot whose run is refused is over, and keeps no other schedule waiting`() async throws {
        try await withRig(onStart: { _, facts in
            if facts.mode == "schedule" { throw Refusal(.limitReached, "executions_limit", "The plan's executions are used up.") }
        }) { rig in
            let refused = try await rig.publish(.init())
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == 0)
            let slots = try await rig.lease.database.readSystem { tx in try tx.dueSchedules(at: rig.lease.clock.now, limit: 10) }
            #expect(slots.isEmpty)
            rig.lease.clock.advance(by: .seconds(3_600))
            let next = try await rig.lease.database.readSystem { tx in try tx.dueSchedules(at: rig.lease.clock.now, limit: 10) }
            #expect(next.map(\.workflow) == [refused], "it comes again with its next slot")
        }
    }

    @Test func `a slot that had come when its workflow was published anew is fired by the new version`() async throws {
        try await withRig { rig in
            let (workflows, me) = (rig.harness.workflows, rig.harness.principal())
            let id = try await rig.publish(.init())
            rig.lease.clock.advance(by: .seconds(3_600))
            _ = try await workflows.publish(id, by: me)
            #expect(try await rig.fired() == 1)
            let versions = try await rig.lease.database.read(in: rig.lease.tenant) { tx in
                try RunStore(tx: tx).list(before: nil, limit: 9).map(\.version)
            }
            #expect(versions == [2])
            _ = try await workflows.publish(id, by: me)
            #expect(try await rig.fired() == 1, "it is over")
            rig.lease.clock.advance(by: .seconds(3_600))
            _ = try await workflows.unpublish(id, by: me)
            _ = try await workflows.publish(id, by: me)
            #expect(try await rig.fired() == 1, "nothing was published in between")
        }
    }

    @Test func `two schedulers fire a slot once`() async throws {
        try await withRig { rig in
            for _ in 0..<5 { _ = try await rig.publish(.init()) }
            rig.lease.clock.advance(by: .seconds(3_600))
            let (one, two) = (rig.scheduler(), rig.scheduler())
            await withTaskGroup { group in
                for scheduler in [one, two, one, two] { group.addTask { _ = try? await scheduler.fireDue() } }
            }
            #expect(try await rig.fired() == 5)
        }
    }

    @Test func `a tenant whose schedules take long keeps no other's waiting`() async throws {
        try await withRig { rig in
            let (slow, other) = (rig.lease.tenant, rig.lease.other)
            for tenant in [slow, other] { _ = try await rig.publish(.init(), in: tenant) }
            rig.lease.clock.advance(by: .seconds(3_600))
            let policies = TenantPolicies.tenancy { tenant in
                if tenant == slow { try await Task.sleep(for: .seconds(3_600)) }
                return "UTC"
            }
            let workflows = Workflows(
                database: rig.lease.database, kinds: .builtIn, policies: policies, clock: rig.lease.clock.clock, expressionFault: { _ in nil })
            let scheduler = Scheduler(engine: rig.engine, workflows: workflows, logger: Logger(label: "test"))
            let serving = Task { try await scheduler.run() }
            while try await rig.runs(of: other) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await rig.runs(of: slow) == 0)
            rig.lease.clock.advance(by: .seconds(3_600))
            while try await rig.runs(of: other) == 1 { try await Task.sleep(for: .milliseconds(5)) }
            serving.cancel()
            _ = try? await serving.value
        }
    }

    @Test func `of many due schedules the tenants' come in turn`() async throws {
        try await withRig { rig in
            for _ in 0..<5 { _ = try await rig.publish(.init()) }
            _ = try await rig.publish(.init(), in: rig.lease.other)
            rig.lease.clock.advance(by: .seconds(3_600))
            let due = try await rig.lease.database.readSystem { tx in try tx.dueSchedules(at: rig.lease.clock.now, limit: 2) }
            #expect(Set(due.map(\.tenant)) == [rig.lease.tenant, rig.lease.other])
        }
    }

    @Test func `a schedule that fired while the clock was ahead goes on when it is set back`() async throws {
        try await withRig { rig in
            let beginning = rig.lease.clock.now
            _ = try await rig.publish(.init())
            let setbacks = ClockSetbacks(engine: rig.engine, workflows: rig.harness.workflows, logger: Logger(label: "test"))
            #expect(try await setbacks.recover() == 0)
            rig.lease.clock.advance(by: .seconds(400 * 86_400))
            #expect(try await rig.fired() == 1)
            rig.lease.clock.set(beginning)
            #expect(try await setbacks.recover() == 2, "the slot, and the run that nobody has taken up yet")
            #expect(try await setbacks.recover() == 0)
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == 2)
        }
    }

    @Test func `a clock that is set back a little fires no slot twice`() async throws {
        try await withRig { rig in
            _ = try await rig.publish(.init())
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == 1)
            rig.lease.clock.advance(by: .seconds(-100))
            let setbacks = ClockSetbacks(engine: rig.engine, workflows: rig.harness.workflows, logger: Logger(label: "test"))
            #expect(try await setbacks.recover() == 0)
            rig.lease.clock.advance(by: .seconds(200))
            #expect(try await rig.fired() == 1)
        }
    }

    @Test func `a slot without a place for its run is over`() async throws {
        try await withRig { rig in
            _ = try await rig.publish(.init(concurrency: .init(limit: 1, whenFull: .skip)))
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == 1)
            rig.lease.clock.advance(by: .seconds(3_600))
            #expect(try await rig.fired() == 1, "the first one has not ended")
        }
    }

    @Test func `a time that the clock skips is the first that there is, one that it has twice comes once`() throws {
        let berlin = Schedule(rules: [.days(1, hour: 2, minute: 30)], timeZone: "Europe/Berlin")
        func slots(from start: String, _ count: Int) throws -> [String] {
            var time = try #require(Timestamp(start))
            return try (0..<count).map { _ in
                time = try #require(berlin.next(after: time))
                return time.description
            }
        }
        let spring = try slots(from: "2026-03-28T12:00:00Z", 2)
        #expect(spring.map { $0.prefix(16) } == ["2026-03-29T01:00", "2026-03-30T00:30"])
        let autumn = try slots(from: "2026-10-24T12:00:00Z", 2)
        #expect(autumn.map { $0.prefix(16) } == ["2026-10-25T00:30", "2026-10-26T01:30"])
    }
}
