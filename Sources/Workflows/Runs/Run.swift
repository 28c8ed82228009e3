package import Kernel
internal import Persistence

/// A run as its row tells it.
package struct Run: Sendable {
    /// The step of another run that called this one.
    package struct Parent: Sendable, Hashable {
        package var run: RunID
        package var node: String
        package var runIndex: Int
        package var callIndex: Int
    }

    package var id: RunID
    package var workflow: WorkflowID
    package var version: Int
    package var status: RunStatus
    package var mode: String
    package var trigger: String
    package var epoch: Int64
    package var depth: Int
    /// IANA name used where the workflow names none.
    package var timeZone: String
    package var parent: Parent?
    package var failure: StepFailure?
    package var createdAt: Timestamp
    package var finishedAt: Timestamp?
    package var resumeAt: Timestamp?
    /// Since when it waits for somebody to let it go on.
    package var pausedAt: Timestamp?
    /// The run whose history it began with.
    package var replayOf: RunID?
    /// nil where they begin with its own id.
    var outwardKeys: OutwardKeys?
    /// The status that people see: one who waits for a person is paused.
    package var shownStatus: String { pausedAt != nil && !status.isOver ? "paused" : status.rawValue }
    /// Texts that name what it was started with and what it ended with, read by `PayloadReader`.
    var input: [UInt8]
    var result: [UInt8]?
}

/// A run that is to be written for the first time. One object, since the run in hand and what is committed of it both hold it.
final class NewRun: Sendable {
    let facts: RunFacts
    let trigger: String
    let items: ItemList
    let idempotencyKey: String?
    let parent: Run.Parent?
    let createdAt: Timestamp
    let replayOf: RunID?
    /// Its place among those that wait to be taken up; the time where it is nil.
    let rank: Timestamp?
    /// Called in the transaction that writes it: what the tenant's books say of it.
    let record: (@Sendable (TenantTransaction) throws -> Void)?

    init(
        facts: RunFacts, trigger: String, items: ItemList, idempotencyKey: String?, parent: Run.Parent?, createdAt: Timestamp,
        replayOf: RunID? = nil, rank: Timestamp? = nil, record: (@Sendable (TenantTransaction) throws -> Void)? = nil
    ) {
        self.facts = facts
        self.trigger = trigger
        self.items = items
        self.idempotencyKey = idempotencyKey
        self.parent = parent
        self.createdAt = createdAt
        self.replayOf = replayOf
        self.rank = rank
        self.record = record
    }

    func ranked(_ rank: Timestamp) -> NewRun {
        NewRun(
            facts: facts, trigger: trigger, items: items, idempotencyKey: idempotencyKey, parent: parent, createdAt: createdAt,
            replayOf: replayOf, rank: rank, record: record)
    }
}

/// Another process has taken the run over: this one must stop working on it, and nothing it tried to write was written.
struct RunAbandoned: Error {}
