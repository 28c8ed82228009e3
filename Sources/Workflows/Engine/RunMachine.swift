package import Kernel

/// A run as a value: events go in, effects come out, nothing else happens. The same events give the same machine on every
/// computer, so the journal of events is the run.
///
/// Which steps run when is the order's business (`RunMachine+Orders`); what a merge waits for is in `RunMachine+Merging`.
package struct RunMachine: Sendable {
    /// A step that has been handed out and has not ended.
    struct Active: Sendable {
        enum Phase: Sendable {
            case executing
            case waiting(until: Timestamp, isRetry: Bool)
            case calling(results: [Result<ItemList, StepFailure>?])
            case uncertain
        }
        var inputs: [StepInput?]
        var attempt: Int
        var resume: StepResume?
        var wasIntended = false
        var phase: Phase
        /// What the step kept when it began to wait.
        var state: JSON?
    }

    /// A step that has ended.
    struct Ended: Sendable, Equatable {
        var inputs: [StepInput?]
        var outputs: [StepOutput?]
        var failure: StepFailure?
        var attempt: Int
        /// Its place among all ended steps of the run.
        var position: Int
        var startedAt: Timestamp?
        var finishedAt: Timestamp?
    }

    /// A step that may run when its turn comes.
    struct Queued: Sendable, Equatable {
        var node: Int
        var inputs: [StepInput?]
    }

    /// A node with several inputs of which some have not arrived.
    struct Gathering: Sendable, Equatable {
        var node: Int
        var inputs: [StepInput?]
    }

    package let workflow: CompiledWorkflow
    package private(set) var end: RunEnd?
    var queue: [Queued] = []
    var gathering: [Gathering] = []
    private(set) var active: [StepKey: Active] = [:]
    /// By node, by run index.
    private(set) var ended: [[Ended?]]
    private var handedOut: [Int]
    private var stepCount = 0
    private var endedCount = 0
    private(set) var lastEnded: StepKey?
    private(set) var states: [Int: JSON] = [:]
    package private(set) var staticGlobal: JSON = [:]
    package private(set) var staticNodes: [Int: JSON] = [:]
    private(set) var hasAnswered = false

    package init(_ workflow: CompiledWorkflow, staticGlobal: JSON = [:], staticNodes: [Int: JSON] = [:]) {
        self.workflow = workflow
        self.staticGlobal = staticGlobal
        self.staticNodes = staticNodes
        ended = Array(repeating: [], count: workflow.nodes.count)
        handedOut = Array(repeating: 0, count: workflow.nodes.count)
    }

    /// Takes in what happened and says what to do. Events of steps that have ended, and all events after the end, change nothing.
    package mutating func on(_ event: RunEvent) -> [RunEffect] {
        guard end == nil || end?.status == .uncertain else { return [] }
        switch event {
        case .started(let trigger, let items):
            queue.append(Queued(node: trigger, inputs: [StepInput(items: items, source: nil)]))
            return proceed()
        case .stepIntended(let step, _):
            active[step]?.wasIntended = true
            return []
        case .stepFinished(let finish): return finished(finish)
        case .stepFailed(let step, let attempt, let failure, let at): return failed(step, attempt: attempt, failure, at: at)
        case .stepEdited(let step, let inputs):
            for (index, items) in inputs.enumerated() { if let items { edit(step, input: index, items) } }
            return []
        case .stepWaiting(let step, let until, let state):
            if let state { active[step]?.state = state }
            return waiting(step, until: until, isRetry: false)
        case .stepCalled(let step, let count, let waits): return called(step, count: count, waits: waits)
        case .callReturned(let step, let index, let result): return returned(step, index: index, result)
        case .timerFired(let step): return timerFired(step)
        case .stepAnswered(let step, let items): return answered(step, items)
        case .stepUncertain(let step): return uncertain(step)
        case .stepRepeated(let step): return repeated(step)
        case .cancelled: return finish(RunEnd(status: .cancelled, step: lastEnded))
        case .timedOut:
            let failure = StepFailure("timed_out", "The run took longer than its workflow allows.", isRetryable: false)
            return finish(RunEnd(status: .failed, failure: failure, step: lastEnded))
        }
    }

    /// What is to be done for a machine that was folded from a journal: its driver is gone, and so is what was in its hands.
    package var outstanding: [RunEffect] {
        guard end == nil else { return [] }
        return active.sorted { ($0.key.node, $0.key.runIndex) < ($1.key.node, $1.key.runIndex) }.compactMap { step, active in
            switch active.phase {
            case .executing: .execute(request(step, active))
            case .waiting(let until, _): .wait(step, until: until)
            case .calling, .uncertain: nil
            }
        }
    }

    /// Steps that wait for other runs, with how many have not returned.
    package var calling: [(step: StepKey, missing: [Int])] {
        active.compactMap { step, active in
            guard case .calling(let results) = active.phase else { return nil }
            return (step, results.indices.filter { results[$0] == nil })
        }
    }

    /// Steps that were in flight when their process died, and may not be repeated unasked.
    var uncertainSteps: [StepKey] { active.compactMap { if case .uncertain = $0.value.phase { $0.key } else { nil } } }

    func state(of node: Int) -> JSON { states[node] ?? .null }

    /// What a step kept while it waited, or its node's last run.
    func state(of step: StepKey) -> JSON { active[step]?.state ?? states[step.node] ?? .null }

    /// The attempt that a step in flight is at.
    func attempt(of step: StepKey) -> Int { active[step]?.attempt ?? 1 }

    /// Which steps are in flight, and what they were given.
    func inputs(of step: StepKey) -> [StepInput?]? { active[step]?.inputs }

    // MARK: Ends of steps

    private mutating func finished(_ finish: StepFinish) -> [RunEffect] {
        guard let step = active.removeValue(forKey: finish.step) else { return [] }
        if let state = finish.state { states[finish.step.node] = state }
        if let data = finish.staticGlobal { staticGlobal = data }
        if let data = finish.staticNode { staticNodes[finish.step.node] = data }
        close(
            finish.step, inputs: step.inputs, outputs: completed(finish.outputs, of: finish.step.node, inputs: step.inputs), failure: finish.failure,
            attempt: finish.attempt, startedAt: finish.startedAt, finishedAt: finish.finishedAt)
        var effects: [RunEffect] = []
        if let answer = finish.answer, !hasAnswered {
            hasAnswered = true
            effects.append(.respond(answer))
        }
        return effects + proceed()
    }

    /// Adds the empty item of `alwaysOutput`, made from all the items that came in.
    private func completed(_ outputs: [StepOutput?], of node: Int, inputs: [StepInput?]) -> [StepOutput?] {
        guard workflow.nodes[node].node.alwaysOutput, outputs.first??.items.isEmpty ?? true else { return outputs }
        let parents = inputs.enumerated().flatMap { input, arrived in
            (0..<(arrived?.items.count ?? 0)).map { PairedItem(item: $0, input: input) }
        }
        return [StepOutput(.single, parents.isEmpty ? .unknown : Lineage([parents]))] + outputs.dropFirst()
    }

    private mutating func close(
        _ step: StepKey, inputs: [StepInput?], outputs: [StepOutput?], failure: StepFailure?, attempt: Int, startedAt: Timestamp?,
        finishedAt: Timestamp?
    ) {
        while ended[step.node].count <= step.runIndex { ended[step.node].append(nil) }
        ended[step.node][step.runIndex] = Ended(
            inputs: inputs, outputs: outputs, failure: failure, attempt: attempt, position: endedCount, startedAt: startedAt, finishedAt: finishedAt)
        endedCount += 1
        lastEnded = step
        route(step, outputs: outputs)
    }

    private mutating func failed(_ step: StepKey, attempt: Int, _ failure: StepFailure, at: Timestamp) -> [RunEffect] {
        guard let failing = active[step], failing.attempt == attempt else { return [] }
        let node = workflow.nodes[step.node]
        if failure.isRetryable, attempt < node.attempts {
            active[step]?.attempt += 1
            active[step]?.wasIntended = false
            return waiting(step, until: at + node.retryWait(after: attempt, at: at), isRetry: true)
        }
        active[step] = nil
        while ended[step.node].count <= step.runIndex { ended[step.node].append(nil) }
        ended[step.node][step.runIndex] = Ended(
            inputs: failing.inputs, outputs: [], failure: failure, attempt: attempt, position: endedCount, startedAt: nil, finishedAt: at)
        endedCount += 1
        return finish(RunEnd(status: .failed, failure: failure, step: step))
    }

    /// Items of another number are no longer those of the step before, one by one.
    private mutating func edit(_ step: StepKey, input: Int, _ items: ItemList) {
        guard let known = active[step]?.inputs, known.indices.contains(input) else { return }
        let source = known[input].flatMap { $0.items.count == items.count ? $0.source : nil }
        active[step]?.inputs[input] = StepInput(items: items, source: source)
    }

    private mutating func finish(_ end: RunEnd) -> [RunEffect] {
        self.end = end
        if end.status != .uncertain {
            active = [:]
            queue = []
            gathering = []
        }
        return [.finish(end)]
    }

    // MARK: Steps that go on later

    private mutating func waiting(_ step: StepKey, until: Timestamp, isRetry: Bool) -> [RunEffect] {
        guard active[step] != nil else { return [] }
        active[step]?.phase = .waiting(until: until, isRetry: isRetry)
        return [.wait(step, until: until)]
    }

    private mutating func timerFired(_ step: StepKey) -> [RunEffect] {
        guard let waiting = active[step], case .waiting(_, let isRetry) = waiting.phase else { return [] }
        return execute(step, resume: isRetry ? waiting.resume : .timer)
    }

    private mutating func answered(_ step: StepKey, _ items: ItemList) -> [RunEffect] {
        guard case .waiting(_, false)? = active[step]?.phase, let given = try? items.items() else { return [] }
        return execute(step, resume: .answered(given))
    }

    private mutating func called(_ step: StepKey, count: Int, waits: Bool) -> [RunEffect] {
        guard active[step] != nil else { return [] }
        guard waits, count > 0 else { return execute(step, resume: .called([])) }
        active[step]?.phase = .calling(results: Array(repeating: nil, count: count))
        return []
    }

    private mutating func returned(_ step: StepKey, index: Int, _ result: Result<ItemList, StepFailure>) -> [RunEffect] {
        guard case .calling(var results)? = active[step]?.phase, results.indices.contains(index) else { return [] }
        results[index] = result
        active[step]?.phase = .calling(results: results)
        guard results.allSatisfy({ $0 != nil }) else { return [] }
        return execute(step, resume: .called(results.map { $0!.flatMap { list in Result(readable: list) } }))
    }

    private mutating func execute(_ step: StepKey, resume: StepResume?) -> [RunEffect] {
        active[step]?.phase = .executing
        active[step]?.resume = resume
        active[step]?.wasIntended = false
        return active[step].map { [.execute(request(step, $0))] } ?? []
    }

    private mutating func uncertain(_ step: StepKey) -> [RunEffect] {
        guard active[step] != nil else { return [] }
        active[step]?.phase = .uncertain
        return finish(RunEnd(status: .uncertain, step: step))
    }

    private mutating func repeated(_ step: StepKey) -> [RunEffect] {
        guard case .uncertain? = active[step]?.phase else { return [] }
        active[step]?.attempt += 1
        _ = execute(step, resume: active[step]?.resume)
        // With the last decision the run goes on, and with it the steps that were under way beside.
        guard uncertainSteps.isEmpty else { return [] }
        end = nil
        return outstanding
    }

    // MARK: Handing out

    private func request(_ step: StepKey, _ active: Active) -> StepRequest {
        StepRequest(step: step, attempt: active.attempt, inputs: active.inputs, resume: active.resume, wasIntended: active.wasIntended)
    }

    /// Hands out what may run now; ends the run when there is nothing left.
    private mutating func proceed() -> [RunEffect] {
        var effects: [RunEffect] = []
        while end == nil {
            if workflow.order != .parallel, !active.isEmpty { break }
            if !queue.isEmpty {
                let next = queue.removeFirst()
                if let effect = start(next) { effects.append(effect) }
            } else if active.isEmpty {
                if let gathered = nextGathered() { queue.append(gathered) } else { effects += finish(RunEnd(status: .succeeded, step: lastEnded)) }
            } else {
                break
            }
        }
        return effects
    }

    private mutating func start(_ next: Queued) -> RunEffect? {
        stepCount += 1
        let step = StepKey(node: next.node, runIndex: handedOut[next.node])
        guard stepCount <= Limits.stepsPerRun else {
            let failure = StepFailure("too_many_steps", "The run stopped after \(Limits.stepsPerRun) steps.", isRetryable: false)
            return finish(RunEnd(status: .failed, failure: failure, step: step)).first
        }
        handedOut[next.node] += 1
        if workflow.nodes[next.node].isPassThrough {
            let input = next.inputs.first ?? nil
            let output = input.map { StepOutput($0.items, .identity(input: 0)) }
            close(step, inputs: next.inputs, outputs: [output], failure: nil, attempt: 1, startedAt: nil, finishedAt: nil)
            return nil
        }
        let starting = Active(inputs: next.inputs, attempt: 1, phase: .executing)
        active[step] = starting
        return .execute(request(step, starting))
    }
}

extension Result where Success == [Item], Failure == StepFailure {
    /// The items of a finished run; a payload that cannot be read is a failure of the call.
    init(readable list: ItemList) {
        do { self = .success(try list.items()) } catch {
            self = .failure(StepFailure("unreadable_payload", "The items of the called run cannot be read: \(error)", isRetryable: false))
        }
    }
}
