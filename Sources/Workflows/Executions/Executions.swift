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

    /// - Throws: `not_found`
    package func execution(_ id: RunID, by principal: Principal) async throws -> Execution {
        let (run, machine) = try await self.machine(of: id, in: try principal.tenant(for: .executionsRead))
        return Execution(run: run, workflowName: machine.workflow.document.name, steps: try machine.steps())
    }

    /// A run with its history.
    func machine(of id: RunID, in tenant: TenantID) async throws -> (run: Run, machine: RunMachine) {
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
            var machine = RunMachine(workflow)
            guard let trigger = workflow.index(ofNode: run.trigger) else { throw Refusal.missing("execution") }
            _ = machine.on(.started(trigger: trigger, items: try payloads.input(run)))
            for event in try JournalStore(tx: tx).events(of: id, workflow: workflow, payloads: payloads) { _ = machine.on(event.event) }
            return (run, machine)
        }
    }

    /// Executes the steps of an uncertain run once more.
    /// - Throws: `not_uncertain`
    package func repeatUncertain(_ id: RunID, by principal: Principal) async throws {
        try await change(id, "execution.repeat", by: principal) { tenant in
            guard try await engine.repeatUncertain(id, tenant: tenant) else {
                throw Refusal(.conflict, "not_uncertain", "Only an execution that stopped as uncertain is repeated this way.")
            }
        }
    }

    /// Starts a new run with the history of one that is over, up to a step: the one that failed where none is named.
    /// - Parameter isCurrent: with the version that is published now in place of the one that ran.
    /// - Throws: `not_over`, `step_not_reached`, `not_published`
    package func replay(
        _ id: RunID, from point: ReplayPoint?, isCurrent: Bool, by principal: Principal
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
        let handle = try await engine.replay(id, tenant: tenant, from: point, version: published)
        try await database.write(in: tenant) { [workflows] tx in
            try workflows.policies.audit(tx, principal, "execution.replay", "execution:\(id)", ["replay": .string(handle.run.description)])
        }
        return handle
    }

    /// - Throws: `over_or_paused`
    package func pause(_ id: RunID, by principal: Principal) async throws {
        try await change(id, "execution.pause", by: principal) { tenant in
            guard try await engine.pause(id, tenant: tenant) else {
                throw Refusal(.conflict, "over_or_paused", "The execution is over, or paused already.")
            }
        }
    }

    /// Lets a paused run go on.
    /// - Throws: `not_paused`
    package func unpause(_ id: RunID, by principal: Principal) async throws {
        try await change(id, "execution.resume", by: principal) { tenant in
            guard try await engine.unpause(id, tenant: tenant) else { throw Refusal(.conflict, "not_paused", "The execution is not paused.") }
        }
    }

    private func change(_ id: RunID, _ act: String, by principal: Principal, _ work: (TenantID) async throws -> Void) async throws {
        let tenant = try principal.tenant(for: .executionsWrite)
        guard try await database.read(in: tenant, { tx in try RunStore(tx: tx).find(id) }) != nil else { throw Refusal.missing("execution") }
        try await work(tenant)
        try await database.write(in: tenant) { [workflows] tx in try workflows.policies.audit(tx, principal, act, "execution:\(id)", [:]) }
    }

    package func cancel(_ id: RunID, by principal: Principal) async throws {
        try await change(id, "execution.cancel", by: principal) { tenant in try await engine.cancel(id, tenant: tenant) }
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
    func steps() throws -> [Execution.Step] {
        var done: [(position: Int, step: Execution.Step)] = []
        for (node, runs) in ended.enumerated() {
            for (index, run) in runs.enumerated() {
                guard let run else { continue }
                done.append((run.position, try step(node, index, run)))
            }
        }
        let under = active.sorted { ($0.key.node, $0.key.runIndex) < ($1.key.node, $1.key.runIndex) }
        return done.sorted { $0.position < $1.position }.map(\.step) + (try under.map { try step($0.key, $0.value) })
    }

    private func step(_ node: Int, _ index: Int, _ run: Ended) throws -> Execution.Step {
        let declared = workflow.nodes[node].node
        return Execution.Step(
            node: declared.name, kind: declared.kind, runIndex: index, attempt: run.attempt, status: run.failure == nil ? "succeeded" : "failed",
            input: try run.inputs.map { try RunMachine.shown($0?.items) }, output: try run.outputs.map { try RunMachine.shown($0?.items) },
            error: run.failure?.journaled, startedAt: run.startedAt, finishedAt: run.finishedAt)
    }

    private func step(_ key: StepKey, _ active: Active) throws -> Execution.Step {
        let declared = workflow.nodes[key.node].node
        let status =
            switch active.phase {
            case .executing: "running"
            case .waiting, .calling: "waiting"
            case .uncertain: "uncertain"
            }
        return Execution.Step(
            node: declared.name, kind: declared.kind, runIndex: key.runIndex, attempt: active.attempt, status: status,
            input: try active.inputs.map { try RunMachine.shown($0?.items) }, output: [], error: nil, startedAt: nil, finishedAt: nil)
    }

    private static func shown(_ list: ItemList?) throws -> [JSON] {
        try list?.items().map { ItemCodec.json($0, pairedItem: nil) } ?? []
    }
}
