internal import Jobs
internal import Kernel
internal import Persistence

/// All that one transaction writes of a run; a value, since the transaction may be replayed.
struct RunCommit: Sendable {
    /// What becomes of the run's hold on this process.
    enum Hold: Sendable {
        case kept
        /// Until a time, or until a called run returns.
        case parked(until: Timestamp?)
        case ended
    }

    var facts: RunFacts
    var parent: Run.Parent?
    var new: NewRun?
    var epoch: Int64
    var status: RunStatus
    var hold: Hold
    var end: RunEnd?
    var result: [UInt8]?
    /// Of the texts of a run that ends, before compression.
    var storedBytes = 0
    var entries: [JournalStore.Record]
    var journal: JournalStore.Form
    var payloads: [PreparedPayload]
    /// Files that its texts name and it is not known to hold.
    var files: Set<PayloadHash> = []
    /// Those that a run which called it gets with its result.
    var resultFiles: Set<PayloadHash> = []
    var staticData: [(node: String, data: JSON)]
    /// Values that its steps marked it with.
    var marks: [RunMark] = []
    /// Runs to be taken up by any process: called workflows, error workflows.
    var started: [NewRun]
    /// Steps that wait for called runs, so that a parking run sees those that returned meanwhile.
    var awaited: Set<Place> = []
    /// Whether it is let go because somebody paused it.
    var isPausing = false
    /// Whether it has a place to give back when it ends.
    var hasSlot = false

    /// A run that ends, or is new, is guarded by its own row, which is written under its epoch or for the first time; a plan's limits are rows that
    /// are changed. What counts places of runs, reads what called runs left, or writes to the journal alone relies on more.
    var isolation: WriteIsolation {
        let isGuarded = if case .ended = hold { true } else { new != nil }
        return isGuarded && !hasSlot && parent == nil && awaited.isEmpty && started.isEmpty && staticData.isEmpty && files.isEmpty
            ? .rows : .serializable
    }

    struct Place: Sendable, Hashable {
        var node: String
        var runIndex: Int
        var callIndex: Int
    }

    /// A called run that is over.
    struct Returned: Sendable {
        var place: Place
        var result: Result<ItemList, StepFailure>
    }

    enum Outcome: Sendable {
        case written
        /// The workflow has a run of this idempotency key.
        case duplicate(RunID)
        /// Not parked: called runs have returned.
        case returned([Returned])
        /// Not parked: somebody elsewhere wants it cancelled.
        case unwanted
    }

    func write(
        _ tx: TenantTransaction, blobs: any BlobStore, onStart: (TenantTransaction, RunFacts) throws -> Void,
        onFinish: (TenantTransaction, RunCommit, Timestamp) throws -> Void
    ) throws -> Outcome {
        let (runs, now) = (RunStore(tx: tx), tx.clock.now())
        if let new, let other = try runs.find(startedLike: new) { return .duplicate(other) }
        if let new {
            try onStart(tx, facts)
            try new.record?(tx)
        }
        for run in started { do { try onStart(tx, run.facts) } catch let reason as Refusal { throw StartRefused(reason: reason) } }
        let payloadStore = PayloadStore(tx: tx)
        for payload in payloads { try payloadStore.store(payload, for: PayloadUser(facts.id)) }
        var hold = hold
        var returned: [Returned] = []
        if case .parked = hold, !awaited.isEmpty {
            returned = try self.returned(runs, tx, blobs)
            if !returned.isEmpty { hold = .kept }
        }
        var isUnwanted = false
        if case .parked = hold, new == nil, try runs.wish(of: facts.id) == .cancelled {
            isUnwanted = true
            hold = .kept
        }
        try writeRun(runs, tx, hold: hold, now)
        if !files.isEmpty { try holdFiles(runs, tx) }
        let journal = JournalStore(tx: tx)
        try RunMarkStore(tx: tx).mark(facts.id, marks)
        for (node, data) in staticData { try journal.keep(data, of: node, workflow: facts.workflow) }
        for run in started { try RunCommit.queue(run, tx) }
        if case .ended = hold {
            if let parent {
                try tx.setTimer(kind: Engine.timerKind, subject: parent.run.description, dueAt: now)
                try RunFileStore(tx: tx).share(resultFiles, with: parent.run)
            }
            // One that is uncertain has yet to end, and keeps its place.
            if status.isOver {
                if hasSlot { try SlotStore(tx: tx).leave(facts.id) }
                try onFinish(tx, self, now)
            }
        }
        if isUnwanted { return .unwanted }
        return returned.isEmpty ? .written : .returned(returned)
    }

