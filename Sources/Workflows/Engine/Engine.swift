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
    /// What the timer of a run says that nobody has worked on yet: it has no journal to fold.
    static let untouched = "new"
    /// What the timer of a run says that a newer one takes the place of.
    static let superseded = "superseded"
    /// What the timer of a run says whose wait is over by a clock that was set back since it began.
    static let early = "early"

    let database: any Database
    let stepRunner: StepRunner
    let configuration: Configuration
    package let lease: Lease
    let clock: Clock
    let ids: IDs
    let blobs: any BlobStore
    let logger = Logger(label: "engine")
    let inHand: RunsInHand
    let ranks = FairRanks()
    private let compiled = Mutex<[VersionKey: CompiledWorkflow]>([:])
    /// Handles of runs that wait, for those who still hold them.
    private let parked = Mutex<[RunID: WeakHandle]>([:])
    private let isStopping = Mutex(false)
    /// Whether processes of another version are at work, see `lookForOthers`.
    let others = Mutex(false)
    private let leases = Mutex(LeaseWatch(lifetime: EngineService.leaseTime))
    /// Runs that could not go on here: taken up again by `recoverOwn`.
    let setbacks = Setbacks()
    /// Runs of dead processes that are left to a newer program.
    private let newerRuns = Mutex<Set<RunID>>([])

    private struct WeakHandle: Sendable {
        weak let handle: RunHandle?
        let tenant: TenantID
    }

    private struct VersionKey: Hashable {
        var workflow: WorkflowID
        var version: Int
    }

    /// What the engine must be told by the modules around it.
    package struct Configuration: Sendable {
        package var kinds: KindRegistry
        /// A stored version of a workflow.
        /// - Throws: a refusal of the kind `missing` where there is none any more.
        package var load: @Sendable (TenantID, WorkflowID, Int) async throws -> WorkflowDocument
        /// The workflow that a step calls, with the version to run and the trigger to start at.
        package var resolve: @Sendable (WorkflowCall, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)
        /// The workflow that is started for a failed run; nil where there is none.
        package var errorWorkflow: @Sendable (String, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)?
        /// Called in the transaction that writes a run for the first time: the plan's limit. Throwing refuses the run.
        package var onStart: @Sendable (TenantTransaction, RunFacts) throws -> Void = { _, _ in }
        /// Called in the transaction that ends a run: events and metering.
        package var onFinish: @Sendable (TenantTransaction, RunFacts, RunStatus, Timestamp) throws -> Void
        /// Tells those who watch a run what was committed; what is told is made only where somebody does.
        package var publish: @Sendable (TenantID, RunID, () -> JSON) -> Void
        /// The `traceparent` kept of a run, so that its trace goes on where the run does; asked only where runs are traced.
        package var traceparent: @Sendable (RunID, TenantID) async -> String? = { _, _ in nil }
        /// Where people look at a run; nil where there is no such page.
        package var executionAddress: @Sendable (RunID) -> String? = { _ in nil }
        /// Runs that this process works on at once; further ones wait in the database.
        package var liveRunsMaximum: Int
        /// Where a test lets the process die: throwing abandons the run as a kill would.
        var fault: @Sendable (FaultPoint) throws -> Void = { _ in }

        package init(
            kinds: KindRegistry, load: @escaping @Sendable (TenantID, WorkflowID, Int) async throws -> WorkflowDocument,
            resolve: @escaping @Sendable (WorkflowCall, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String),
            errorWorkflow: @escaping @Sendable (String, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)? = { _, _ in
                nil
            },
            onFinish: @escaping @Sendable (TenantTransaction, RunFacts, RunStatus, Timestamp) throws -> Void = { _, _, _, _ in },
            publish: @escaping @Sendable (TenantID, RunID, () -> JSON) -> Void = { _, _, _ in }, liveRunsMaximum: Int = 1_000
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
        inHand = RunsInHand(maximum: configuration.liveRunsMaximum)
    }

    func compile(_ document: WorkflowDocument?, _ workflow: WorkflowID, _ version: Int) throws -> CompiledWorkflow {
        let key = VersionKey(workflow: workflow, version: version)
        if let known = compiled.withLock({ $0[key] }) { return known }
        guard let document else { throw Refusal.missing("workflow") }
        return compiled(document, workflow, version)
    }

    /// A version, compiled and kept.
    func compiled(_ document: WorkflowDocument, _ workflow: WorkflowID, _ version: Int) -> CompiledWorkflow {
        let key = VersionKey(workflow: workflow, version: version)
        if let known = compiled.withLock({ $0[key] }) { return known }
        let made = CompiledWorkflow(document, kinds: configuration.kinds)
        compiled.withLock { cache in
            if cache.count >= Limits.compiledWorkflows { cache.removeAll(keepingCapacity: true) }
            cache[key] = made
        }
        return made
    }

    func compile(_ run: Run, _ tenant: TenantID) async throws -> CompiledWorkflow {
        if let known = compiled.withLock({ $0[VersionKey(workflow: run.workflow, version: run.version)] }) { return known }
        return try compile(try await configuration.load(tenant, run.workflow, run.version), run.workflow, run.version)
    }

    @inline(never)
    func machine(_ workflow: CompiledWorkflow, _ facts: RunFacts) async throws -> RunMachine {
        guard workflow.usesStaticData else { return RunMachine(workflow) }
        let data = try await database.read(in: facts.tenant) { tx in try JournalStore(tx: tx).staticData(of: facts.workflow) }
        var nodes: [Int: JSON] = [:]
        for (name, value) in data { if let node = workflow.index(ofNode: name) { nodes[node] = value } }
        return RunMachine(workflow, staticGlobal: data[""] ?? [:], staticNodes: nodes)
    }

    /// The handle of a run that was started before: live, or over.
    func handle(of run: RunID, tenant: TenantID) async throws -> RunHandle {
        if let known = inHand.handle(of: run) { return known }
        // Parked before it is looked at: whoever takes the run up meanwhile takes this handle.
        let parked = parkedHandle(of: run, tenant: tenant)
        let blobs = self.blobs
        let result = try await database.read(in: tenant) { tx -> RunResult? in
            guard let found = try RunStore(tx: tx).find(run), found.status.isOver else { return nil }
            let items = try PayloadReader(tx: tx, run: run, blobs: blobs).result(found)
            return RunResult(run: run, status: found.status, failure: found.failure, items: items)
        }
        guard let result else { return parked }
        let handle = RunHandle(run)
        handle.give(result: result)
        return handle
    }

    // MARK: Runs in hand

    @discardableResult
    func retire(_ run: RunID) -> RunsInHand.Stop? {
        let (isAwaited, stop) = inHand.leave(run)
        if isAwaited { TimerService.wake.raise() }
        return stop
    }

    /// Lets go of a run that has not ended; a cancellation that came meanwhile, and was answered, is not lost.
    func retire(unended run: RunID, tenant: TenantID) {
        guard retire(run) == .cancelled, !stops else { return }
        Task {
            do { try await cancel(run, tenant: tenant) } catch {
                logger.error("a run could not be cancelled", metadata: ["run": "\(run)", "error": "\(error)"])
            }
        }
    }

    func retire(_ run: LiveRun) {
        if run.machine.end == nil { retire(unended: run.facts.id, tenant: run.facts.tenant) } else { retire(run.facts.id) }
    }

    func abandon(_ run: RunID, _ tenant: TenantID, after error: any Error) {
        setbacks.add(run, tenant: tenant, after: error, at: clock.elapsed())
    }

    /// Lets go of a run that goes on later, here or elsewhere; whoever holds its handle is told if it ends here.
    func setAside(_ run: RunID, tenant: TenantID) { if let handle = inHand.handle(of: run) { park(handle, tenant: tenant) } }

    func park(_ handle: RunHandle, tenant: TenantID) {
        parked.withLock { parked in
            if parked.count >= Limits.parkedHandles { parked = parked.filter { $0.value.handle != nil } }
            parked[handle.run] = WeakHandle(handle: handle, tenant: tenant)
        }
    }

    /// Handles that somebody still holds of runs that are not in hand here, by tenant.
    var awaited: [TenantID: [RunHandle]] {
        parked.withLock { parked in
            parked = parked.filter { $0.value.handle != nil }
            return Dictionary(grouping: parked.values, by: \.tenant).mapValues { $0.compactMap(\.handle) }
        }
    }

    /// The handle that those who wait for a run hold, or a new one for them to hold.
    func parkedHandle(of run: RunID, tenant: TenantID) -> RunHandle {
        parked.withLock { parked in
            let handle = parked[run]?.handle ?? RunHandle(run)
            parked[run] = WeakHandle(handle: handle, tenant: tenant)
            return handle
        }
    }

    func unpark(_ run: RunID) { _ = parked.withLock { $0.removeValue(forKey: run) } }

    package var liveRuns: Int { inHand.count }
    /// How many more runs can be taken up now.
    package var room: TimerService.Room {
        let room = inHand.offer(at: clock.elapsed())
        return TimerService.Room(places: room.places, without: room.full)
    }

    func carryOn(_ run: LiveRun) {
        let id = run.facts.id
        let limit = run.machine.workflow.document.settings.timeoutSeconds
        let began = clock.elapsed()
        let task = Task {
            var run = run
            // How long a run may be at work; what it waits for does not count, since it is not in hand then.
            let watch = limit.map { limit in
                Task {
                    try await clock.sleep(.seconds(limit))
                    _ = inHand.halt(id, .timedOut)
                }
            }
            defer {
                watch?.cancel()
                run.facts.trace?.end(run.status)
            }
            do {
                while case .saved = try await advance(&run, pausing: false) {}
                setbacks.forget(id)
            } catch is RunAbandoned {
                logger.warning("a run was taken over by another process", metadata: ["run": "\(id)"])
                setAside(id, tenant: run.facts.tenant)
            } catch {
                logger.error("a run could not go on and is left to recovery", metadata: ["run": "\(id)", "error": "\(error)"])
                setAside(id, tenant: run.facts.tenant)
                if !stops { abandon(id, run.facts.tenant, after: error) }
            }
            retire(run)
            ranks.learn(clock.elapsed() - began, of: run.facts.tenant)
        }
        inHand.note(task, of: id)
    }

    // MARK: Taking up

    /// Takes up a run whose time has come, or that was queued: the handler of timers of `timerKind`.
    package func resume(_ timer: Jobs.Timer) async throws {
        guard let id = RunID(timer.subject) else { return }
        guard !isStopping.withLock({ $0 }) else { throw TimerService.Busy() }
        let (isSuperseded, isEarly) = (timer.payload == Self.superseded, timer.payload == Self.early)
        do {
            let isTaken = try await takeUp(id, tenant: timer.tenant, from: 0, evenPaused: isSuperseded) { run in
                if isSuperseded { run.feed(.cancelled) }
                if isEarly, let first = run.timers.values.min() {
                    for (step, _) in run.timers.filter({ $0.value == first }) { run.feed(.timerFired(step)) }
                }
            }
            if !isTaken, inHand.handle(of: id) != nil {
                // It is being let go; what woke it is not to be lost.
                throw TimerService.Busy(after: .milliseconds(250))
            }
        } catch is NewerRun {
            throw TimerService.Busy(after: NewerRun.wait)
        }
    }

    /// Takes over the runs of processes that hold no lease any more.
    /// - Returns: how many there were.
    @discardableResult
    package func recover() async throws -> Int {
        try await endStaleLeases()
        // Those that this program cannot read keep no others waiting.
        let newer = newerRuns.withLock { $0 }
        let orphans = try await database.readSystem { tx in
            try RunOwners(tx: tx).orphans(live: try LeaseStore(tx: tx).live(), limit: Limits.runsRecoveredAtOnce + newer.count)
        }
        newerRuns.withLock { $0.formIntersection(orphans.map(\.run)) }
        var count = 0
        for orphan in orphans where !newer.contains(orphan.run) {
            do {
                if try await takeUp(orphan.run, tenant: orphan.tenant, from: orphan.epoch, evenPaused: true, isOrphan: true) { count += 1 }
            } catch is TimerService.Busy {} catch is NewerRun {
                logger.notice("a run is left to a process of a newer version", metadata: ["run": "\(orphan.run)"])
                newerRuns.withLock { known in
                    if known.count < Limits.newerRunsKnown { known.insert(orphan.run) }
                }
            } catch {
                logger.error("a run could not be taken over", metadata: ["run": "\(orphan.run)", "error": "\(error)"])
            }
        }
        return count
    }

    func forgetNewerRuns() { newerRuns.withLock { $0.removeAll() } }

    /// Ends the leases of processes that have not renewed them for as long as this one has watched.
    private func endStaleLeases() async throws {
        let asked = clock.elapsed()
        let held = try await database.readSystem { tx in try LeaseStore(tx: tx).held() }
        let stale = leases.withLock { $0.look(held, asked: asked, answered: clock.elapsed()) }
        for one in stale where one.epoch != lease.epoch {
            guard try await database.writeSystem({ tx in try LeaseStore(tx: tx).end(one) }) else { continue }
            logger.notice("a process is gone, its runs go on in others", metadata: ["epoch": "\(one.epoch)"])
        }
    }

    /// Ends the work of this process: steps in flight are cancelled and taken up by others, or at the next start.
    package func stop() async {
        isStopping.withLock { $0 = true }
        let tasks = inHand.tasks
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    var stops: Bool { isStopping.withLock { $0 } }

    /// - Parameters:
    ///   - evenPaused: also where somebody paused it; it is let go again unless `decide` ends it.
    ///   - evenFull: also where this process has its fill.
    ///   - isOrphan: its process is gone; that of a tenant that has moved here has no epoch.
    /// - Returns: false where somebody has it in hand, or it was over before.
    /// - Throws: `TimerService.Busy` where this process has its fill, or the tenant; `NewerRun`.
    @discardableResult
    func takeUp(
        _ id: RunID, tenant: TenantID, from epoch: Int64, evenPaused: Bool = false, evenFull: Bool = false, isOrphan: Bool = false,
        then decide: (inout LiveRun) -> Void = { _ in }
    ) async throws -> Bool {
        guard try await !isLeftToOthers(id, tenant: tenant) else { throw NewerRun() }
        let (own, wasHeld) = (lease.epoch, isOrphan || epoch != 0)
        // It stays parked until the run is in hand for good, so that whoever waits is told whatever becomes of this.
        switch inHand.enter(id, tenant: tenant, parkedHandle(of: id, tenant: tenant), evenFull: evenFull) {
        case .entered: break
        case .known: return false
        case .full: throw TimerService.Busy()
        }
        var isTaken = false
        do {
            guard let (row, wish) = try await take(id, tenant: tenant, from: epoch, to: own, evenPaused: evenPaused, wasHeld: wasHeld) else {
                retire(unended: id, tenant: tenant)
                return false
            }
            isTaken = true
            var run: LiveRun
            do { run = try await fold(row, tenant: tenant) } catch {
                guard let end = Self.end(afterUnread: error, wish) else { throw error }
                try await close(row, tenant: tenant, end)
                return true
            }
            decide(&run)
            // Whoever asked for it is told so: it is not to be lost with this process.
            if !run.uncommitted.isEmpty, run.machine.end == nil { _ = try await commit(&run, .kept) }
            if wish == .cancelled, run.machine.end == nil { run.feed(.cancelled) }
            if wasHeld, run.machine.end == nil, try await isSuperseded(id, tenant: tenant, run.machine.workflow, version: row.version) {
                run.feed(.cancelled)
            }
            // A run that was let go in order had nothing in flight.
            if wasHeld { settleUncertain(&run) }
            let now = clock.now()
            for (step, due) in run.timers.sorted(by: { $0.value < $1.value }) where due <= now { run.feed(.timerFired(step)) }
            if row.pausedAt != nil, run.machine.end == nil { _ = inHand.halt(id, .paused) }
            unpark(id)
            carryOn(run)
            return true
        } catch {
            retire(unended: id, tenant: tenant)
            // Where the database gave no answer it may be taken all the same.
            if isTaken || error is PersistenceError { abandon(id, tenant, after: error) }
            throw error
        }
    }

    /// Takes up again what could not go on in this process, whose rows are still in its name.
    func recoverOwn() async {
        for (id, run) in setbacks.takeDue(at: clock.elapsed()) {
            let tenant = run.tenant
            do {
                let isTaken = try await takeUp(id, tenant: tenant, from: lease.epoch, evenPaused: true)
                // A commit whose answer was lost may still become visible.
                if !isTaken, inHand.handle(of: id) == nil, clock.elapsed() - run.since < Self.commitsAppearWithin {
                    setbacks.keep(id, run)
                }
            } catch {
                setbacks.keep(id, run)
                if error is TimerService.Busy { continue }
                logger.error("a run cannot go on yet", metadata: ["run": "\(id)", "error": "\(error)"])
            }
        }
    }

    private static let commitsAppearWithin: Duration = .seconds(60)
}
