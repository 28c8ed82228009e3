import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// What one tenant can take from the others: nothing.
@Suite(.timeLimit(.minutes(4))) struct FairnessTests {
    @Test func `a tenant that starts many leaves room for others, and all of its own are run`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_gate"])
        try await withRig(document, liveRunsMaximum: 8) { rig in
            let service = Task { try await rig.timers.run() }
            let clock = rig.lease.clock
            let time = Task {
                while !Task.isCancelled {
                    clock.advance(by: .milliseconds(50))
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            defer {
                service.cancel()
                time.cancel()
            }
            var handles: [RunHandle] = []
            for _ in 0..<40 { handles.append(try await rig.start(document)) }
            #expect(rig.engine.liveRuns <= 4, "half of the places")
            let other = try await rig.engine.start(
                RunStart(
                    tenant: rig.lease.other, workflow: rig.workflow, version: 1, document: document, trigger: "t", items: .single, mode: "webhook"))
            #expect(try await rig.lease.database.read(in: rig.lease.other) { tx in try RunStore(tx: tx).find(other.run)?.status } == .running)
            ProbeNode.outside(rig.lease.other).open()
            #expect(await other.finished().status == .succeeded)
            #expect(ProbeNode.outside(rig.lease.tenant).all.isEmpty, "it did not wait for any that was there before")
            ProbeNode.outside(rig.lease.tenant).open()
            for handle in handles { #expect(await handle.finished().status == .succeeded) }
            let hits = ProbeNode.outside(rig.lease.tenant).all
            #expect(hits.count == 40)
        }
    }

    @Test func `places are shared, and given back`() {
        let hand = RunsInHand(maximum: 9)
        let tenants: [TenantID] = (1...3).map { TenantID(high: 1, low: $0) }
        func fill(_ tenant: TenantID) -> Int {
            (0..<20).count { number in
                let run = RunID(high: tenant.low, low: UInt64(number))
                return hand.enter(run, tenant: tenant, RunHandle(run)) == .entered
            }
        }
        #expect(tenants.map(fill) == [5, 2, 1])
        let run = RunID(high: 1, low: 0)
        #expect(hand.enter(run, tenant: tenants[0], RunHandle(run)) == .known)
        let forced = RunID(high: 9, low: 9)
        #expect(hand.enter(forced, tenant: tenants[0], RunHandle(forced), evenFull: true) == .entered)
        #expect(hand.halt(forced, .cancelled))
        let left = hand.leave(forced)
        #expect(!left.isAwaited && left.stop == .cancelled, "what is free now is for none of those who were turned away")
        let again = hand.leave(forced)
        #expect(!again.isAwaited && again.stop == nil && hand.leave(run).isAwaited)
        #expect(hand.count == 7 && hand.offer(at: .zero).places == 1)
        #expect(fill(tenants[2]) == 1 && fill(tenants[1]) == 0)
        let last = RunID(high: 9, low: 8)
        #expect(hand.enter(last, tenant: tenants[1], RunHandle(last), evenFull: true) == .entered)
        #expect(hand.offer(at: .zero).places == 0)
        #expect(hand.leave(last).isAwaited, "whoever has none in hand can have the only place")
    }

    @Test func `as many places are offered as runs of any tenants can take`() {
        let tenants: [TenantID] = (1...4).map { TenantID(high: 1, low: $0) }
        var random = Seeded(7)
        for round in 0..<300 {
            let maximum = Int.random(in: 1...200, using: &random)
            let hand = RunsInHand(maximum: maximum)
            var number: UInt64 = 0
            func enters(_ tenant: TenantID) -> Bool {
                number += 1
                let run = RunID(high: tenant.low, low: number)
                return hand.enter(run, tenant: tenant, RunHandle(run)) == .entered
            }
            for _ in 0..<Int.random(in: 0...150, using: &random) { _ = enters(tenants[Int.random(in: 0..<3, using: &random)]) }
            let (places, full) = hand.offer(at: .zero)
            let open = tenants.filter { !full.contains($0) }
            #expect(places > 0 || hand.count == maximum, "round \(round)")
            for place in 0..<places {
                let tenant = open[Int.random(in: 0..<open.count, using: &random)]
                #expect(enters(tenant), "round \(round), place \(place) of \(places)")
            }
        }
    }

    @Test func `a tenant that has most of its places waits for several at once, and not for long`() {
        let hand = RunsInHand(maximum: 320)
        let tenant = TenantID(high: 1, low: 1)
        let runs: [RunID] = (0..<160).map { RunID(high: 1, low: $0) }
        for run in runs { #expect(hand.enter(run, tenant: tenant, RunHandle(run)) == .entered) }
        #expect(hand.offer(at: .zero) == (80, [tenant]))
        #expect(runs.prefix(5).map { hand.leave($0).isAwaited } == [false, false, false, false, true])
        #expect(hand.offer(at: .milliseconds(10)) == (5, []))
        for run in runs.prefix(3) { #expect(hand.enter(run, tenant: tenant, RunHandle(run)) == .entered) }
        #expect(hand.offer(at: .milliseconds(20)) == (81, [tenant]))
        #expect(hand.offer(at: .milliseconds(50)) == (2, []))
    }

    @Test func `a tenant's first ranks before another's last`() {
        let ranks = FairRanks()
        let (many, one) = (TenantID(high: 1, low: 1), TenantID(high: 1, low: 2))
        let now = Timestamp(microseconds: 1_000_000_000)
        let queued = (0..<10_000).map { _ in ranks.next(of: many, at: now) }
        #expect(zip(queued, queued.dropFirst()).allSatisfy { $0 < $1 })
        let later = now + .milliseconds(20)
        let first = ranks.next(of: one, at: later)
        #expect(queued.filter { $0 < first }.count < 5)
        ranks.learn(.seconds(1), of: many)
        let next = ranks.next(of: many, at: now)
        #expect(ranks.next(of: many, at: now) - next > .milliseconds(100), "long runs rank further apart")
    }
}
