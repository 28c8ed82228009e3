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
        WakeRelay.shared.on(.wishes) { [wake] in wake.raise() }
        let isLost = await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { await renewing() }
                // Beside the renewals: however many runs are to be taken up, they do not cost the lease of those at work.
                group.addTask {
                    await takingUp()
                    return false
                }
                let isLost = await group.next() ?? false
                group.cancelAll()
                return isLost
            }
        }
        await engine.stop()
        guard !isLost else { throw LeaseLost() }
        try? await database.writeSystem { tx in try LeaseStore(tx: tx).end(lease) }
    }

    /// Until the lease is lost or the task cancelled.
    /// - Returns: whether it is lost.
    private func renewing() async -> Bool {
        let lease = engine.lease
        while !Task.isCancelled {
            do {
                guard try await database.writeSystem({ tx in try LeaseStore(tx: tx).renew(lease, for: EngineService.leaseTime) }) else {
                    logger.critical("the lease of this process is lost; others have its runs")
                    return true
                }
            } catch {
                logger.error("the lease could not be renewed", metadata: ["error": "\(error)"])
            }
            try? await engine.clock.sleep(EngineService.renewal)
        }
        return false
    }

    private func takingUp() async {
        while !Task.isCancelled {
            do {
                try await engine.heed()
                try await engine.lookForOthers()
                await engine.recoverOwn()
                if recovers, try await engine.recover() > 0 { continue }
            } catch {
                logger.error("runs could not be taken over", metadata: ["error": "\(error)"])
            }
            await wake.wait(atMost: EngineService.renewal, engine.clock)
        }
    }
}
