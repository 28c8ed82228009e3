package import Kernel
package import Persistence

/// Where a replay begins, and with what.
package struct ReplayPoint: Sendable {
    package var node: String
    package var runIndex: Int
    /// By input; nil where it stays as it was.
    package var inputs: [ItemList?]

    package init(node: String, runIndex: Int = 0, inputs: [ItemList?] = []) {
        self.node = node
        self.runIndex = runIndex
        self.inputs = inputs
    }
}

extension Engine {
    /// Starts a new run with the history of one that is over, up to a step: that one, and all that follows from it, is executed again.
    /// - Parameters:
    ///   - point: nil begins at the step that failed, and at the trigger where none did.
    ///   - version: nil takes the version that ran then.
    ///   - keys: nil keeps them where the run goes on at the step that stopped it, with the same items and version.
    ///   - record: called in the transaction that writes the new run.
    /// - Throws: `not_over`, `step_not_reached`
    package func replay(
        _ id: RunID, tenant: TenantID, from point: ReplayPoint?, version: Int? = nil, keys: ReplayKeys? = nil,
        recording record: @escaping @Sendable (TenantTransaction, RunID) throws -> Void = { _, _ in }
    ) async throws -> RunHandle {
        guard var row = try await database.read(in: tenant, { tx in try RunStore(tx: tx).find(id) }) else { throw Refusal.missing("execution") }
        guard row.status.isOver || row.status == .uncertain else {
            throw Refusal(.conflict, "not_over", "The execution is not over yet; cancel it first.")
        }
        let keys = keys ?? (version == nil || version == row.version ? nil : .new)
        row.version = version ?? row.version
        let workflow = try await compile(row, tenant)
        let facts = RunFacts(
            id: ids.next(), tenant: tenant, workflow: row.workflow, version: row.version, mode: row.mode, timeZone: row.timeZone
        ).traced
        var run = try await history(row, facts, workflow, from: point, keys) { tx in try record(tx, facts.id) }
        let handle = RunHandle(facts.id)
        guard !leavesToOthers(workflow.document), inHand.enter(facts.id, tenant: tenant, handle) == .entered else {
            // Written as one whose time has come, for a process with room.
            park(handle, tenant: tenant)
            _ = try await commit(&run, .parked(until: clock.now()))
            facts.trace?.end(.queued)
            return handle
        }
        do { return try await launch(&run, handle) } catch {
            fail(facts, error)
            throw error
        }
    }

    private func history(
        _ row: Run, _ facts: RunFacts, _ workflow: CompiledWorkflow, from point: ReplayPoint?, _ keys: ReplayKeys?,
        recording record: @escaping @Sendable (TenantTransaction) throws -> Void
    ) async throws -> LiveRun {
        let blobs = self.blobs
        let fresh = try await machine(workflow, facts)
        let now = clock.now()
        return try await database.read(in: facts.tenant) { tx in
            let payloads = PayloadReader(tx: tx, run: row.id, blobs: blobs)
            guard let trigger = workflow.index(ofNode: row.trigger) else {
                throw Refusal(.conflict, "step_not_reached", "This version has no trigger named '\(row.trigger)'.")
            }
            let items = try payloads.input(row)
            var start = fresh
            _ = start.on(.started(trigger: trigger, items: items))
            let events = try JournalStore(tx: tx).history(of: row.id, workflow: workflow, payloads: payloads)
            var history = ReplayHistory(start: start, events: events)
            try history.cut(at: try point.map { try ReplayHistory.step($0, workflow) }, edited: point?.inputs ?? [])
            var facts = facts
            if keys ?? (history.isRetry ? .kept : .new) == .kept { facts.outwardKeys = history.keys(of: row, for: facts.id) }
            var run = LiveRun(facts: facts, parent: nil, folded: history.machine, seq: 0)
            run.uncommitted = history.kept
            run.new = NewRun(
                facts: facts, trigger: row.trigger, items: items, idempotencyKey: nil, parent: nil, createdAt: now, replayOf: row.id,
                record: record)
            return run
        }
    }
}

/// The events of a run that stay when it is to go on from a step, and the machine that they give.
struct ReplayHistory {
    private let start: RunMachine
    private let events: [RunEvent]
    private(set) var machine: RunMachine
    private(set) var kept: [RunEvent] = []
    /// Whether it goes on where the run stopped, with what it had.
    private(set) var isRetry = false

