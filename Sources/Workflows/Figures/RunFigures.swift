package import Kernel
package import Persistence

/// What the runs of a tenant came to.
package struct RunOverview: Sendable {
    package enum Span: String, Sendable, CaseIterable {
        case day = "24h"
        case week = "7d"
        case month = "30d"

        /// Hours of one slot, and how many slots are shown.
        var slots: (hours: Int, count: Int) {
            switch self {
            case .day: (1, 24)
            case .week: (6, 28)
            case .month: (24, 30)
            }
        }
    }

    package struct Tally: Sendable, Hashable {
        package var succeeded = 0
        package var failed = 0
        package var cancelled = 0
        /// Of all that ended by themselves; cancelled runs took as long as somebody let them.
        package var latencies = LatencyCounts()
        package var runs: Int { succeeded + failed + cancelled }

        mutating func add(_ count: Int, _ status: RunStatus, step: Int) {
            switch status {
            case .succeeded: succeeded += count
            case .failed: failed += count
            default: cancelled += count
            }
            if status != .cancelled { latencies.add(count, at: step) }
        }
    }

    package struct Slot: Sendable, Hashable {
        package var start: Timestamp
        package var tally = Tally()
    }

    package struct OfWorkflow: Sendable, Hashable {
        package var id: WorkflowID
        /// Nil where the workflow is deleted.
        package var name: String?
        package var tally: Tally
    }

    package var span: Span
    /// Oldest first; the last one is not over.
    package var slots: [Slot]
    package var total = Tally()
    /// Most failures first, then most runs.
    package var workflows: [OfWorkflow] = []
    /// Not over yet, by status; counted up to `Figures.countedMaximum`.
    package var open: [RunStatus: Int] = [:]

    init(_ span: Span, now: Timestamp) {
        self.span = span
        let (hours, count) = span.slots
        let last = now.seconds.flooringDivision(Int64(hours) * 3_600)
        slots = (0..<count).map { Slot(start: Timestamp(seconds: (last - Int64(count - 1 - $0)) * Int64(hours) * 3_600)) }
    }

    var firstHour: Int { slots.first.map { RunFigureStore.hour(of: $0.start) } ?? 0 }

    /// The slot of an hour; nil where it is not shown.
    func slot(ofHour hour: Int) -> Int? {
        let index = (hour - firstHour) / span.slots.hours
        return hour >= firstHour && slots.indices.contains(index) ? index : nil
    }
}

/// Counts the runs of tenants, for the dashboard.
package struct Figures: Sendable {
    let database: any Database
    let clock: Clock

    package init(database: any Database, clock: Clock) {
        self.database = database
        self.clock = clock
    }

    /// A run's end may be committed so long after the time that it bears, clocks of several machines included.
    static let grace: Duration = .seconds(300)
    /// Runs that are counted in one transaction.
    static let runsPerFold = 20_000
    /// Runs since the last fold that are counted for one look at the dashboard.
    static let runsPerLook = 200_000
    static let hoursKept = 400 * 24
    package static let countedMaximum = 1_000

    /// Counts the runs that ended since the last time. Each run counts once however often and by however many processes this is done,
    /// since the counts and the mark that says how far they go are written together.
    package func fold(of tenant: TenantID) async throws {
        while try await foldPart(of: tenant), !Task.isCancelled {}
    }

    /// - Returns: whether there may be more.
    private func foldPart(of tenant: TenantID) async throws -> Bool {
        let until = clock.now() - Self.grace
        let limit = Self.runsPerFold
        let (from, counted, mark) = try await database.read(in: tenant) { tx in
            let store = RunFigureStore(tx: tx)
            let from = try store.foldedUntil()
            guard from < until else { return (from, [] as [RunFigureStore.EndedRun], from) }
            let (runs, mark) = try store.ended(from: from, until: until, limit: limit)
            return (from, runs, mark)
        }
        let isPart = mark < until
        guard isPart || !counted.isEmpty else { return false }
        let counts = counted.reduce(into: [:]) { $0[RunFigureStore.Key($1), default: 0] += 1 }
        let bytes = counted.reduce(0) { $0 + $1.storedBytes }
        let oldest = RunFigureStore.hour(of: until) - Self.hoursKept
        try await database.write(in: tenant) { tx in
            let store = RunFigureStore(tx: tx)
            guard try store.advance(from: from, to: mark) else { return }
            try store.add(counts)
            try StorageUse(tx: tx).add(bytes: bytes)
            try store.removeCounts(before: oldest)
        }
        return isPart
    }

    package func overview(_ span: RunOverview.Span, by principal: Principal) async throws -> RunOverview {
        let tenant = try principal.tenant(for: .executionsRead)
        let now = clock.now()
        let empty = RunOverview(span, now: now)
        return try await database.read(in: tenant) { tx in
            let store = RunFigureStore(tx: tx)
            var overview = empty
            var workflows: [WorkflowID: RunOverview.Tally] = [:]
            func add(_ key: RunFigureStore.Key, _ count: Int) {
                guard let slot = overview.slot(ofHour: key.hour) else { return }
                overview.slots[slot].tally.add(count, key.status, step: key.step)
                overview.total.add(count, key.status, step: key.step)
                workflows[key.workflow, default: .init()].add(count, key.status, step: key.step)
            }
            for (key, runs) in try store.counts(from: overview.firstHour) { add(key, runs) }
            let folded = max(try store.foldedUntil(), overview.slots.first?.start ?? now)
            for run in try store.ended(from: folded, until: now + .seconds(60), limit: Self.runsPerLook).runs { add(RunFigureStore.Key(run), 1) }
            let names = workflows.isEmpty ? [:] : try WorkflowStore(tx: tx).names(of: Set(workflows.keys))
            overview.workflows = workflows.map { RunOverview.OfWorkflow(id: $0.key, name: names[$0.key], tally: $0.value) }.sorted {
                ($1.tally.failed, $1.tally.runs, $0.id) < ($0.tally.failed, $0.tally.runs, $1.id)
            }
            for status in [RunStatus.queued, .running, .waiting, .uncertain] {
                overview.open[status] = try store.count(status, limit: Self.countedMaximum)
            }
            return overview
        }
    }
}
