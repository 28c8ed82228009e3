package import Kernel
package import Persistence

/// Looks at runs and starts them by hand.
package struct Executions: Sendable {
    let database: any Database
    let engine: Engine
    let workflows: Workflows
    let blobs: any BlobStore
    let timeZone: @Sendable (TenantID) async throws -> String

    package init(
        database: any Database, engine: Engine, workflows: Workflows, blobs: any BlobStore,
        timeZone: @escaping @Sendable (TenantID) async throws -> String
    ) {
        self.database = database
        self.engine = engine
        self.workflows = workflows
        self.blobs = blobs
        self.timeZone = timeZone
    }

    /// Starts the published version at its manual trigger, or at its first one.
    /// - Parameter items: what the trigger gives; one empty item where there is none.
    /// - Throws: `not_published`
    package func start(_ id: WorkflowID, items: [JSON], idempotencyKey: String?, by principal: Principal) async throws -> RunHandle {
        let tenant = try principal.tenant(for: .executionsWrite)
        let workflow = try await workflows.workflow(id, by: principal).workflow
        guard let version = workflow.publishedVersion else {
            throw Refusal(.conflict, "not_published", "Publish the workflow first; a run is of a published version.")
        }
        let document = try await workflows.document(of: id, version: version, by: principal)
        let triggers = document.nodes.filter { $0.category == .trigger && !$0.disabled }
        guard let trigger = triggers.first(where: { $0.kind == "manual" }) ?? triggers.first else {
            throw Refusal(.conflict, "no_trigger", "Nothing starts this workflow: add a trigger and publish it.")
        }
        let list = items.isEmpty ? ItemList.single : ItemList(items.map(ItemCodec.item))
        return try await engine.start(
            RunStart(
                tenant: tenant, workflow: id, version: version, document: document, trigger: trigger.name, items: list, mode: "manual",
                timeZone: try await timeZone(tenant), idempotencyKey: idempotencyKey))
    }

    /// In the order that is asked for, those after `cursor`.
    package func search(_ wanted: ExecutionSearch, after cursor: RunID?, limit: Int, by principal: Principal) async throws -> [Run] {
        let tenant = try principal.tenant(for: .executionsRead)
        return try await database.read(in: tenant) { tx in try RunStore(tx: tx).search(wanted, after: cursor, limit: limit) }
    }

    /// The values that runs are marked with.
    package func marks(of runs: [RunID], by principal: Principal) async throws -> [RunID: [RunMark]] {
        let tenant = try principal.tenant(for: .executionsRead)
        return try await database.read(in: tenant) { tx in try RunMarkStore(tx: tx).marks(of: runs) }
    }

    /// - Parameter itemsMaximum: of each list that are given out.
    /// - Throws: `not_found`
    package func execution(_ id: RunID, itemsMaximum: Int = .max, by principal: Principal) async throws -> Execution {
        let known = try await history(of: id, in: try principal.tenant(for: .executionsRead))
        return Execution(
            run: known.run, workflowName: known.machine.workflow.document.name, steps: try known.machine.steps(itemsMaximum),
            timeline: known.timeline)
    }

    /// Without a look at its steps: a gateway that starts again is asked by thousands of watchers at once.
    /// - Throws: `not_found`
    func requireKnown(_ id: RunID, by principal: Principal) async throws {
        let isKnown = try await database.read(in: try principal.tenant(for: .executionsRead)) { tx in try RunStore(tx: tx).isKnown(id) }
        guard isKnown else { throw Refusal.missing("execution") }
    }

    /// Those of some runs that are there.
    func known(_ ids: [RunID], by principal: Principal) async throws -> [RunID] {
        try await database.read(in: try principal.tenant(for: .executionsRead)) { tx in try RunStore(tx: tx).known(ids) }
    }

    /// What is another after every change, without a look at its steps.
    /// - Throws: `not_found`
    func mark(of id: RunID, by principal: Principal) async throws -> String {
        let mark = try await database.read(in: try principal.tenant(for: .executionsRead)) { tx in try RunStore(tx: tx).mark(of: id) }
        guard let mark else { throw Refusal.missing("execution") }
        return mark
    }

    /// A run with its history.
    func machine(of id: RunID, in tenant: TenantID) async throws -> (run: Run, machine: RunMachine) {
        let known = try await history(of: id, in: tenant)
        return (known.run, known.machine)
    }

    private func history(of id: RunID, in tenant: TenantID) async throws -> (run: Run, machine: RunMachine, timeline: RunTimeline) {
        let blobs = self.blobs
        let found = try await database.read(in: tenant) { tx -> (Run, [UInt8])? in
            guard let run = try RunStore(tx: tx).find(id) else { return nil }
            guard let bytes = try WorkflowStore(tx: tx).document(of: run.workflow, version: run.version) else { return nil }
            return (run, bytes)
        }
        guard let (run, bytes) = found else { throw Refusal.missing("execution") }
        let workflow = CompiledWorkflow(try WorkflowDocument(stored: bytes), kinds: workflows.kinds)
        return try await database.read(in: tenant) { tx in
            let payloads = PayloadReader(tx: tx, run: id, blobs: blobs)
            guard let trigger = workflow.index(ofNode: run.trigger) else { throw Refusal.missing("execution") }
            let input = try payloads.input(run)
            let events = try JournalStore(tx: tx).events(of: id, workflow: workflow, payloads: payloads)
            let isHeld = run.status == .queued ? try SlotStore(tx: tx).isWaiting(id) : false
            var fold = TimelineFold(RunMachine(workflow), of: run, isHeld: isHeld)
            fold.start(trigger: trigger, items: input)
            for event in events { fold.feed(event.event, at: event.at) }
            var repeats: [RunTimeline.Repeat] = []
            if run.status.isOver {
                var fresh = RunMachine(workflow)
                _ = fresh.on(.started(trigger: trigger, items: input))
                repeats = RunTimeline.repeats(of: run, fresh: fresh, events: events.map(\.event))
            }
            return (run, fold.machine, fold.timeline(repeats: repeats))
        }
    }

    /// Executes the steps of an uncertain run once more.
    /// - Throws: `not_uncertain`
    package func repeatUncertain(_ id: RunID, by principal: Principal) async throws {
        let tenant = try await tenant(of: id, by: principal)
        guard try await engine.repeatUncertain(id, tenant: tenant) else {
            throw Refusal(.conflict, "not_uncertain", "Only an execution that stopped as uncertain is repeated this way.")
        }
        try await database.write(in: tenant, record("execution.repeat", id, by: principal))
    }

    /// Starts a new run with the history of one that is over, up to a step: the one that failed where none is named.
    /// - Parameters:
    ///   - isCurrent: with the version that is published now in place of the one that ran.
    ///   - keys: nil keeps the idempotency keys where the run goes on at the step that stopped it, with the same items and version.
    /// - Throws: `not_over`, `step_not_reached`, `not_published`
    package func replay(
        _ id: RunID, from point: ReplayPoint?, isCurrent: Bool, keys: ReplayKeys? = nil, by principal: Principal
    ) async throws -> RunHandle {
        let tenant = try principal.tenant(for: .executionsWrite)
        let published = try await database.read(in: tenant) { tx -> Int? in
            guard let run = try RunStore(tx: tx).find(id) else { throw Refusal.missing("execution") }
            guard isCurrent else { return nil }
            guard let version = try WorkflowStore(tx: tx).workflow(run.workflow)?.publishedVersion else {
                throw Refusal(.conflict, "not_published", "The workflow has no published version to go on with.")
            }
            return version
        }
        return try await engine.replay(id, tenant: tenant, from: point, version: published, keys: keys) { [workflows] tx, replay in
            try workflows.policies.audit(
                tx, principal, "execution.replay", "execution:\(id)",
                ["replay": .string(replay.description), "keys": .string(keys?.rawValue ?? "")])
        }
    }

    /// - Throws: `over_or_paused`
    package func pause(_ id: RunID, by principal: Principal) async throws {
        let tenant = try await tenant(of: id, by: principal)
        guard try await engine.pause(id, tenant: tenant, recording: record("execution.pause", id, by: principal)) else {
            throw Refusal(.conflict, "over_or_paused", "The execution is over, or paused already.")
        }
    }

    /// Lets a paused run go on.
    /// - Throws: `not_paused`
    package func unpause(_ id: RunID, by principal: Principal) async throws {
        let tenant = try await tenant(of: id, by: principal)
        guard try await engine.unpause(id, tenant: tenant, recording: record("execution.resume", id, by: principal)) else {
            throw Refusal(.conflict, "not_paused", "The execution is not paused.")
        }
    }

    /// - Throws: `not_found`
    private func tenant(of id: RunID, by principal: Principal) async throws -> TenantID {
        let tenant = try principal.tenant(for: .executionsWrite)
        guard try await database.read(in: tenant, { tx in try RunStore(tx: tx).isKnown(id) }) else { throw Refusal.missing("execution") }
        return tenant
    }

    private func record(_ act: String, _ id: RunID, by principal: Principal) -> @Sendable (TenantTransaction) throws -> Void {
        { [workflows] tx in try workflows.policies.audit(tx, principal, act, "execution:\(id)", [:]) }
    }

    package func cancel(_ id: RunID, by principal: Principal) async throws {
        try await engine.cancel(id, tenant: try await tenant(of: id, by: principal), recording: record("execution.cancel", id, by: principal))
    }

    /// Deletes a run that is over, with what it stored.
    /// - Throws: `not_found`, `not_over`
    package func delete(_ id: RunID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .executionsWrite)
        try await database.write(in: tenant) { [workflows] tx in
            guard let run = try RunStore(tx: tx).find(id) else { throw Refusal.missing("execution") }
            let parent = try run.parent.flatMap { try RunStore(tx: tx).find($0.run) }
            // A run that called this one still reads its result.
            guard run.status.isOver, parent?.status.isOver != false else {
                throw Refusal(.conflict, "not_over", "The execution, or the one that called it, is not over; cancel it first.")
            }
            try RunStore(tx: tx).remove(id)
            try workflows.policies.audit(tx, principal, "execution.delete", "execution:\(id)", [:])
        }
    }
}

