internal import Jobs
internal import Kernel
internal import Logging
internal import Persistence
internal import Scripting

/// A run of a workflow that allows only so many at once, and what it is counted by.
struct Admission: Sendable {
    let place: SlotStore.Place
    let whenFull: WorkflowSettings.Concurrency.WhenFull

    enum Entrance: Sendable {
        case admitted
        /// Until another one ends, or there is room.
        case waits
        case refused
        /// In the place of these, which are to be cancelled.
        case supersedes([RunID])
    }

    /// Writes a run that nobody waits for, of a workflow that may allow only so many at once. One that is refused for want of a place is none.
    static func enter(_ new: NewRun, _ admission: Admission?, _ tx: TenantTransaction) throws -> Entrance {
        if let admission { return try admission.enter(new, tx) }
        try RunCommit.queue(new, tx)
        return .waits
    }

    /// Writes the run as one to be taken up, at once or when its turn comes; nothing where it is refused.
    func enter(_ new: NewRun, _ tx: TenantTransaction) throws -> Entrance {
        let slots = SlotStore(tx: tx)
        let isFree = try slots.count(place) < place.allowed
        guard isFree || whenFull != .skip else { return .refused }
        try slots.enter(new.facts.id, place, isWaiting: !isFree)
        try RunCommit.queue(new, tx, waits: !isFree)
        if isFree { return .admitted }
        guard whenFull == .cancelOldest else { return .waits }
        let older = try slots.superseded(place)
        for run in older { try supersede(run, tx) }
        return .supersedes(older)
    }

    /// Asks for the end of a run in the transaction that replaces it, so that it comes also where this process dies before it cancels it.
    private func supersede(_ run: RunID, _ tx: TenantTransaction) throws {
        guard try !RunStore(tx: tx).want(.cancelled, of: run) else { return }
        try tx.setTimer(kind: Engine.timerKind, subject: run.description, dueAt: tx.clock.now(), payload: Engine.superseded)
    }
}

extension Engine {
    /// Starts a run of a workflow that allows only so many at once.
    @inline(never)
    func admit(_ new: NewRun, _ workflow: CompiledWorkflow, _ handle: RunHandle) async throws -> RunHandle {
        try await queue(new, handle, with: try await admission(of: new, workflow))
    }

    /// - Throws: `concurrency_key_failed`
    func admission(of new: NewRun, _ workflow: CompiledWorkflow) async throws -> Admission? {
        guard let rule = workflow.document.settings.concurrency else { return nil }
        let place = SlotStore.Place(
            workflow: new.facts.workflow, key: try await key(rule.key, of: new, workflow), allowed: rule.limit)
        return Admission(place: place, whenFull: rule.whenFull)
    }

    private func key(_ expression: String?, of new: NewRun, _ workflow: CompiledWorkflow) async throws -> String {
        guard let expression, let trigger = workflow.index(ofNode: new.trigger) else { return "" }
        let facts = ExpressionFacts(now: new.createdAt, timeZone: new.facts.timeZone, nodeName: new.trigger, mode: new.facts.mode)
        let scope = RunScope(
            machine: RunMachine(workflow), node: trigger, inputs: [StepInput(items: new.items, source: nil)], facts: facts)
        do {
            let value = try await stepRunner.services.evaluate(.string(expression), new.facts.tenant, scope, 0)
            let text = value.text ?? value.serialized
            guard text.unicodeScalars.count <= Limits.concurrencyKeyLength else {
                throw StepFailure("too_long", "it gives more than \(Limits.concurrencyKeyLength) characters")
            }
            return text.indexable(Limits.concurrencyKeyLength)
        } catch {
            let reason = StepFailure(wrapping: error, itemIndex: nil).message
            throw Refusal(.invalid, "concurrency_key_failed", "The expression that runs of this workflow are counted by fails: \(reason)")
        }
    }

    /// Starts a run that is taken up when there is room for it, or at once where only its workflow had to be asked for a place.
    @inline(never)
    func queue(_ new: NewRun, _ handle: RunHandle, with admission: Admission?) async throws -> RunHandle {
        let tenant = new.facts.tenant
        park(handle, tenant: tenant)
        defer { new.facts.trace?.end(.queued) }
        try await PayloadNames.prepare(new.items, tenant: tenant, blobs: blobs)
        let onStart = configuration.onStart
        enum Written { case duplicate(RunID), entered(Admission.Entrance) }
        let written = try await database.write(in: tenant) { tx -> Written in
            if let other = try RunStore(tx: tx).find(startedLike: new) { return .duplicate(other) }
            try onStart(tx, new.facts)
            guard let admission else {
                try RunCommit.queue(new, tx)
                return .entered(.waits)
            }
            let entrance = try admission.enter(new, tx)
            if case .refused = entrance {
                throw Refusal(
                    .conflict, "concurrency_limit",
                    "The workflow allows \(admission.place.allowed) executions at once; try again when one of them is over.")
            }
            return .entered(entrance)
        }
        switch written {
        case .duplicate(let other):
            unpark(handle.run)
            return try await self.handle(of: other, tenant: tenant)
        case .entered(let entrance): await settle(entrance, new.facts)
        }
        return handle
    }

    /// Whether newer runs have taken the place of one that was in hand: what said so was its timer, which goes when it is taken up.
    func isSuperseded(_ id: RunID, tenant: TenantID, _ workflow: CompiledWorkflow, version: Int) async throws -> Bool {
        guard workflow.document.settings.concurrency?.whenFull == .cancelOldest else { return false }
        return try await database.read(in: tenant) { tx in try SlotStore(tx: tx).isSuperseded(id, version: version) }
    }

    /// Does what an entrance asks for, after its commit. The run is there whatever comes of this: its timer finds one that is not taken up.
    func settle(_ entrance: Admission.Entrance, _ facts: RunFacts) async {
        switch entrance {
        case .admitted:
            do { try await takeUp(facts.id, tenant: facts.tenant, from: 0) } catch is TimerService.Busy {} catch {
                logger.warning("a run is taken up later", metadata: ["run": "\(facts.id)", "error": "\(error)"])
            }
        case .supersedes(let older):
            for run in older {
                do { try await cancel(run, tenant: facts.tenant) } catch {
                    logger.error("a superseded run could not be cancelled", metadata: ["run": "\(run)", "error": "\(error)"])
                }
            }
        case .waits, .refused: break
        }
    }
}
