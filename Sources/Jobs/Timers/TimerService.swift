package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle

/// Fires timers when they are due. A handler's own transaction removes the timer together with its effect; a handler that fails is called
/// again after a wait that doubles.
package struct TimerService: Service {
    package typealias Handler = @Sendable (Timer) async throws -> Void

    static let wake = Wake()
    static let batchMaximum = 100
    /// The longest wait between two looks: what other processes set is found then.
    static let sweep: Duration = .seconds(1)
    static let waitMaximum: Duration = .seconds(300)

    private let database: any Database
    private let clock: Clock
    private let logger: Logger
    private let handlers: [String: Handler]

    package init(database: any Database, clock: Clock, logger: Logger, handlers: [String: Handler]) {
        self.database = database
        self.clock = clock
        self.logger = logger
        self.handlers = handlers
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await fireDue() == TimerService.batchMaximum { continue }
                    await TimerService.wake.wait(atMost: try await untilNext())
                } catch {
                    logger.error("timers could not be read", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: TimerService.sweep)
                }
            }
        }
    }

    /// Fires what is due now and returns how many there were.
    @discardableResult
    package func fireDue() async throws -> Int {
        let due = try await database.writeSystem { tx in try TimerStore(tx: tx).claimDue(limit: TimerService.batchMaximum) }
        await withTaskGroup { group in for timer in due { group.addTask { await fire(timer) } } }
        return due.count
    }

    private func fire(_ timer: Timer) async {
        do {
            guard let handler = handlers[timer.kind] else {
                logger.warning("a timer has no handler", metadata: ["kind": "\(timer.kind)"])
                return
            }
            try await handler(timer)
        } catch {
            logger.error(
                "a timer's handler failed", metadata: ["kind": "\(timer.kind)", "subject": "\(timer.subject)", "error": "\(error)"])
            let wait = min(Duration.seconds(1 << min(timer.attempts, 8)), TimerService.waitMaximum)
            try? await database.writeSystem { tx in try TimerStore(tx: tx).postpone(timer, by: wait) }
        }
    }

    private func untilNext() async throws -> Duration {
        guard let next = try await database.readSystem({ tx in try TimerStore(tx: tx).nextDue() }) else { return TimerService.sweep }
        return max(.milliseconds(1), min(TimerService.sweep, next - clock.now()))
    }
}
