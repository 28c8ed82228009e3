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

/// A run that is to be written for the first time.
struct NewRun: Sendable {
    var facts: RunFacts
    var trigger: String
    var items: ItemList
    var idempotencyKey: String?
    var parent: Run.Parent?
    var createdAt: Timestamp
    var replayOf: RunID?
    /// Its place among those that wait to be taken up; the time where it is nil.
    var rank: Timestamp?
    /// Called in the transaction that writes it: what the tenant's books say of it.
    var record: (@Sendable (TenantTransaction) throws -> Void)?
}

/// Another process has taken the run over: this one must stop working on it, and nothing it tried to write was written.
struct RunAbandoned: Error {}