    /// Holds the files with whatever gave them to the run, which has them until this is written.
    private func holdFiles(_ runs: RunStore, _ tx: TenantTransaction) throws {
        if let original = new?.replayOf, try !runs.isKnown(original) { throw Refusal.missing("execution") }
        try RunFileStore(tx: tx).share(files, with: facts.id)
    }

    /// A run that any process may take up.
    /// - Parameter waits: it has to wait for a place, and is woken by the one that leaves.
    static func queue(_ new: NewRun, _ tx: TenantTransaction, waits: Bool = false) throws {
        if let payload = new.items.payload { try PayloadStore(tx: tx).store(payload, for: PayloadUser(new.facts.id)) }
        try RunFileStore(tx: tx).share(new.items.files, with: new.facts.id)
        try RunStore(tx: tx).insert(new, status: .queued, epoch: 0, end: nil, result: nil, storedBytes: 0, resumeAt: nil, at: tx.clock.now())
        guard !waits else { return }
        try tx.setTimer(
            kind: Engine.timerKind, subject: new.facts.id.description, dueAt: tx.clock.now(), rank: new.rank, payload: Engine.untouched)
    }

    /// The row and the journal: a row that is there is left last, since the journal is written under the epoch that it still has.
    private func writeRun(_ runs: RunStore, _ tx: TenantTransaction, hold: Hold, _ now: Timestamp) throws {
        let isHeld = if case .kept = hold { true } else { false }
        let resumeAt: Timestamp? = if case .parked(let until) = hold { until } else { nil }
        let status: RunStatus = if case .parked = hold { .waiting } else { self.status }
        let next = isHeld ? epoch : 0
        let store = JournalStore(tx: tx)
        let journal = EndedRuns.isAtOnce(facts.id, endedAt: now) ? self.journal : self.journal.asRows(entries)
        if let new {
            try runs.insert(
                new, status: status, epoch: next, end: end, result: result, journal: journal.own, storedBytes: storedBytes, resumeAt: resumeAt,
                at: now)
            try store.append(entries, as: journal, run: facts.id, epoch: next)
            if isHeld { try runs.own(facts.id, epoch: epoch) }
        } else {
            try store.append(entries, as: journal, run: facts.id, epoch: epoch)
            if !isHeld || status != .running {
                try runs.update(
                    facts.id, status: status, from: epoch, to: next, end: end, result: result, storedBytes: storedBytes, resumeAt: resumeAt,
                    at: now)
            }
            if !isHeld { try runs.disown(facts.id, epoch: epoch) }
        }
        if let resumeAt { try tx.setTimer(kind: Engine.timerKind, subject: facts.id.description, dueAt: resumeAt) }
        // Somebody may have let it go on while it was being paused.
        if isPausing, try !runs.isPaused(facts.id) { try tx.setTimer(kind: Engine.timerKind, subject: facts.id.description, dueAt: tx.clock.now()) }
    }

    private func returned(_ runs: RunStore, _ tx: TenantTransaction, _ blobs: any BlobStore) throws -> [Returned] {
        try runs.returned(to: facts.id).compactMap { run in
            guard let parent = run.parent else { return nil }
            let place = Place(node: parent.node, runIndex: parent.runIndex, callIndex: parent.callIndex)
            guard awaited.contains(place) else { return nil }
            return Returned(place: place, result: try RunCommit.result(of: run, tx, blobs))
        }
    }

    private static func result(of run: Run, _ tx: TenantTransaction, _ blobs: any BlobStore) throws -> Result<ItemList, StepFailure> {
        guard run.status == .succeeded else {
            return .failure(run.failure ?? StepFailure("called_run_\(run.status.rawValue)", "The called run ended as \(run.status.rawValue)."))
        }
        return .success(try PayloadReader(tx: tx, run: run.id, blobs: blobs).result(run))
    }
}

/// A value that is handed on several times, as one object.
final class Boxed<Value: Sendable>: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

/// Runs that a run would start are refused; nothing is written.
struct StartRefused: Error { let reason: Refusal }
