internal import Synchronization

/// Wakes the deliverer in this process once an event is committed; a sweep finds what other processes wrote.
package final class OutboxSignal: Sendable {
    package static let shared = OutboxSignal()
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)

    package func listen(_ action: @escaping @Sendable () -> Void) { listener.withLock { $0 = action } }

    func raise(after session: any Session) {
        session.afterCommit { [self] in
            let action = listener.withLock { $0 }
            action?()
        }
    }
}
