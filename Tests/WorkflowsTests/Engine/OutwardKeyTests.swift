import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// What is named outside when a run is done again.
@Suite(.timeLimit(.minutes(4))) struct OutwardKeyTests {
    private func outside(_ rig: EngineRig) -> [String] { ProbeNode.outside(rig.lease.tenant).all }
    private func open(_ rig: EngineRig) { ProbeNode.outside(rig.lease.tenant).open() }

    private func replay(
        _ rig: EngineRig, _ run: RunID, from point: ReplayPoint? = nil, version: Int? = nil, keys: ReplayKeys? = nil
    ) async throws -> RunResult {
        let handle = try await rig.engine.replay(run, tenant: rig.lease.tenant, from: point, version: version, keys: keys)
        try await rig.settle()
        return await handle.finished()
    }

    @Test func `a retry asks under the same key, however often it is retried`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_named", "b": "probe_lost"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            let second = try await replay(rig, first.run)
            #expect(second.failure?.code == "closed")
            open(rig)
            let third = try await replay(rig, second.run, from: ReplayPoint(node: "b"))
            #expect(third.status == .succeeded, "to name the step that stopped it is to retry")
            #expect(outside(rig) == ["\(first.run)-a-0-0", "\(first.run)-b-0-0", "\(first.run)-b-0-0", "\(first.run)-b-0-0"])
        }
    }

    @Test func `what is begun anew has keys of its own, unless they are to be kept`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_named", "b": "probe_named"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            let anew = try await replay(rig, first.run)
            let fromB = try await replay(rig, first.run, from: ReplayPoint(node: "b"))
            let kept = try await replay(rig, anew.run, from: ReplayPoint(node: "b"), keys: .kept)
            #expect(kept.status == .succeeded)
            #expect(
                outside(rig) == [
                    "\(first.run)-a-0-0", "\(first.run)-b-0-0", "\(anew.run)-a-0-0", "\(anew.run)-b-0-0", "\(fromB.run)-b-0-0", "\(anew.run)-b-0-0"
                ])
        }
    }

    @Test func `other items, another version or a wish give a retry new keys`() async throws {
        let document = Graph(.n8nV1, ["t -> b"]).document(["b": "probe_lost"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            let edited = try await replay(rig, first.run, from: ReplayPoint(node: "b", inputs: [ItemList([Item(json: ["n": 2])])]))
            let same = try await replay(rig, first.run, version: 1)
            let current = try await replay(rig, first.run, version: 2)
            let wished = try await replay(rig, first.run, keys: .new)
            #expect(same.run != first.run)
            #expect(outside(rig) == [first.run, edited.run, first.run, current.run, wished.run].map { "\($0)-b-0-0" })
        }
    }

    @Test func `what was refused asks anew, and no more than that`() async throws {
        let document = Graph(.n8nV1, ["t -> b", "b -> c"]).document(["b": "probe_refused", "c": "probe_named"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            let second = try await replay(rig, first.run)
            open(rig)
            let third = try await replay(rig, second.run)
            #expect(third.status == .succeeded)
            #expect(outside(rig) == ["\(first.run)-b-0-0", "\(second.run)-b-0-0", "\(third.run)-b-0-0", "\(first.run)-c-0-0"])
        }
    }

    @Test func `a retry that waited goes on under the keys that it began with`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> w", "w -> b"]).document(["a": "probe_refused", "w": "probe_wait", "b": "probe_named"])
        try await withRig(document) { rig in
            let first = try await rig.start(document).finished()
            open(rig)
            let second = try await rig.engine.replay(first.run, tenant: rig.lease.tenant, from: nil)
            try await rig.settle()
            #expect(try await rig.row(second.run).status == .waiting)
            rig.lease.clock.advance(by: .seconds(61))
            try await rig.settle()
            _ = try await replay(rig, second.run, from: ReplayPoint(node: "b"), keys: .kept)
            #expect(outside(rig) == ["\(first.run)-a-0-0", "\(second.run)-a-0-0", "\(first.run)-b-0-0", "\(first.run)-b-0-0"])
        }
    }

    @Test func `a workflow that is called again names what it named before`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withRig(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "probe_lost"])) { rig in
            let first = try await rig.start(document)
            try await rig.settle()
            #expect(try await rig.row(first.run).status == .failed)
            open(rig)
            #expect(try await replay(rig, first.run).status == .succeeded)
            #expect(try await replay(rig, first.run, keys: .new).status == .succeeded)
            let named = outside(rig)
            #expect(named.count == 3 && named[0] == named[1] && named[1] != named[2] && named.allSatisfy { $0.hasSuffix("-s-0-0") })
        }
    }

    @Test(arguments: [
        (400, true), (402, true), (404, true), (422, true), (408, false), (409, false), (425, false), (429, false), (500, false), (503, false)
    ])
    func `an answer says whether the request had an effect`(status: Double, isRefusal: Bool) {
        #expect(StepFailure("http_error", "", details: ["status": .number(status)]).isRefusal == isRefusal)
        #expect(!StepFailure("closed", "", details: ["status": .number(status)]).isRefusal)
        #expect(StepFailure("code_error", "", details: ["status": .number(status), "request": 3]).refusedItem == (isRefusal ? 3 : nil))
    }

    @Test func `keys are read as they were written`() throws {
        let ids = (1...3).map { RunID(high: 1, low: UInt64($0)) }
        var keys = OutwardKeys(of: ids[0])
        #expect(try OutwardKeys(stored: keys.stored) == keys)
        let refused = StepFailure("http_error", "", details: ["status": 402], itemIndex: 7)
        keys.renew(refused, of: "a-b", runIndex: 2, for: ids[1])
        keys.renew(StepFailure("http_error", "", details: ["status": 500], itemIndex: 8), of: "a-b", runIndex: 2, for: ids[1])
        #expect(try OutwardKeys(stored: keys.stored) == keys)
        #expect(keys.renewedItems(of: "a-b", runIndex: 2) == [7: "\(ids[1])-a-b-2-7"])
        #expect(keys.renewedItems(of: "a-b", runIndex: 1).isEmpty)
        #expect(throws: UnreadableEvent.self) { try OutwardKeys(stored: "{}") }
    }
}
