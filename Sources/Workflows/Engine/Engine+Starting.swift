internal import Kernel
internal import Persistence

/// How a run begins.
extension Engine {
    /// Starts a run and returns when it is saved: with all its steps where none of them reaches outside.
    package func start(_ start: RunStart) async throws -> RunHandle {
        let workflow = try start.compiled ?? compile(start.document, start.workflow, start.version)
        guard let trigger = workflow.index(ofNode: start.trigger) else { throw Refusal.missing("trigger") }
        let new = new(start)
        let handle = RunHandle(new.facts.id)
        if workflow.document.settings.concurrency != nil { return try await admit(new, workflow, handle) }
        guard !leavesToOthers(workflow.document), inHand.enter(new.facts.id, tenant: new.facts.tenant, handle) == .entered else {
            let rank = ranks.next(of: new.facts.tenant, workflow.document.settings.priority, at: new.createdAt)
            return try await queue(new.ranked(rank), handle, with: nil)
        }
        do {
            if workflow.usesStaticData { return try await launch(new, trigger, with: try await machine(workflow, new.facts), handle) }
            return try await launch(new, trigger, with: RunMachine(workflow), handle)
        } catch {
            fail(new.facts, error)
            throw error
        }
    }

    @inline(never)
    private func new(_ start: RunStart) -> NewRun {
        let facts = RunFacts(
            id: start.id ?? ids.next(), tenant: start.tenant, workflow: start.workflow, version: start.version, mode: start.mode,
            timeZone: start.timeZone
        ).traced
        return NewRun(
            facts: facts, trigger: start.trigger, items: start.items, idempotencyKey: start.idempotencyKey, parent: nil, createdAt: clock.now())
    }

    @inline(never)
    private func launch(_ new: NewRun, _ trigger: Int, with machine: RunMachine, _ handle: RunHandle) async throws -> RunHandle {
        var run = begun(new, trigger, machine)
        return try await launch(&run, handle)
    }

    @inline(never)
    private func begun(_ new: NewRun, _ trigger: Int, _ machine: RunMachine) -> LiveRun {
        var run = LiveRun(facts: new.facts, parent: nil, machine: machine, new: new)
        run.feed(.started(trigger: trigger, items: new.items))
        return run
    }

    /// Lets go of a run that could not be saved.
    @inline(never)
    func fail(_ facts: RunFacts, _ error: any Error) {
        facts.trace?.end(.failed)
        retire(facts.id)
        // Its commit may have happened all the same.
        if error is PersistenceError { abandon(facts.id, facts.tenant, after: error) }
    }

    /// Works on a new run until it is saved; the rest goes on by itself.
    @inline(never)
    func launch(_ run: inout LiveRun, _ handle: RunHandle) async throws -> RunHandle {
        let phase = try await advance(&run, pausing: true)
        letGo(run, phase)
        guard case .duplicate(let other) = phase else { return handle }
        return try await self.handle(of: other, tenant: run.facts.tenant)
    }

    /// What becomes of a new run that is saved, or had been.
    @inline(never)
    private func letGo(_ run: LiveRun, _ phase: Phase) {
        if case .saved = phase { return carryOn(run) }
        run.facts.trace?.end(run.status)
        if case .over = phase { retire(run) } else { retire(run.facts.id) }
    }
}
