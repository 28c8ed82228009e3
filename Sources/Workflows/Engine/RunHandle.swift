internal import Kernel
internal import Synchronization

/// How a run ended.
package struct RunResult: Sendable {
    package var run: RunID
    package var status: RunStatus
    package var failure: StepFailure?
    /// The items of the last step's first output that has any.
    package var items: ItemList
}

/// A run that was started, for those who wait for it in this process. The run is saved when it is handed out.
package final class RunHandle: Sendable {
    package let run: RunID
    private struct State {
        var answer: WebhookAnswer?
        var result: RunResult?
        var answerWaiters: [CheckedContinuation<WebhookAnswer?, Never>] = []
        var resultWaiters: [CheckedContinuation<RunResult, Never>] = []
    }
    private let state = Mutex(State())

    init(_ run: RunID) { self.run = run }

    /// What a respond node answered; nil where the run ended without one.
    package func answer() async -> WebhookAnswer? {
        if let known = state.withLock({ $0.answer }) { return known }
        return await withCheckedContinuation { continuation in
            let known: WebhookAnswer?? = state.withLock { state in
                if let answer = state.answer { return answer }
                if state.result != nil { return .some(nil) }
                state.answerWaiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Waits until the run is over, or uncertain.
    package func finished() async -> RunResult {
        if let known = state.withLock({ $0.result }) { return known }
        return await withCheckedContinuation { continuation in
            let known: RunResult? = state.withLock { state in
                if state.result == nil { state.resultWaiters.append(continuation) }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Whether somebody waits for an answer that has not come.
    var wantsAnswer: Bool { state.withLock { $0.answer == nil && !$0.answerWaiters.isEmpty } }

    func give(answer: WebhookAnswer) {
        let waiters = state.withLock { state in
            guard state.answer == nil else { return [CheckedContinuation<WebhookAnswer?, Never>]() }
            state.answer = answer
            defer { state.answerWaiters = [] }
            return state.answerWaiters
        }
        for waiter in waiters { waiter.resume(returning: answer) }
    }

    func give(result: RunResult) {
        let (answers, results) = state.withLock { state in
            guard state.result == nil else { return ([CheckedContinuation<WebhookAnswer?, Never>](), [CheckedContinuation<RunResult, Never>]()) }
            state.result = result
            defer { state.answerWaiters = []; state.resultWaiters = [] }
            return (state.answerWaiters, state.resultWaiters)
        }
        for waiter in answers { waiter.resume(returning: nil) }
        for waiter in results { waiter.resume(returning: result) }
    }
}
