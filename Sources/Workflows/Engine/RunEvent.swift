package import Kernel

/// One run of a node within a run.
package struct StepKey: Sendable, Hashable {
    package var node: Int
    package var runIndex: Int
    package init(node: Int, runIndex: Int) {
        self.node = node
        self.runIndex = runIndex
    }
}

/// What happens to a run. The journal is the list of its events: folding them gives the machine again, without running anything.
package enum RunEvent: Sendable {
    /// The run begins with these items at its trigger.
    case started(trigger: Int, items: ItemList)
    /// A step that may not be repeated is about to execute.
    case stepIntended(StepKey, attempt: Int)
    /// In a box, since it is by far the largest, and events are handed on several times.
    indirect case stepFinished(StepFinish)
    case stepFailed(StepKey, attempt: Int, StepFailure, at: Timestamp)
    /// Somebody gave a step that has not begun other items; nil where an input stays as it is.
    case stepEdited(StepKey, inputs: [ItemList?])
    case stepWaiting(StepKey, until: Timestamp, state: JSON?)
    /// The step started so many other runs; where it waits for them it goes on when all have returned.
    case stepCalled(StepKey, count: Int, waits: Bool)
    case callReturned(StepKey, index: Int, Result<ItemList, StepFailure>)
    case timerFired(StepKey)
    /// What a step waits for came from outside before its time was over.
    case stepAnswered(StepKey, ItemList)
    /// A step was in flight when its process died, and may not be repeated unasked.
    case stepUncertain(StepKey)
    /// Somebody decided that an uncertain step be executed again.
    case stepRepeated(StepKey)
    case cancelled
    /// The run was at work for longer than its workflow allows.
    case timedOut(at: Timestamp)
}

extension RunEvent {
    /// Whether it holds a list that should not stay in memory for long.
    var givesManyItems: Bool {
        guard case .stepFinished(let finish) = self else { return false }
        return finish.outputs.contains { ($0?.items.count ?? 0) > Limits.itemsBetweenCommits }
    }
}

/// The end of a step that did not stop the run.
package struct StepFinish: Sendable {
    package var step: StepKey
    package var attempt: Int
    /// By output; nil or empty ends that branch.
    package var outputs: [StepOutput?]
    /// Why the node failed where it goes on all the same.
    package var failure: StepFailure?
    /// The node's state for its next run, where it wrote one.
    package var state: JSON?
    package var staticGlobal: JSON?
    package var staticNode: JSON?
    /// Values that the run is found by: texts by name.
    package var marks: JSON?
    package var answer: WebhookAnswer?
    package var logs: [String]
    package var startedAt: Timestamp
    package var finishedAt: Timestamp

    package init(
        step: StepKey, attempt: Int = 1, outputs: [StepOutput?], failure: StepFailure? = nil, state: JSON? = nil, staticGlobal: JSON? = nil,
        staticNode: JSON? = nil, marks: JSON? = nil, answer: WebhookAnswer? = nil, logs: [String] = [], startedAt: Timestamp, finishedAt: Timestamp
    ) {
        self.step = step
        self.attempt = attempt
        self.outputs = outputs
        self.failure = failure
        self.state = state
        self.staticGlobal = staticGlobal
        self.staticNode = staticNode
        self.marks = marks
        self.answer = answer
        self.logs = logs
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// What the driver is to do.
package enum RunEffect: Sendable {
    case execute(StepRequest)
    /// Give back `timerFired` at that time.
    case wait(StepKey, until: Timestamp)
    /// Answer the webhook's caller.
    case respond(WebhookAnswer)
    case finish(RunEnd)
}

package struct StepRequest: Sendable {
    package var step: StepKey
    package var attempt: Int
    /// By input slot; nil where nothing arrived.
    package var inputs: [StepInput?]
    package var resume: StepResume?
    /// Whether the journal says that an earlier process had begun this very attempt.
    package var wasIntended: Bool
}

package struct RunEnd: Sendable, Equatable {
    package enum Status: String, Sendable, Hashable { case succeeded, failed, cancelled, uncertain }
    package var status: Status
    package var failure: StepFailure?
    /// The step that failed, or the one that finished last.
    package var step: StepKey?
}
