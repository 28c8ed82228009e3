import Jobs
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// What people do to executions, with what the tenant's books say of it.
@Suite(.timeLimit(.minutes(3))) struct ExecutionActTests {
    private struct Rig {
        let harness: WorkflowHarness
        let engine: Engine
        let executions: Executions

        /// An execution that has ended.
        func ended(_ workflow: WorkflowID) async throws -> RunID {
            try await executions.start(workflow, items: [], idempotencyKey: nil, by: harness.principal()).finished().run
        }

        func publish() async throws -> WorkflowID {
            let id = try await harness.workflows.create(.hook(), by: harness.principal()).id
            _ = try await harness.workflows.publish(id, by: harness.principal())
            return id
        }
    }

    private func withRig(
        onStart: @escaping @Sendable (TenantTransaction, RunFacts) throws -> Void = { _, _ in },
        fault: @escaping @Sendable (Engine.FaultPoint) throws -> Void = { _ in }, _ body: (Rig) async throws -> Void
    ) async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let (lease, database) = (harness.lease, harness.lease.database)
            let worker = try await database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            var configuration = Engine.Configuration(
                kinds: .builtIn,
                load: { tenant, id, version in
                    let bytes = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).document(of: id, version: version) }
                    guard let bytes else { throw Refusal.missing("workflow") }
                    return try WorkflowDocument(stored: bytes)
                }, resolve: { _, _ in throw Refusal.missing("workflow") })
            configuration.onStart = onStart
            configuration.fault = fault
            let engine = Engine(
                database: database, lease: worker, services: .plain, configuration: configuration, clock: lease.clock.clock, ids: lease.ids,
                blobs: lease.blobs)
            let executions = Executions(
                database: database, engine: engine, workflows: harness.workflows, blobs: lease.blobs, timeZone: { _ in "UTC" })
            try await body(Rig(harness: harness, engine: engine, executions: executions))
        }
    }

    @Test func `a replay is in the audit log although its process died right after it was written`() async throws {
        let isLost = Mutex(false)
        let fault: @Sendable (Engine.FaultPoint) throws -> Void = { point in
            if point == .afterCommit, isLost.withLock({ $0 }) { throw PersistenceError.unavailable("the answer was lost") }
        }
        try await withRig(fault: fault) { rig in
            let run = try await rig.ended(try await rig.publish())
            isLost.withLock { $0 = true }
            await #expect(throws: PersistenceError.self) {
                try await rig.executions.replay(run, from: nil, isCurrent: false, by: rig.harness.principal())
            }
            #expect(try await rig.harness.auditActions().filter { $0 == "execution.replay" }.count == 1)
        }
    }

    @Test func `a replay that is refused leaves nothing in the audit log`() async throws {
        let isFull = Mutex(false)
        try await withRig(onStart: { _, _ in
            if isFull.withLock({ $0 }) { throw Refusal(.limitReached, "limit_reached", "The plan's executions are used up.") }
        }) { rig in
            let run = try await rig.ended(try await rig.publish())
            isFull.withLock { $0 = true }
            await #expect(throws: Refusal.self) {
                try await rig.executions.replay(run, from: nil, isCurrent: false, by: rig.harness.principal())
            }
            #expect(try await !rig.harness.auditActions().contains("execution.replay"))
        }
    }

    @Test func `one of many that is refused keeps the others from nothing, and says why`() async throws {
        let refused = Mutex<Int?>(nil)
        try await withRig(onStart: { _, _ in
            let isRefused = refused.withLock { left -> Bool in
                guard let count = left else { return false }
                left = count - 1
                return count == 0
            }
            if isRefused { throw Refusal(.limitReached, "limit_reached", "The plan's executions are used up.") }
        }) { rig in
            let workflow = try await rig.publish()
            var runs: [RunID] = []
            for _ in 0..<3 { runs.append(try await rig.ended(workflow)) }
            refused.withLock { $0 = 1 }
            let outcome = try await rig.executions.perform(.retry, on: runs + [RunID(high: 4, low: 2)], by: rig.harness.principal())
            #expect(outcome.done == 2 && outcome.left == 1)
            #expect(outcome.refused.map(\.run) == [runs[1]])
            #expect(outcome.refused.map(\.reason.code) == ["limit_reached"])
        }
    }
}
