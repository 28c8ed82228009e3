import Jobs
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Runs that waited while the clock was ahead.
@Suite(.timeLimit(.minutes(3))) struct ClockSetbackTests {
    private func setbacks(_ rig: EngineRig) -> ClockSetbacks {
        let workflows = Workflows(
            database: rig.lease.database, kinds: probeKinds, policies: .tenancy { _ in "UTC" }, clock: rig.lease.clock.clock)
        return ClockSetbacks(engine: rig.engine, workflows: workflows, logger: Logger(label: "test"))
    }

    @Test func `a wait that began while the clock was ahead lasts as long as it should when it is set back`() async throws {
        let document = Graph(.n8nV1, ["t -> w", "w -> b"]).document(["w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let beginning = rig.lease.clock.now
            rig.lease.clock.advance(by: .seconds(30 * 86_400))
            let run = try await rig.start(document).run
            try await rig.settle()
            rig.lease.clock.set(beginning)
            let setbacks = setbacks(rig)
            #expect(try await setbacks.recoverRuns() == 1)
            #expect(try await setbacks.recoverRuns() == 0, "it is near now")
            rig.lease.clock.advance(by: .seconds(30))
            try await rig.settle()
            #expect(try await rig.row(run).status == .waiting)
            rig.lease.clock.advance(by: .seconds(31))
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all == ["b-0"])
        }
    }

    @Test func `a long wait is moved once, and one of a right clock never`() async throws {
        let document = Graph(.n8nV1, ["t -> w"]).document(["w": "probe_wait"])
        try await withRig(document) { rig in
            let (database, clock) = (rig.lease.database, rig.lease.clock)
            func due() async throws -> [Timestamp] {
                try await database.readSystem { tx in
                    let store = FarTimeStore(tx: tx)
                    return try store.timers(Engine.timerKind, laterThan: Timestamp(microseconds: 0), after: nil, limit: 9).map(\.dueAt)
                }
            }
            let beginning = clock.now
            clock.advance(by: .seconds(86_400))
            let run = try await rig.start(document).run
            try await rig.settle()
            // As if its wait were an hour.
            try await database.write(in: rig.lease.tenant) { tx in
                let end: Timestamp = beginning + .seconds(86_400 + 3_600)
                let text = JournalText(headText: JSON.object(["until": .number(Double(end.microseconds))]).bytes, lists: []).stored.bytes
                try tx.execute("UPDATE run_journal SET data = \(text) WHERE tenant_id = \(tx.tenant) AND run_id = \(run) AND kind = \("waiting")")
                try tx.execute("UPDATE runs SET resume_at = \(end) WHERE tenant_id = \(tx.tenant) AND id = \(run)")
                try tx.setTimer(kind: Engine.timerKind, subject: run.description, dueAt: end)
            }
            #expect(try await setbacks(rig).recoverRuns() == 0)
            clock.set(beginning)
            #expect(try await setbacks(rig).recoverRuns() == 1)
            let moved = try await due()
            clock.advance(by: .seconds(600))
            #expect(try await setbacks(rig).recoverRuns() == 0)
            #expect(try await due() == moved)
        }
    }

    @Test(arguments: [1_800, 86_400])
    func `a claim that was made while the clock was ahead ends when it is set back`(_ seconds: Int) async throws {
        let document = Graph(.n8nV1, ["t -> w"]).document(["w": "probe_wait"])
        try await withRig(document) { rig in
            let (database, clock) = (rig.lease.database, rig.lease.clock)
            let beginning = clock.now
            let run = try await rig.start(document).run
            try await rig.settle()
            clock.advance(by: .seconds(seconds))
            // Claimed by a process that died with it.
            let claim: Timestamp = clock.now + .seconds(15)
            _ = try await database.writeSystem { tx in
                try tx.execute("UPDATE timers SET claimed_until = \(claim) WHERE kind = \(Engine.timerKind)")
            }
            clock.set(beginning + .seconds(61))
            #expect(try await database.writeSystem { tx in try FarTimeStore(tx: tx).bringNear(dueAtOnce: []) } == 1)
            try await rig.settle()
            #expect(try await rig.row(run).status == .succeeded)
        }
    }
}
