internal import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle

/// Does the duties that are due: of all processes the one that claims the row. A process that dies leaves its claim to end by itself.
package struct DutyService: Service {
    /// Between two looks at what is due.
    static let sweep: Duration = .seconds(5)
    /// How long a duty is left to its claimer; longer than any takes.
    static let claim: Duration = .seconds(1_800)

    private let database: any Database
    private let logger: Logger
    private let duties: [Duty]

    package init(database: any Database, logger: Logger, duties: [Duty]) {
        precondition(Set(duties.map(\.name)).count == duties.count, "two duties share a name")
        self.database = database
        self.logger = logger
        self.duties = duties
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await doDue()
                try? await Task.sleep(for: DutyService.sweep)
            }
        }
    }

    /// Does what is due, one after the other; one that fails is tried again after its interval. One that the end of the process interrupts is left to
    /// the next one.
    /// - Returns: the names of those done.
    @discardableResult
    package func doDue() async -> [String] {
        var done: [String] = []
        for duty in duties where !Task.isCancelled {
            do {
                guard try await database.readSystem({ tx in try DutyStore(tx: tx).isDue(duty) }) else { continue }
                guard let claim = try await database.writeSystem({ tx in try DutyStore(tx: tx).claim(duty, for: Self.claim) }) else { continue }
                var isOver = true
                do {
                    try await duty.work()
                    isOver = !Task.isCancelled
                    if isOver { done.append(duty.name) }
                } catch {
                    isOver = !Task.isCancelled
                    if isOver { logger.error("a duty failed", metadata: ["duty": "\(duty.name)", "error": "\(error)"]) }
                }
                let ended = isOver
                try await database.writeSystem { tx in
                    let duties = DutyStore(tx: tx)
                    if ended { try duties.finish(duty, claim: claim) } else { try duties.release(duty, claim: claim) }
                }
            } catch {
                logger.error("a duty could not be claimed", metadata: ["duty": "\(duty.name)", "error": "\(error)"])
            }
        }
        return done
    }
}
