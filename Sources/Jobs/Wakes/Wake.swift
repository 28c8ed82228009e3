package import Kernel
internal import Synchronization

/// Ends waits early in this process. Wakes that nobody waits for are remembered once; lost ones cost no more than the sweep's interval.
package final class Wake: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func raise() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isRaised = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when raised, after `limit`, or when the task is cancelled. For one waiter at a time.
    package func wait(atMost limit: Duration, _ clock: Clock = .system) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.untilRaised() }
            group.addTask { try? await clock.sleep(limit) }
            await group.next()
            group.cancelAll()
            release()
        }
    }

    private func untilRaised() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state -> Bool in
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            release()
        }
    }

    private func release() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
