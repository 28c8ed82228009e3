import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// When the steps of a run were queued, waited and worked, and what a retry would do again.
@Suite(.timeLimit(.minutes(3))) struct TimelineTests {
    private func timeline(_ rig: EngineRig, _ run: RunID, _ document: WorkflowDocument) async throws -> RunTimeline {
        let workflow = CompiledWorkflow(document, kinds: probeKinds)
        return try await rig.lease.database.read(in: rig.lease.tenant) { tx in
            let row = try #require(try RunStore(tx: tx).find(run))
            let payloads = PayloadReader(tx: tx, run: run, blobs: rig.engine.blobs)
            let trigger = try #require(workflow.index(ofNode: row.trigger))
            let input = try payloads.input(row)
            let events = try JournalStore(tx: tx).events(of: run, workflow: workflow, payloads: payloads)
            let isHeld = row.status == .queued ? try SlotStore(tx: tx).isWaiting(run) : false
            var fold = TimelineFold(RunMachine(workflow), of: row, isHeld: isHeld)
            fold.start(trigger: trigger, items: input)
            for event in events { fold.feed(event.event, at: event.at) }
            var fresh = RunMachine(workflow)
            _ = fresh.on(.started(trigger: trigger, items: input))
            return fold.timeline(repeats: RunTimeline.repeats(of: row, fresh: fresh, events: events.map(\.event)))
        }
    }

    private func phases(_ attempt: RunTimeline.Attempt?) -> [RunTimeline.Phase] { attempt?.spans.map(\.phase).filter { $0 != .queued } ?? [] }

    @Test func `a step that waits shows for how long and for what`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> w", "w -> b"]).document(["a": "probe_keyed", "w": "probe_wait", "b": "probe_keyed"])
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            var waiting = try await timeline(rig, handle.run, document)
            for _ in 0..<1_000 where waiting.attempts.last?.outcome != "waiting" {
                try await Task.sleep(for: .milliseconds(20))
                waiting = try await timeline(rig, handle.run, document)
            }
            let held = try #require(waiting.attempts.last)
            #expect(held.node == "w" && held.outcome == "waiting")
            let span = try #require(held.spans.last)
            #expect(span.phase == .waiting && span.cause == .timer && span.to == nil)
            #expect(span.until != nil)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            _ = await handle.finished()
            let over = try await timeline(rig, handle.run, document)
            #expect(over.attempts.map(\.node) == ["t", "a", "w", "b"])
            #expect(over.attempts.allSatisfy { $0.outcome == "succeeded" })
            #expect(phases(over.attempts.first { $0.node == "w" }) == [.working, .waiting, .working])
            #expect(over.attempts.allSatisfy { attempt in zip(attempt.spans, attempt.spans.dropFirst()).allSatisfy { $0.to == $1.from } })
        }
    }

    @Test func `each attempt has its lane, and the wait for the next one is a retry's`() async throws {
        var document = Graph(.n8nV1, ["t -> a", "a -> f"]).document(["a": "probe_keyed", "f": "probe_fail"])
        let place = try #require(document.nodes.firstIndex { $0.name == "f" })
        document.nodes[place].retry = .init(attempts: 2, waitMilliseconds: 100)
        try await withRig(document) { rig in
            let handle = try await rig.start(document)
            for _ in 0..<20 {
                rig.lease.clock.advance(by: .seconds(30))
                try await rig.settle()
            }
            let result = await handle.finished()
            #expect(result.status == .failed)
            let found = try await timeline(rig, handle.run, document)
            let lanes = found.attempts.filter { $0.node == "f" }
            #expect(lanes.map(\.attempt) == [1, 2] && lanes.allSatisfy { $0.outcome == "failed" })
            #expect(lanes.last?.spans.first?.cause == .retry)
            #expect(found.repeats.isEmpty, "the step that failed does nothing outside, and what went well is not done again")
        }
    }

    @Test func `a retry's outward steps are named, and a replay shows what it took over`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_keyed", "b": "probe_once"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            let found = try await timeline(rig, first.run, document)
            #expect(found.repeats.map(\.node) == ["a", "b"] && found.repeats.map(\.carriesKey) == [true, false])
            #expect(found.repeats.allSatisfy { !$0.keepsKey }, "what went well is begun anew")
            rig.lease.clock.advance(by: .seconds(1))
            let handle = try await rig.engine.replay(first.run, tenant: rig.lease.tenant, from: ReplayPoint(node: "b"))
            try await rig.settle()
            let again = await handle.finished()
            let replayed = try await timeline(rig, again.run, document)
            #expect(replayed.attempts.filter { $0.outcome == "kept" }.map(\.node) == ["t", "a"])
            #expect(replayed.attempts.last?.outcome == "succeeded")
        }
    }
}
