internal import Jobs
internal import Kernel
package import Logging
internal import Persistence
internal import ServiceLifecycle

/// Tells those who wait here for runs that other processes have in hand: what their rows and journals say.
package struct RunWatch: Service {
    static let sweep: Duration = .milliseconds(500)

    private let engine: Engine
    private let logger: Logger
    private let wake = Wake()

    package init(engine: Engine, logger: Logger) {
        self.engine = engine
        self.logger = logger
    }

    package func run() async throws {
        WakeRelay.shared.on(.runs) { [wake] in wake.raise() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await wake.wait(atMost: RunWatch.sweep, engine.clock)
                do { try await look() } catch { logger.error("runs elsewhere could not be read", metadata: ["error": "\(error)"]) }
            }
        }
    }

    /// Looks once at all runs that somebody here waits for.
    func look() async throws {
        for (tenant, handles) in engine.awaited {
            var rest = handles[...]
            while !rest.isEmpty {
                let some = Array(rest.prefix(RunWatch.runsPerLook))
                rest = rest.dropFirst(some.count)
                do { try await look(at: some, tenant) } catch {
                    logger.error("runs elsewhere could not be read", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
                }
            }
        }
    }

    static let runsPerLook = 200

    private func look(at handles: [RunHandle], _ tenant: TenantID) async throws {
        let blobs = engine.blobs
        let (runs, asking) = (handles.map(\.run), handles.filter(\.wantsAnswer).map(\.run))
        let found = try await engine.database.read(in: tenant) { tx -> (answers: [RunID: WebhookAnswer], results: [RunID: RunResult]) in
            let results = try RunStore(tx: tx).ended(among: runs).map { row in
                let items = try PayloadReader(tx: tx, run: row.id, blobs: blobs).result(row)
                return (row.id, RunResult(run: row.id, status: row.status, failure: row.failure, items: items))
            }
            return (try JournalStore(tx: tx).answers(of: asking), Dictionary(results, uniquingKeysWith: { first, _ in first }))
        }
        for handle in handles {
            if let answer = found.answers[handle.run] { handle.give(answer: answer) }
            guard let result = found.results[handle.run] else { continue }
            handle.give(result: result)
            engine.unpark(handle.run)
        }
    }
}
