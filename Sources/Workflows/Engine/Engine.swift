package import Jobs
package import Kernel
internal import Logging
package import Persistence
internal import Synchronization

/// Runs workflows durably: executes what the machine asks for, and commits what happened before anything that depends on it leaves the
/// process. Whatever dies, the journal holds the run, and any process takes it up from there.
package final class Engine: Sendable {
    /// The kind of timer that wakes a parked or queued run; its subject is the run's id. Its handler is `resume`.
    package static let timerKind = "run.resume"

    let database: any Database
    let stepRunner: StepRunner
    let configuration: Configuration
    let lease: Lease
    let clock: Clock
    let ids: IDs
    let blobs: any BlobStore
    let logger = Logger(label: "engine")
    private let live = Mutex<[RunID: Live]>([:])
    private let compiled = Mutex<[VersionKey: CompiledWorkflow]>([:])
    /// Handles of runs that wait, for those who still hold them.
    private let parked = Mutex<[RunID: WeakHandle]>([:])
    private let isStopping = Mutex(false)

    private struct Live: Sendable {
        var task: Task<Void, Never>?
        var handle: RunHandle
        var isCancelled = false
    }

    private struct WeakHandle: Sendable {
        weak let handle: RunHandle?
    }

    private struct VersionKey: Hashable {
        var workflow: WorkflowID
        var version: Int
    }

    /// What the engine must be told by the modules around it.
    package struct Configuration: Sendable {
        package var kinds: KindRegistry
        /// A stored version of a workflow.
        package var load: @Sendable (TenantID, WorkflowID, Int) async throws -> WorkflowDocument
        /// The workflow that a step calls, with the version to run and the trigger to start at.
        package var resolve: @Sendable (WorkflowCall, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)
        /// The workflow that is started for a failed run; nil where there is none.
        package var errorWorkflow: @Sendable (String, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)?
        /// Called in the transaction that ends a run: events and metering.
        package var onFinish: @Sendable (TenantTransaction, RunFacts, RunStatus) throws -> Void
        /// Tells watchers of `run:<id>` what was committed.
        package var publish: @Sendable (TenantID, _ topic: String, JSON) -> Void
        /// Runs that this process works on at once; further ones wait in the database.
        package var liveRunsMaximum: Int
        /// Where a test lets the process die: throwing abandons the run as a kill would.
        var fault: @Sendable (FaultPoint) throws -> Void = { _ in }

        package init(
            kinds: KindRegistry, load: @escaping @Sendable (TenantID, WorkflowID, Int) async throws -> WorkflowDocument,
            resolve: @escaping @Sendable (WorkflowCall, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String),
            errorWorkflow: @escaping @Sendable (String, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)? = { _, _ in nil },
            onFinish: @escaping @Sendable (TenantTransaction, RunFacts, RunStatus) throws -> Void = { _, _, _ in },
            publish: @escaping @Sendable (TenantID, _ topic: String, JSON) -> Void = { _, _, _ in }, liveRunsMaximum: Int = 1_000
        ) {
            self.kinds = kinds
            self.load = load
            self.resolve = resolve
            self.errorWorkflow = errorWorkflow
            self.onFinish = onFinish
            self.publish = publish
            self.liveRunsMaximum = liveRunsMaximum
        }
    }

    enum FaultPoint: Sendable, Hashable { case beforeCommit, afterCommit, beforeEffect, afterEffect }

    package init(
        database: any Database, lease: Lease, services: EngineServices, configuration: Configuration, clock: Clock, ids: IDs, blobs: any BlobStore
    ) {
        self.database = database
        self.lease = lease
        self.configuration = configuration
        self.clock = clock
        self.ids = ids
        self.blobs = blobs
        stepRunner = StepRunner(services: services, clock: clock)
    }

    // MARK: Starting

    /// Starts a run and returns when it is saved: with all its steps where none of them reaches outside.
    package func start(_ start: RunStart) async throws -> RunHandle {
        let workflow = try compile(start.document, start.workflow, start.version)
        guard let trigger = workflow.index(ofNode: start.trigger) else { throw Refusal.missing("trigger") }
        let facts = RunFacts(
            id: ids.next(), tenant: start.tenant, workflow: start.workflow, version: start.version, mode: start.mode, timeZone: start.timeZone)
        let new = NewRun(facts: facts, trigger: start.trigger, items: start.items, idempotencyKey: start.idempotencyKey, parent: nil, createdAt: clock.now())
        let handle = RunHandle(facts.id)
        guard enroll(facts.id, handle) else {
            parked.withLock { $0[facts.id] = WeakHandle(handle: handle) }
            try await PayloadNames.prepare(new.items, tenant: facts.tenant, blobs: blobs)
            try await database.write(in: facts.tenant) { tx in try RunCommit.queue(new, tx) }
            return handle
        }
        do {
            var run = LiveRun(facts: facts, parent: nil, machine: try await machine(workflow, facts), new: new)
            run.feed(.started(trigger: trigger, items: start.items))
            switch try await advance(&run, pausing: true) {
            case .over:
                retire(facts.id)
                return handle
            case .duplicate(let other):
                retire(facts.id)
                return try await self.handle(of: other, tenant: facts.tenant)
            case .saved:
                carryOn(run)
                return handle
            }
        } catch {
            retire(facts.id)
            throw error
        }
    }

    private func compile(_ document: WorkflowDocument?, _ workflow: WorkflowID, _ version: Int) throws -> CompiledWorkflow {
        let key = VersionKey(workflow: workflow, version: version)
        if let known = compiled.withLock({ $0[key] }) { return known }
        guard let document else { throw Refusal.missing("workflow") }
        let made = CompiledWorkflow(document, kinds: configuration.kinds)
        compiled.withLock { cache in
            if cache.count >= Limits.compiledWorkflows { cache.removeAll(keepingCapacity: true) }
            cache[key] = made
        }
        return made
    }

    private func compile(_ run: Run, _ tenant: TenantID) async throws -> CompiledWorkflow {
        if let known = compiled.withLock({ $0[VersionKey(workflow: run.workflow, version: run.version)] }) { return known }
        return try compile(try await configuration.load(tenant, run.workflow, run.version), run.workflow, run.version)
    }

    private func machine(_ workflow: CompiledWorkflow, _ facts: RunFacts) async throws -> RunMachine {
        guard workflow.usesStaticData else { return RunMachine(workflow) }
        let data = try await database.read(in: facts.tenant) { tx in try JournalStore(tx: tx).staticData(of: facts.workflow) }
        var nodes: [Int: JSON] = [:]
        for (name, value) in data { if let node = workflow.index(ofNode: name) { nodes[node] = value } }
        return RunMachine(workflow, staticGlobal: data[""] ?? [:], staticNodes: nodes)
    }

    /// The handle of a run that was started before: live, or over.
    private func handle(of run: RunID, tenant: TenantID) async throws -> RunHandle {
        if let known = live.withLock({ $0[run]?.handle }) { return known }
        let handle = RunHandle(run)
        let blobs = self.blobs
        let result = try await database.read(in: tenant) { tx -> RunResult? in
            guard let found = try RunStore(tx: tx).find(run), found.status.isOver else { return nil }
            let items = try found.result.map { try PayloadReader(tx: tx, blobs: blobs).read(journaled: $0) } ?? .empty
            return RunResult(run: run, status: found.status, failure: found.failure, items: items)
        }
        if let result { handle.give(result: result) }
        return handle
    }

    // MARK: Runs in hand

    private func enroll(_ run: RunID, _ handle: RunHandle) -> Bool {
        live.withLock { live in
            guard live.count < configuration.liveRunsMaximum, live[run] == nil else { return false }
            live[run] = Live(handle: handle)
            return true
        }
    }

    func retire(_ run: RunID) { _ = live.withLock { $0.removeValue(forKey: run) } }

    /// Lets go of a run that goes on later, here or elsewhere; whoever holds its handle is told if it ends here.
    func setAside(_ run: RunID) {
        guard let handle = live.withLock({ $0[run]?.handle }) else { return }
        parked.withLock { parked in
            if parked.count >= Limits.parkedHandles { parked = parked.filter { $0.value.handle != nil } }
            parked[run] = WeakHandle(handle: handle)
        }
    }

    private func reclaimed(_ run: RunID) -> RunHandle? { parked.withLock { $0.removeValue(forKey: run) }?.handle }

    func handle(of run: RunID) -> RunHandle? { live.withLock { $0[run]?.handle } }
    func isCancelled(_ run: RunID) -> Bool { live.withLock { $0[run]?.isCancelled ?? false } }
    package var liveRuns: Int { live.withLock { $0.count } }

    private func carryOn(_ run: LiveRun) {
        let id = run.facts.id
        let task = Task {
            var run = run
            do {
                while case .saved = try await advance(&run, pausing: false) {}
            } catch is RunAbandoned {
                logger.warning("a run was taken over by another process", metadata: ["run": "\(id)"])
            } catch {
                logger.error("a run could not go on and is left to recovery", metadata: ["run": "\(id)", "error": "\(error)"])
            }
            retire(id)
        }
        live.withLock { live in
            // A run may be over before its task is noted.
            live[id]?.task = task
            if live[id]?.isCancelled == true { task.cancel() }
        }
    }

    // MARK: Taking up

    /// Takes up a run whose time has come, or that was queued: the handler of timers of `timerKind`.
    package func resume(_ timer: Jobs.Timer) async throws {
        guard let id = RunID(timer.subject) else { return }
        guard !isStopping.withLock({ $0 }), liveRuns < configuration.liveRunsMaximum else {
            throw Refusal(.unavailable, "engine_busy", "No run can be taken up now.")
        }
        try await takeUp(id, tenant: timer.tenant, from: 0, cancelled: false)
    }

    /// Takes over the runs of processes that hold no lease any more.
    /// - Returns: how many there were.
    @discardableResult
    package func recover() async throws -> Int {
        let orphans = try await database.readSystem { tx in try RunOwners(tx: tx).orphans(live: try LeaseStore(tx: tx).live(), limit: Limits.runsRecoveredAtOnce) }
        var count = 0
        for orphan in orphans where liveRuns < configuration.liveRunsMaximum {
            if try await takeUp(orphan.run, tenant: orphan.tenant, from: orphan.epoch, cancelled: false) { count += 1 }
        }
        return count
    }

    /// Cancels a run, in whose hands it may be; a run that is over stays as it is.
    package func cancel(_ id: RunID, tenant: TenantID) async throws {
        let task: Task<Void, Never>?? = live.withLock { live in
            guard live[id] != nil else { return nil }
            live[id]?.isCancelled = true
            return .some(live[id]?.task)
        }
        if let task {
            task?.cancel()
            return
        }
        try await takeUp(id, tenant: tenant, from: 0, cancelled: true)
    }

    /// Ends the work of this process: steps in flight are cancelled and taken up by others, or at the next start.
    package func stop() async {
        isStopping.withLock { $0 = true }
        let tasks = live.withLock { $0.values.compactMap(\.task) }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    var stops: Bool { isStopping.withLock { $0 } }

    @discardableResult
    private func takeUp(_ id: RunID, tenant: TenantID, from epoch: Int64, cancelled: Bool) async throws -> Bool {
        let own = lease.epoch
        guard enroll(id, reclaimed(id) ?? RunHandle(id)) else { return false }
        do {
            guard let row = try await take(id, tenant: tenant, from: epoch, to: own) else {
                retire(id)
                return false
            }
            var run = try await fold(row, tenant: tenant)
            if cancelled { run.feed(.cancelled) }
            settleUncertain(&run)
            let now = clock.now()
            for (step, due) in run.timers.sorted(by: { $0.value < $1.value }) where due <= now { run.feed(.timerFired(step)) }
            carryOn(run)
            return true
        } catch {
            retire(id)
            throw error
        }
    }

    private func take(_ id: RunID, tenant: TenantID, from epoch: Int64, to own: Int64) async throws -> Run? {
        try await database.write(in: tenant) { tx in
            let runs = RunStore(tx: tx)
            try tx.cancelTimer(kind: Engine.timerKind, subject: id.description)
            guard try runs.take(id, from: epoch, to: own) else {
                if epoch != 0 { try runs.disown(id) }
                return nil
            }
            return try runs.find(id)
        }
    }

    /// The run as its journal tells it; nothing of it is executed.
    private func fold(_ row: Run, tenant: TenantID) async throws -> LiveRun {
        let workflow = try await compile(row, tenant)
        let facts = RunFacts(id: row.id, tenant: tenant, workflow: row.workflow, version: row.version, mode: row.mode, depth: row.depth)
        let blobs = self.blobs
        let start = try await machine(workflow, facts)
        return try await database.read(in: tenant) { tx in
            let payloads = PayloadReader(tx: tx, blobs: blobs)
            guard let trigger = workflow.index(ofNode: row.trigger) else { throw UnreadableEvent(reason: "the workflow has no trigger '\(row.trigger)'") }
            var machine = start
            _ = machine.on(.started(trigger: trigger, items: try payloads.read(journaled: row.input)))
            let events = try JournalStore(tx: tx).events(of: row.id, workflow: workflow, payloads: payloads)
            for event in events { _ = machine.on(event.event) }
            return LiveRun(facts: facts, parent: row.parent, folded: machine, seq: events.count)
        }
    }

    /// A step that may not be repeated and was in flight when its process died stops the run.
    private func settleUncertain(_ run: inout LiveRun) {
        for request in run.ready where request.wasIntended {
            run.feed(.stepUncertain(request.step))
            run.ready = []
        }
    }
}

/// What a run is started with.
package struct RunStart: Sendable {
    package var tenant: TenantID
    package var workflow: WorkflowID
    package var version: Int
    /// nil where this version has been run by this process before.
    package var document: WorkflowDocument?
    /// The trigger's name.
    package var trigger: String
    package var items: ItemList
    package var mode: String
    package var timeZone: String
    /// A second start of the workflow with the same key is the first run again.
    package var idempotencyKey: String?

    package init(
        tenant: TenantID, workflow: WorkflowID, version: Int, document: WorkflowDocument?, trigger: String, items: ItemList, mode: String,
        timeZone: String = "UTC", idempotencyKey: String? = nil
    ) {
        self.tenant = tenant
        self.workflow = workflow
        self.version = version
        self.document = document
        self.trigger = trigger
        self.items = items
        self.mode = mode
        self.timeZone = timeZone
        self.idempotencyKey = idempotencyKey
    }
}
