internal import Persistence
internal import ServiceLifecycle
internal import Synchronization

/// Wakes by NOTIFY on the deployment's own PostgreSQL: nothing else is needed.
package final class NotifyCarrier: WakeCarrier {
    private let url: String
    private let onWake: @Sendable (_ topic: String) -> Void
    private let signals = Mutex<PostgresSignals?>(nil)

    package init(url: String, onWake: @escaping @Sendable (_ topic: String) -> Void) {
        self.url = url
        self.onWake = onWake
    }

    package func post(_ topic: String) { signals.withLock { $0 }?.post(topic) }

    package func run() async throws {
        let made = try PostgresSignals(url: url, onSignal: onWake)
        signals.withLock { $0 = made }
        await cancelWhenGracefulShutdown {
            let (forever, end) = AsyncStream.makeStream(of: Never.self)
            await withTaskCancellationHandler {
                for await _ in forever {}
            } onCancel: {
                end.finish()
            }
        }
        signals.withLock { $0 = nil }
        made.close()
    }
}
