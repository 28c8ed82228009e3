internal import Jobs
internal import Kernel
package import Logging
internal import Persistence
internal import ServiceLifecycle

/// Starts the runs of schedules: a slot is taken and its run written in one transaction, so that no slot fires twice and none is lost.
package struct Scheduler: Service {
    static let batchMaximum = 100
    static let sweep: Duration = .seconds(1)

    private let engine: Engine
    private let workflows: Workflows
    private let logger: Logger

    package init(engine: Engine, workflows: Workflows, logger: Logger) {
        self.engine = engine
        self.workflows = workflows
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let fired = try await fireDue()
                    if fired < Scheduler.batchMaximum { try? await Task.sleep(for: Scheduler.sweep) }
                } catch {
                    logger.error("schedules could not be read", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: Scheduler.sweep)
                }
            }
        }
    }

    /// Fires what is due; a process that was down catches each schedule up once and goes on from now.
    @discardableResult
    package func fireDue() async throws -> Int {
        let now = engine.clock.now()
        let due = try await engine.database.readSystem { tx in try tx.dueSchedules(at: now, limit: Scheduler.batchMaximum) }
        for one in due {
            do {
                try await fire(one)
            } catch {
                logger.error("a schedule could not fire", metadata: ["workflow": "\(one.workflow)", "error": "\(error)"])
            }
        }
        return due.count
    }

    private func fire(_ due: DueSchedule) async throws {
        let bytes = try await engine.database.read(in: due.tenant) { tx in try WorkflowStore(tx: tx).document(of: due.workflow, version: due.version)
        }
        guard let bytes else { return }
        let document = try WorkflowDocument(stored: bytes)
        guard let node = document.nodes.first(where: { $0.id == due.node }), let kind = workflows.kinds.kind(node.kind) else { return }
        let zone = try await workflows.policies.timeZone(due.tenant)
        let schedule = try Schedule(node, kind: kind, timeZone: document.settings.timeZone ?? zone)
        let now = engine.clock.now()
        let next = schedule.next(after: max(due.slot, now))
        let facts = RunFacts(
            id: engine.ids.next(), tenant: due.tenant, workflow: due.workflow, version: due.version, mode: "schedule",
            timeZone: document.settings.timeZone ?? zone)
        let item = Item(json: ScheduleItem(due.slot, timeZone: facts.timeZone).json)
        let new = NewRun(facts: facts, trigger: node.name, items: ItemList([item]), idempotencyKey: nil, parent: nil, createdAt: now)
        let onStart = engine.configuration.onStart
        try await engine.database.write(in: due.tenant) { tx in
            guard try TriggerStore(tx: tx).advance(due, to: next) else { return }
            try onStart(tx, facts)
            try RunCommit.queue(new, tx)
        }
    }
}
