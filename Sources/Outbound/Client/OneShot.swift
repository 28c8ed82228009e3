internal import Synchronization

/// A value that arrives once, from any thread, to one waiting task; what comes later is dropped.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case done(Result<Value, any Error>)
    }

    private let state = Mutex(State.empty)

    /// - Returns: whether this was the first result.
    @discardableResult
    func resume(with result: Result<Value, any Error>) -> Bool {
        let (continuation, isFirst): (CheckedContinuation<Value, any Error>?, Bool) = state.withLock { state in
            switch state {
            case .empty:
                state = .done(result)
                return (nil, true)
            case .waiting(let continuation):
                state = .done(result)
                return (continuation, true)
            case .done: return (nil, false)
            }
        }
        continuation?.resume(with: result)
        return isFirst
    }

    /// Waits for the value; throws `CancellationError` at once when the task is cancelled.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready: Result<Value, any Error>? = state.withLock { state in
                    if case .done(let result) = state { return result }
                    state = .waiting(continuation)
                    return nil
                }
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            resume(with: .failure(CancellationError()))
        }
    }
}