extension RunMachine {
    /// Its steps as people look at them.
    /// - Parameter itemsMaximum: of each list that are shown.
    func steps(_ itemsMaximum: Int = .max) throws -> [Execution.Step] {
        var done: [(position: Int, step: Execution.Step)] = []
        for (node, runs) in ended.enumerated() {
            for (index, run) in runs.enumerated() {
                guard let run else { continue }
                done.append((run.position, try step(node, index, run, itemsMaximum)))
            }
        }
        let under = active.sorted { ($0.key.node, $0.key.runIndex) < ($1.key.node, $1.key.runIndex) }
        return done.sorted { $0.position < $1.position }.map(\.step) + (try under.map { try step($0.key, $0.value, itemsMaximum) })
    }

    private func step(_ node: Int, _ index: Int, _ run: Ended, _ most: Int) throws -> Execution.Step {
        let declared = workflow.nodes[node].node
        return Execution.Step(
            node: declared.name, kind: declared.kind, runIndex: index, attempt: run.attempt, status: run.failure == nil ? "succeeded" : "failed",
            input: try run.inputs.map { try RunMachine.shown($0?.items, most) },
            output: try run.outputs.map { try RunMachine.shown($0?.items, most) },
            error: run.failure?.journaled, startedAt: run.startedAt, finishedAt: run.finishedAt)
    }

    private func step(_ key: StepKey, _ active: Active, _ most: Int) throws -> Execution.Step {
        let declared = workflow.nodes[key.node].node
        let status =
            switch active.phase {
            case .executing: "running"
            case .waiting, .calling: "waiting"
            case .uncertain: "uncertain"
            }
        return Execution.Step(
            node: declared.name, kind: declared.kind, runIndex: key.runIndex, attempt: active.attempt, status: status,
            input: try active.inputs.map { try RunMachine.shown($0?.items, most) }, output: [], error: nil, startedAt: nil, finishedAt: nil)
    }

    private static func shown(_ list: ItemList?, _ most: Int) throws -> [JSON] {
        try list?.items().prefix(most).map { ItemCodec.json($0, pairedItem: nil) } ?? []
    }
}
