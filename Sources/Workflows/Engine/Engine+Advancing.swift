internal import Kernel
internal import Persistence

/// How a run in hand goes on.
extension Engine {
    enum Phase: Sendable {
        /// Ended or parked: this process has no hold on it any more.
        case over
        /// Saved, with more to do.
        case saved
        case duplicate(RunID)
    }

    /// Executes what is ready until the run ends or waits.
    /// - Parameter pausing: return as soon as the run is saved for the first time.
    /// - Throws: `RunAbandoned`, or what the database says.
    func advance(_ run: inout LiveRun, pausing: Bool) async throws -> Phase {
        while true {
            switch try move(&run) {
            case .wait(let until): if let other = try await commit(&run, .parked(until: until)) { return other }
            case .end: return try await commit(&run, .ended) ?? .over
            case .again: break
            case .step(let isSaved, let reachesOut):
                if isSaved {
                    let wasNew = run.new != nil
                    if let other = try await commit(&run, .kept) { return other }
                    if wasNew, pausing { return .saved }
                }
                if run.ready.count > 1 {
                    if let other = try await executeSideBySide(&run) { return other }
                } else if try !passOn(&run, isEffect: reachesOut) {
                    try await execute(&run, isEffect: reachesOut)
                }
            }
        }
    }

    private enum Move {
        case end, again
        case wait(until: Timestamp?)
        /// - Parameters:
        ///   - isSaved: what happened before it is written first.
        ///   - reachesOut: some step may do something outside.
        case step(isSaved: Bool, reachesOut: Bool)
    }

    /// What a run does next. None of the functions around it is inlined where it is called: an asynchronous function keeps in its frame, for each
    /// run that waits in it, room for all that is inlined there.
    @inline(never)
    private func move(_ run: inout LiveRun) throws -> Move {
        stopWhereTold(&run)
        if stops, Task.isCancelled { throw CancellationError() }
        if isPausing(run) { return .wait(until: nil) }
        if run.machine.end != nil { return .end }
        if run.ready.isEmpty { return passTime(&run) }
        let reachesOut = run.ready.contains { effect(of: $0, run) != .pure }
        if reachesOut { intend(&run) }
        // Side by side a step is begun while others run, too late to find that another request has started the run already.
        let forks = run.new != nil && run.ready.count > 1
        return .step(isSaved: reachesOut || forks || run.isUrgent || run.uncommitted.count >= Limits.stepsPerCommit, reachesOut: reachesOut)
    }

    /// Takes the one step that is ready, where it only hands items on.
    @inline(never)
    private func passOn(_ run: inout LiveRun, isEffect: Bool) throws -> Bool {
        guard let report = stepRunner.report(atOnce: run.ready[0], of: run.facts, machine: run.machine) else { return false }
        run.ready.removeAll()
        try absorb(report, &run, isEffect: isEffect)
        return true
    }

    /// Executes the one step that is ready.
    @inline(never)
    private func execute(_ run: inout LiveRun, isEffect: Bool) async throws {
        let step = run.ready[0]
        run.ready.removeAll()
        try await take(await stepRunner.run(step, of: run.facts, machine: run.machine), &run, isEffect: isEffect)
    }

    private func stopWhereTold(_ run: inout LiveRun) {
        guard run.machine.end == nil, let reason = inHand.stop(of: run.facts.id) else { return }
        switch reason {
        case .cancelled: run.feed(.cancelled)
        case .timedOut: run.feed(.timedOut(at: clock.now()))
        case .paused: break
        }
    }

    /// Whether the run is to be let go with what it still has to do.
    private func isPausing(_ run: LiveRun) -> Bool { run.new == nil && run.machine.end == nil && inHand.stop(of: run.facts.id) == .paused }

    private func effect(of request: StepRequest, _ run: LiveRun) -> NodeKind.Effect {
        run.machine.workflow.nodes[request.step.node].kind?.effect ?? .pure
    }

    /// Notes, before they begin, the steps that may not be repeated.
    private func intend(_ run: inout LiveRun) {
        for index in run.ready.indices where effect(of: run.ready[index], run) == .once && !run.ready[index].wasIntended {
            run.feed(.stepIntended(run.ready[index].step, attempt: run.ready[index].attempt))
            run.ready[index].wasIntended = true
        }
    }

