internal import Jobs
internal import Kernel
package import Logging
internal import Persistence
internal import ServiceLifecycle

/// Starts the runs of schedules: a slot is taken and its run written in one transaction, so that no slot fires twice and none is lost.
///
/// Those of a tenant fire one after the other, beside those of others: a tenant whose schedules take long keeps none waiting but its own.
package struct Scheduler: Service {
    static let batchMaximum = 100
    /// Tenants whose schedules are fired at one time.
    static let tenantsMaximum = 16
    static let sweep: Duration = .seconds(1)
    /// How late a run may start and still be of its slot.
    static let grace: Duration = .seconds(300)
    /// How old slots may be that are caught up one by one.
    static let catchUpMaximum: Duration = .seconds(604_800)

    private let engine: Engine
    private let workflows: Workflows
    private let logger: Logger
    private let places = TenantPlaces(Scheduler.tenantsMaximum, share: 1)
    private let wake = Wake()

    package init(engine: Engine, workflows: Workflows, logger: Logger) {
        self.engine = engine
        self.workflows = workflows
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        let due = try await turns()
                        for turn in due {
                            places.enter(turn.tenant)
                            group.addTask { await take(turn) }
                        }
                        if due.isEmpty { await wake.wait(atMost: try await untilNext(), engine.clock) }
                    } catch {
                        logger.error("schedules could not be read", metadata: ["error": "\(error)"])
                        try? await engine.clock.sleep(Scheduler.sweep)
                    }
                }
            }
        }
    }

    /// Due schedules of one tenant.
    private struct Turn: Sendable {
        var tenant: TenantID
        var schedules: [DueSchedule]
    }

    /// What is due of tenants that have no turn now, as far as there are places.
    private func turns() async throws -> [Turn] {
        let (now, room) = (engine.clock.now(), places.room)
        guard room.free > 0 else { return [] }
        let due = try await engine.database.readSystem { tx in
            try tx.dueSchedules(at: now, limit: Scheduler.batchMaximum, without: room.full)
        }
        var turns: [Turn] = []
        var known: [TenantID: Int] = [:]
        for one in due {
            if let index = known[one.tenant] {
                turns[index].schedules.append(one)
            } else if turns.count < room.free {
                known[one.tenant] = turns.count
                turns.append(Turn(tenant: one.tenant, schedules: [one]))
            }
        }
        return turns
    }

    private func take(_ turn: Turn) async {
        // What is left is due all the same, and looked at again after a sweep.
        if await fire(turn).left > 0 { try? await engine.clock.sleep(Scheduler.sweep) }
        places.leave(turn.tenant)
        wake.raise()
    }

    /// A tenant that has its turn is looked at again when that ends.
    private func untilNext() async throws -> Duration {
        let room = places.room
        guard room.free > 0 else { return Scheduler.sweep }
        let next = try await engine.database.readSystem { tx in try tx.nextSchedule(without: room.full) }
        let wait: Duration = next.map { $0 - engine.clock.now() } ?? Scheduler.sweep
        return max(.milliseconds(1), min(wait, Scheduler.sweep))
    }

    /// Fires what is due; what passed while nothing served is caught up as the workflow says.
    @discardableResult
    package func fireDue() async throws -> Int {
        let turns = try await turns()
        return await withTaskGroup(of: Int.self) { group in
            for turn in turns { group.addTask { await fire(turn).fired } }
            return await group.reduce(0, +)
        }
    }

    /// - Returns: how many fired, and how many are to be looked at again.
    private func fire(_ turn: Turn) async -> (fired: Int, left: Int) {
        var (fired, left) = (0, 0)
        for one in turn.schedules {
            do {
                try await fire(one)
                fired += 1
            } catch is TimerService.Busy {
                // A process of another version fires it.
                left += 1
            } catch {
                logger.error("a schedule could not fire", metadata: ["workflow": "\(one.workflow)", "error": "\(error)"])
                // What the database refuses now it may take in a moment. All else ends the slot, so that it does not keep others waiting.
                if error is PersistenceError || error is CancellationError { left += 1 } else { await pass(one) }
            }
        }
        return (fired, left)
    }

    /// Whether a slot is so late that its time is over: another one has come, or minutes have gone by.
    private func isMissed(_ slot: Timestamp, _ schedule: Schedule, _ now: Timestamp) -> Bool {
        if let later = schedule.next(after: slot), later <= now { return true }
        return now - slot > Scheduler.grace
    }

    /// Moves a schedule on past a slot that cannot be used.
    private func pass(_ due: DueSchedule) async {
        do {
            let planned = try await plan(due)
            let next = planned?.schedule.next(after: max(due.slot, engine.clock.now()))
            _ = try await engine.database.write(in: due.tenant) { tx in try TriggerStore(tx: tx).advance(due, to: next) }
        } catch {
            // A document that nobody can read has no next slot; the workflow has schedules again when it is published anew.
            guard !(error is PersistenceError), !(error is TimerService.Busy) else { return }
            _ = try? await engine.database.write(in: due.tenant) { tx in try TriggerStore(tx: tx).advance(due, to: nil) }
        }
    }

    struct Plan {
        var document: WorkflowDocument
        var node: WorkflowNode
        var zone: String
        var schedule: Schedule
    }

    /// - Returns: nil where the workflow or its node is gone.
    func plan(_ due: DueSchedule) async throws -> Plan? {
        let bytes = try await engine.database.read(in: due.tenant) { tx in try WorkflowStore(tx: tx).document(of: due.workflow, version: due.version)
        }
        guard let bytes else { return nil }
        let document = try engine.document(bytes)
        guard let node = document.nodes.first(where: { $0.id == due.node }), let kind = workflows.kinds.kind(node.kind) else { return nil }
        let standard = try await workflows.policies.timeZone(due.tenant)
        let zone = document.settings.timeZone ?? standard
        return Plan(document: document, node: node, zone: zone, schedule: try Schedule(node, kind: kind, timeZone: zone))
    }

    private func fire(_ due: DueSchedule) async throws {
        guard let plan = try await plan(due) else {
            _ = try await engine.database.write(in: due.tenant) { tx in try TriggerStore(tx: tx).advance(due, to: nil) }
            return
        }
        let (document, node, schedule) = (plan.document, plan.node, plan.schedule)
        let now = engine.clock.now()
        let catchUp = document.settings.catchUp
        let next = schedule.next(after: catchUp == .all ? max(due.slot, now - Scheduler.catchUpMaximum) : max(due.slot, now))
        if catchUp == .none, isMissed(due.slot, schedule, now) {
            _ = try await engine.database.write(in: due.tenant) { tx in try TriggerStore(tx: tx).advance(due, to: next) }
            return
        }
        let facts = RunFacts(
            id: engine.ids.next(), tenant: due.tenant, workflow: due.workflow, version: due.version, mode: "schedule",
            timeZone: plan.zone)
        let item = Item(json: ScheduleItem(due.slot, timeZone: facts.timeZone).json)
        let new = NewRun(
            facts: facts, trigger: node.name, items: ItemList([item]), idempotencyKey: nil, parent: nil, createdAt: now,
            rank: engine.ranks.next(of: due.tenant, document.settings.priority, at: now))
        let onStart = engine.configuration.onStart
        let admission = try await engine.admission(of: new, CompiledWorkflow(document, kinds: workflows.kinds))
        let entrance = try await engine.database.write(in: due.tenant) { tx -> Admission.Entrance in
            guard try TriggerStore(tx: tx).advance(due, to: next) else { return .refused }
            // A run that is refused for want of a place is none: its slot is over.
            if let admission {
                let entrance = try admission.enter(new, tx)
                if case .refused = entrance { return .refused }
                try onStart(tx, facts)
                return entrance
            }
            try onStart(tx, facts)
            try RunCommit.queue(new, tx)
            return .waits
        }
        if case .supersedes = entrance { await engine.settle(entrance, facts) }
    }
}