    init(start: RunMachine, events: [RunEvent]) {
        self.start = start
        // What was kept for later runs then is not what is kept for them now.
        self.events = events.map { event in
            guard case .stepFinished(var finish) = event else { return event }
            finish.staticGlobal = nil
            finish.staticNode = nil
            return .stepFinished(finish)
        }
        machine = start
    }

    static func step(_ point: ReplayPoint, _ workflow: CompiledWorkflow) throws -> StepKey {
        guard let node = workflow.index(ofNode: point.node) else {
            throw Refusal.invalid("node", "unknown_node", "The workflow has no node named '\(point.node)'.")
        }
        return StepKey(node: node, runIndex: point.runIndex)
    }

    /// Leaves out what happened to the step; what followed from it falls away by itself, since the machine expects none of it.
    mutating func cut(at step: StepKey?, edited inputs: [ItemList?]) throws {
        var repeated: Set<StepKey> = []
        if let target = step ?? stopping {
            isRetry = target == stopping && !inputs.contains { $0 != nil }
            repeated.insert(target)
            fold(without: &repeated, editing: inputs.contains { $0 != nil })
            guard machine.end == nil, let known = machine.inputs(of: target) else {
                throw Refusal(.conflict, "step_not_reached", "The execution did not get to that step.")
            }
            guard inputs.count <= max(known.count, 1) else {
                throw Refusal.invalid("inputs", "too_many_inputs", "The step has \(known.count) inputs.")
            }
            if inputs.contains(where: { $0 != nil }) {
                let edit = RunEvent.stepEdited(target, inputs: inputs)
                _ = machine.on(edit)
                kept.append(edit)
            }
        } else if let last = events.last, last.step == nil {
            // Cancelled, or out of time: it goes on where it was.
            fold(without: &repeated, editing: false)
            if machine.end != nil { restart() } else { isRetry = true }
        } else {
            restart()
        }
    }

    /// The keys of the run, for one that does again what it has done: the item that stopped it asks anew where it was refused.
    func keys(of run: Run, for next: RunID) -> OutwardKeys {
        var keys = run.outwardKeys ?? OutwardKeys(of: run.id)
        if case .stepFailed(let step, _, let failure, _)? = events.last {
            keys.renew(failure, of: machine.workflow.nodes[step.node].node.id, runIndex: step.runIndex, for: next)
        }
        return keys
    }

    /// The step at which the run stopped.
    private var stopping: StepKey? {
        switch events.last {
        case .stepFailed(let step, _, _, _)?, .stepUncertain(let step)?: step
        default: nil
        }
    }

    private mutating func restart() {
        machine = start
        kept = []
    }

    /// Steps that waited for called runs call them again: those of the old run return to the old run.
    private mutating func fold(without repeated: inout Set<StepKey>, editing: Bool) {
        fold(without: repeated, editing: editing)
        while let calling = machine.calling.first(where: { [repeated] in !repeated.contains($0.step) }) {
            repeated.insert(calling.step)
            fold(without: repeated, editing: editing)
        }
    }

    /// An event stays where its step has the same inputs as it had: once a step is left out, others of the same node may come in its place.
    private mutating func fold(without repeated: Set<StepKey>, editing: Bool) {
        restart()
        var original = start
        var dropped = repeated
        for event in events {
            let known = event.step.flatMap { original.inputs(of: $0) }
            _ = original.on(event)
            guard let step = event.step, let inputs = machine.inputs(of: step) else { continue }
            if dropped.contains(step) {
                // What somebody corrected stays corrected.
                if case .stepEdited = event, !editing, repeated.contains(step) { keep(event) }
                continue
            }
            guard known?.map({ $0?.source }) == inputs.map({ $0?.source }) else {
                dropped.insert(step)
                continue
            }
            switch event {
            // An intention says that an attempt was in flight; here none is.
            case .stepIntended, .stepUncertain, .stepRepeated: continue
            case .stepFailed:
                var next = machine
                _ = next.on(event)
                if next.end == nil { keep(event) }
            default: keep(event)
            }
        }
    }

    private mutating func keep(_ event: RunEvent) {
        _ = machine.on(event)
        kept.append(event)
    }
}
