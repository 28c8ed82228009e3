internal import Kernel
internal import Synchronization

/// The runs that this process works on, and how many of each tenant's.
///
/// A tenant may have no more than what is left free, so that one that starts many at once leaves room for others: alone it gets half of the
/// places, and of two that ask for all each gets a third.
final class RunsInHand: Sendable {
    /// Why a run in hand is to end at once, or to be let go.
    enum Stop: Sendable { case cancelled, timedOut, paused }

    struct Entry: Sendable {
        let tenant: TenantID
        let handle: RunHandle
        var task: Task<Void, Never>?
        var stop: Stop?
    }

    enum Entrance: Sendable { case entered, known, full }

    private struct State {
        var runs: [RunID: Entry] = [:]
        var counts: [TenantID: Int] = [:]
        /// Tenants that were turned away since a place became free for one of them.
        var refused: Set<TenantID> = []
        /// Whether there was no place for anybody.
        var hasRefusedAll = false
        /// When places were last offered to the last one.
        var offeredAll: Duration?

        /// How many runs of a tenant can be entered one after another.
        func left(to tenant: TenantID, of maximum: Int) -> Int {
            let (free, own) = (max(0, maximum - runs.count), counts[tenant] ?? 0)
            return own < free ? (free - own + 1) / 2 : 0
        }

        /// Fewer than this are not worth a claim, while more are about to become free.
        func worth(of maximum: Int) -> Int { max(1, (maximum - runs.count) / 32) }
    }

    private let state = Mutex(State())
    /// Runs that are told to stop: nearly always none, and each is asked about several times a step.
    private let stopping = Atomic(0)
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// - Parameter evenFull: for what people ask of one run.
    func enter(_ run: RunID, tenant: TenantID, _ handle: RunHandle, evenFull: Bool = false) -> Entrance {
        state.withLock { state in
            guard state.runs[run] == nil else { return .known }
            let own = state.counts[tenant] ?? 0
            guard evenFull || (state.runs.count < maximum && (own == 0 || own < maximum - state.runs.count)) else {
                state.refused.insert(tenant)
                return .full
            }
            state.runs[run] = Entry(tenant: tenant, handle: handle)
            state.counts[tenant] = own + 1
            return .entered
        }
    }

    /// - Returns: whether somebody waits for what is free now, and what the run was told.
    func leave(_ run: RunID) -> (isAwaited: Bool, stop: Stop?) {
        state.withLock { state in
            guard let gone = state.runs.removeValue(forKey: run) else { return (false, nil) }
            if gone.stop != nil { stopping.subtract(1, ordering: .releasing) }
            let left = (state.counts[gone.tenant] ?? 1) - 1
            state.counts[gone.tenant] = left > 0 ? left : nil
            let worth = state.worth(of: maximum)
            let isAwaited = state.hasRefusedAll || state.refused.contains { state.left(to: $0, of: maximum) >= worth }
            if isAwaited { (state.refused, state.hasRefusedAll) = ([], false) }
            return (isAwaited, gone.stop)
        }
    }

    var count: Int { state.withLock { $0.runs.count } }

    /// How many runs can be entered now whichever tenants they are of, and the tenants of which none can. More would be claimed and put back, one
    /// by one. A tenant with few places left waits for more at once, for `patience` at most.
    func offer(at time: Duration) -> (places: Int, full: [TenantID]) {
        state.withLock { state in
            let isForAll = state.offeredAll.map { time >= $0 + Self.patience } ?? true
            if isForAll { state.offeredAll = time }
            let worth = isForAll ? 1 : state.worth(of: maximum)
            var (places, full): (Int, [TenantID]) = ((max(0, maximum - state.runs.count) + 1) / 2, [])
            for tenant in state.counts.keys {
                let left = state.left(to: tenant, of: maximum)
                if left < worth { full.append(tenant) } else { places = min(places, left) }
            }
            state.refused.formUnion(full)
            if places == 0 { state.hasRefusedAll = true }
            return (places, full)
        }
    }

    private static let patience: Duration = .milliseconds(50)

    func handle(of run: RunID) -> RunHandle? { state.withLock { $0.runs[run]?.handle } }

    func stop(of run: RunID) -> Stop? {
        guard stopping.load(ordering: .acquiring) > 0 else { return nil }
        return state.withLock { $0.runs[run]?.stop }
    }

    var tasks: [Task<Void, Never>] { state.withLock { $0.runs.values.compactMap(\.task) } }

    /// Notes the task that works on a run; it may be over before.
    func note(_ task: Task<Void, Never>, of run: RunID) {
        state.withLock { state in
            state.runs[run]?.task = task
            if let stop = state.runs[run]?.stop, stop != .paused { task.cancel() }
        }
    }

    /// Interrupts a run; one that is to pause ends the steps in flight first.
    /// - Returns: false where it is not here.
    func halt(_ run: RunID, _ reason: Stop) -> Bool {
        state.withLock { state in
            guard let known = state.runs[run] else { return false }
            if known.stop == nil { stopping.add(1, ordering: .releasing) }
            if known.stop == nil || known.stop == .paused { state.runs[run]?.stop = reason }
            if reason != .paused { known.task?.cancel() }
            return true
        }
    }
}

/// Start-time fair queueing: which of the runs that wait comes first. Each run of a tenant ranks behind the one before by what its runs
/// take, so that a tenant's first comes before another's ten thousandth (Goyal, Vin, Cheng 1996).
final class FairRanks: Sendable {
    private struct Share {
        var last: Timestamp
        var cost: Duration
    }

    private struct Key: Hashable {
        var tenant: TenantID
        var priority: WorkflowSettings.Priority
    }

    private let shares = Mutex<[Key: Share]>([:])
    private static let keysMaximum = 10_000
    private static let firstCost = Duration.milliseconds(5)
    /// No rank lies further ahead, so that a long backlog does not count against what its tenant starts later.
    private static let horizon = Duration.seconds(600)

    /// - Parameter priority: runs of a higher one have a queue of their own, and pass those of the tenant's others.
    func next(of tenant: TenantID, _ priority: WorkflowSettings.Priority = .normal, at now: Timestamp) -> Timestamp {
        shares.withLock { shares in
            if shares.count >= Self.keysMaximum { shares = shares.filter { $0.value.last > now } }
            let key = Key(tenant: tenant, priority: priority)
            var share = shares[key] ?? Share(last: now, cost: Self.firstCost)
            let rank = max(share.last, now)
            share.last = min(rank + share.cost * (priority == .low ? 4 : 1), now + Self.horizon)
            shares[key] = share
            return rank
        }
    }

    /// Learns what a run took in hand: the moving average of the last few.
    func learn(_ took: Duration, of tenant: TenantID) {
        shares.withLock { shares in
            for priority in WorkflowSettings.Priority.allCases {
                let key = Key(tenant: tenant, priority: priority)
                guard let cost = shares[key]?.cost else { continue }
                shares[key]?.cost = max(.milliseconds(1), cost + (took - cost) / 8)
            }
        }
    }
}
