internal import Jobs
internal import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle
internal import Synchronization

/// Keeps the process's lease, takes over the runs of dead processes, and ends the engine's work when the process is told to stop.
package struct EngineService: Service {
    /// A process that does not renew for so long has lost its runs to others.
    package static let leaseTime: Duration = .seconds(15)
    static let renewal: Duration = .seconds(3)

    private let engine: Engine
    private let database: any Database
    private let logger: Logger
    private let recovers: Bool
    private let wake = Wake()

    /// - Parameter recovers: whether it takes over the runs of dead processes.
    package init(engine: Engine, database: any Database, logger: Logger, recovers: Bool = true) {
        self.recovers = recovers
        self.engine = engine
        self.database = database
        self.logger = logger
    }

    /// The process ends with a fault, so that whoever watches over it starts it again: it comes back with a new lease.
    package struct LeaseLost: Error, CustomStringConvertible {
        package let description = "the lease of this process was lost: it did not reach the database in time, and others have its runs"
    }

    package func run() async throws {
        let lease = engine.lease
        let isLost = Mutex(false)
        WakeRelay.shared.on(.wishes) { [wake] in wake.raise() }
        await cancelWhenGracefulShutdown {
            let clock = engine.clock
            var renewed: Duration?
            while !Task.isCancelled {
                do {
                    if renewed.map({ clock.elapsed() - $0 >= EngineService.renewal }) ?? true {
                        let asked = clock.elapsed()
                        guard try await database.writeSystem({ tx in try LeaseStore(tx: tx).renew(lease, for: EngineService.leaseTime) }) else {
                            logger.critical("the lease of this process is lost; others have its runs")
                            isLost.withLock { $0 = true }
                            return
                        }
                        renewed = asked
                    }
                    try await engine.heed()
                    await engine.recoverOwn()
                    if recovers, try await engine.recover() > 0 { continue }
                } catch {
                    logger.error("the lease could not be renewed", metadata: ["error": "\(error)"])
                }
                await wake.wait(atMost: EngineService.renewal, clock)
            }
        }
        await engine.stop()
        guard !isLost.withLock({ $0 }) else { throw LeaseLost() }
        try? await database.writeSystem { tx in try LeaseStore(tx: tx).end(lease) }
    }
}
