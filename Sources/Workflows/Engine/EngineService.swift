internal import Jobs
internal import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle

/// Keeps the process's lease, takes over the runs of dead processes, and ends the engine's work when the process is told to stop.
package struct EngineService: Service {
    /// A process that does not renew for so long has lost its runs to others.
    package static let leaseTime: Duration = .seconds(30)
    static let renewal: Duration = .seconds(5)

    private let engine: Engine
    private let database: any Database
    private let logger: Logger

    package init(engine: Engine, database: any Database, logger: Logger) {
        self.engine = engine
        self.database = database
        self.logger = logger
    }

    package func run() async throws {
        let lease = engine.lease
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    guard try await database.writeSystem({ tx in try LeaseStore(tx: tx).renew(lease, for: EngineService.leaseTime) }) else {
                        logger.critical("the lease of this process is lost; others have its runs")
                        return
                    }
                    while try await engine.recover() > 0 {}
                } catch {
                    logger.error("the lease could not be renewed", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: EngineService.renewal)
            }
        }
        await engine.stop()
        try? await database.writeSystem { tx in try LeaseStore(tx: tx).end(lease) }
    }
}