    /// Runs all that is ready at once, and what becomes ready meanwhile.
    /// - Returns: nil where the run goes on in this process, or has its end to be written.
    @inline(never)
    private func executeSideBySide(_ run: inout LiveRun) async throws -> Phase? {
        enum Message: Sendable {
            case report(StepRunner.Report, isEffect: Bool)
            case due(StepKey)
        }
        return try await withThrowingTaskGroup(of: Message.self) { group -> Phase? in
            var executing = 0
            var armed: Set<StepKey> = []
            while true {
                while executing < Limits.parallelStepsPerRun, !run.ready.isEmpty, !isPausing(run) {
                    let request = run.ready.removeFirst()
                    let isEffect = effect(of: request, run) != .pure
                    let (facts, machine) = (run.facts, run.machine)
                    group.addTask { [stepRunner] in .report(await stepRunner.run(request, of: facts, machine: machine), isEffect: isEffect) }
                    executing += 1
                }
                for (step, due) in run.timers where armed.insert(step).inserted {
                    let wait = due - clock.now()
                    group.addTask { [clock] in
                        try? await clock.sleep(max(.zero, wait))
                        return .due(step)
                    }
                }
                guard executing > 0, let message = try await group.next() else { break }
                switch message {
                case .due(let step):
                    armed.remove(step)
                    if let due = run.timers[step], due <= clock.now() { run.feed(.timerFired(step)) }
                case .report(let report, let isEffect):
                    executing -= 1
                    try await take(report, &run, isEffect: isEffect)
                }
                stopWhereTold(&run)
                if run.machine.end != nil { break }
                if run.ready.contains(where: { effect(of: $0, run) != .pure }) || run.isUrgent {
                    if !isPausing(run) { intend(&run) }
                    if let other = try await commit(&run, .kept) {
                        group.cancelAll()
                        return other
                    }
                }
            }
            group.cancelAll()
            return nil
        }
    }

    /// Takes in what came of a step, with the runs that it calls.
    @inline(never)
    private func take(_ report: StepRunner.Report, _ run: inout LiveRun, isEffect: Bool) async throws {
        if isEffect { try configuration.fault(.afterEffect) }
        guard let call = report.call, case .stepCalled(let step, _, _) = report.event else { return try absorb(report, &run, isEffect: isEffect) }
        guard try isWanted(run) else { return }
        do {
            run.calls += try await called(call, step, run)
            run.feed(report.event)
            run.isUrgent = true
        } catch {
            if error is CancellationError || error is PersistenceError { throw error }
            let cause = StepFailure(wrapping: error, itemIndex: nil)
            let failure = StepFailure(cause.code, cause.message, details: cause.details, isRetryable: false)
            run.feed(.stepFailed(step, attempt: run.machine.attempt(of: step), failure, at: clock.now()))
        }
    }

    /// Takes in what came of a step that calls nothing.
    @inline(never)
    private func absorb(_ report: StepRunner.Report, _ run: inout LiveRun, isEffect: Bool) throws {
        guard try isWanted(run) else { return }
        run.feed(report.event)
        if isEffect || report.event.givesManyItems { run.isUrgent = true }
    }

    /// Whether what came of a step is still of interest.
    /// - Throws: `CancellationError` where this process ends.
    private func isWanted(_ run: LiveRun) throws -> Bool {
        if stops, Task.isCancelled { throw CancellationError() }
        guard let reason = inHand.stop(of: run.facts.id) else { return true }
        return reason == .paused
    }

    private func called(_ call: WorkflowCall, _ step: StepKey, _ run: LiveRun) async throws -> [NewRun] {
        guard run.facts.depth < Limits.callDepth else {
            throw Refusal(.invalid, "calls_too_deep", "Workflows may call each other \(Limits.callDepth) deep at most.")
        }
        let targets = try await call.targets { try await configuration.resolve($0, run.facts.tenant) }
        let node = run.machine.workflow.nodes[step.node].node
        let key = run.facts.keys.key(of: node.id, runIndex: step.runIndex)
        return zip(call.inputs, targets).enumerated().map { index, pair in
            let (items, target) = pair
            var facts = RunFacts(
                id: ids.next(), tenant: run.facts.tenant, workflow: target.workflow, version: target.version, mode: "call",
                timeZone: run.facts.timeZone, depth: run.facts.depth + 1)
            facts.trace = run.facts.trace
            facts.outwardKeys = OutwardKeys(calledBy: key, index: index)
            return NewRun(
                facts: facts,
                trigger: target.trigger, items: ItemList(items.map { Item(json: $0.json, binary: $0.binary) }), idempotencyKey: nil,
                parent: call.waits ? Run.Parent(run: run.facts.id, node: node.name, runIndex: step.runIndex, callIndex: index) : nil,
                createdAt: clock.now())
        }
    }

    /// What a run does that has nothing to do but to wait.
    private func passTime(_ run: inout LiveRun) -> Move {
        let now = clock.now()
        let due = run.timers.filter { $0.value <= now }.sorted { $0.value < $1.value }
        guard due.isEmpty else {
            for (step, _) in due { run.feed(.timerFired(step)) }
            return .again
        }
        return .wait(until: run.timers.values.min())
    }
}
