package import Jobs
internal import Kernel
internal import Logging
internal import Persistence
internal import Scripting

/// Starts the runs of workflows that wait for changes of the tenant's disk. A change writes a timer for each of them in its own transaction; the
/// handler removes the timer in the transaction that starts the run, so that every change starts it once.
package struct DiskStarts: Sendable {
    /// The kind of timer; its subject is `workflow/event`.
    package static let timerKind = "workflow.file"
    /// How long a change waits for a plan that has no executions left, or a tenant that is suspended.
    static let patience: Duration = .seconds(86_400)

    private let engine: Engine
    private let workflows: Workflows

    package init(engine: Engine, workflows: Workflows) {
        self.engine = engine
        self.workflows = workflows
    }

    static func set(_ event: DiskWatch.Event, at path: String, for watch: DiskWatch, _ tx: TenantTransaction) throws {
        let id: ID<DiskWatch> = tx.ids.next()
        let facts: JSON = [
            "node": .string(watch.node), "event": .string(event.rawValue), "path": .string("/" + path), "at": .string(tx.clock.now().description)
        ]
        try tx.setTimer(kind: timerKind, subject: "\(watch.workflow)/\(id)", dueAt: tx.clock.now(), payload: facts.serialized)
    }

    /// The handler of its timers.
    package func start(_ timer: Jobs.Timer) async throws {
        let parts = timer.subject.split(separator: "/").map(String.init)
        let facts = try JSON(parsing: timer.payload)
        guard parts.count == 2, let id = WorkflowID(parts[0]), let nodeID = facts["node"]?.text else { return try await drop(timer) }
        let published = try await engine.database.read(in: timer.tenant) { tx in try WorkflowStore(tx: tx).published(id) }
        guard let (version, bytes) = published, case let document = try engine.document(bytes),
            let node = document.nodes.first(where: { $0.id == nodeID && $0.kind == LocalFileTrigger.kind && !$0.disabled })
        else { return try await drop(timer) }
        let now = engine.clock.now()
        let standard = try await workflows.policies.timeZone(timer.tenant)
        let item = Item(json: ["event": facts["event"] ?? .null, "path": facts["path"] ?? .null])
        let new = NewRun(
            facts: RunFacts(
                id: engine.ids.next(), tenant: timer.tenant, workflow: id, version: version, mode: "trigger",
                timeZone: document.settings.timeZone ?? standard),
            trigger: node.name, items: ItemList([item]), idempotencyKey: "file:\(parts[1])", parent: nil, createdAt: now,
            rank: engine.ranks.next(of: timer.tenant, document.settings.priority, at: now))
        do {
            try await enter(new, CompiledWorkflow(document, kinds: workflows.kinds), timer)
        } catch let refusal as Refusal {
            let since = facts["at"]?.text.flatMap { Timestamp($0) } ?? timer.dueAt
            guard now - since > Self.patience else { throw refusal }
            engine.logger.warning("a change of a file started nothing", metadata: ["workflow": "\(id)", "reason": "\(refusal.code)"])
            try await drop(timer)
        }
    }

    private func enter(_ new: NewRun, _ workflow: CompiledWorkflow, _ timer: Jobs.Timer) async throws {
        let onStart = engine.configuration.onStart
        let admission = try await engine.admission(of: new, workflow)
        let entrance = try await engine.database.write(in: timer.tenant) { tx -> Admission.Entrance in
            guard try tx.cancelTimer(kind: Self.timerKind, subject: timer.subject), try RunStore(tx: tx).find(startedLike: new) == nil else {
                return .refused
            }
            guard let admission else {
                try onStart(tx, new.facts)
                try RunCommit.queue(new, tx)
                return .waits
            }
            let entrance = try admission.enter(new, tx)
            if case .refused = entrance { return entrance }
            try onStart(tx, new.facts)
            return entrance
        }
        if case .supersedes = entrance { await engine.settle(entrance, new.facts) }
    }

    private func drop(_ timer: Jobs.Timer) async throws {
        _ = try await engine.database.write(in: timer.tenant) { tx in try tx.cancelTimer(kind: Self.timerKind, subject: timer.subject) }
    }
}
