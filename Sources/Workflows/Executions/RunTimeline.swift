package import Kernel

/// When each attempt of a run's steps was queued, waited and was at work, as its journal tells it.
///
/// The journal has the beginning of an attempt that finished, and none of one that failed or went to wait: such a one counts as at work since it
/// was ready.
package struct RunTimeline: Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable { case queued, waiting, working }

    /// What an attempt was held up by.
    package enum Cause: String, Sendable, Hashable {
        /// The workflow allows only so many runs at once.
        case limit
        /// Runs of a higher priority.
        case priority
        /// Its turn among the runs of all.
        case turn
        /// The wait before the next attempt.
        case retry
        case timer
        /// Somebody who fills in a form or decides.
        case person
        /// A call of the step's address.
        case call
        /// Runs that the step started.
        case workflow
        /// Somebody paused the run.
        case pause
        /// Somebody has to say whether a step that may have taken effect is to be repeated.
        case decision
    }

    package struct Span: Sendable, Hashable {
        package var phase: Phase
        package var cause: Cause?
        package var from: Timestamp
        /// Nil while it goes on.
        package var to: Timestamp?
        /// When a wait ends at the latest, where that is known.
        package var until: Timestamp?
    }

    package struct Attempt: Sendable, Hashable {
        package var node: String
        package var kind: String
        package var runIndex: Int
        package var attempt: Int
        /// `succeeded`, `failed`, `cancelled`, `uncertain` where somebody had it repeated, `kept` of a run that was replayed, or how it stands: `queued`,
        /// `waiting`, `working`.
        package var outcome: String
        package var spans: [Span]
    }

    /// A step that a retry would execute again, and that does something outside.
    package struct Repeat: Sendable, Hashable {
        package var node: String
        package var kind: String
        package var runIndex: Int
        /// Whether it names its request by an idempotency key.
        package var carriesKey: Bool
        /// Whether a retry names the same key, so that a service that remembers keys does nothing twice. What is begun anew has keys of its own, and so
        /// has what was refused.
        package var keepsKey: Bool
    }

    /// In the order in which they were ready.
    package var attempts: [Attempt]
    package var repeats: [Repeat]
}

/// Follows a run's events to its timeline.
struct TimelineFold {
    private struct Open {
        var attempt: Int
        var spans: [RunTimeline.Span]
        var place: Int
    }

    private(set) var machine: RunMachine
    private let run: Run
    /// Whether it waits for a place among the runs that its workflow allows at once.
    private let isHeld: Bool
    private var open: [StepKey: Open] = [:]
    private var done: [(place: Int, attempt: RunTimeline.Attempt)] = []
    private var places = 0

    init(_ machine: RunMachine, of run: Run, isHeld: Bool) {
        self.machine = machine
        self.run = run
        self.isHeld = isHeld
    }

    mutating func start(trigger: Int, items: ItemList) {
        take(machine.on(.started(trigger: trigger, items: items)), at: run.createdAt, cause: firstCause)
    }

    mutating func feed(_ event: RunEvent, at: Timestamp) {
        let time = max(TimelineFold.time(of: event) ?? at, run.createdAt)
        switch event {
        case .stepFinished(let finish):
            end(finish.step, outcome: finish.failure == nil ? "succeeded" : "failed", from: finish.startedAt, at: finish.finishedAt)
        case .stepFailed(let step, _, _, let at): end(step, outcome: "failed", from: nil, at: at)
        default: break
        }
        let effects = machine.on(event)
        switch event {
        case .stepWaiting(let step, let until, let state): hold(step, TimelineFold.cause(of: state), from: time, until: until)
        case .stepCalled(let step, let count, true) where count > 0: hold(step, .workflow, from: time, until: nil)
        case .stepUncertain(let step): hold(step, .decision, from: time, until: nil)
        case .timerFired(let step), .stepAnswered(let step, _), .stepRepeated(let step), .callReturned(let step, _, _):
            if effects.contains(where: { if case .execute(let request) = $0 { request.step == step } else { false } }) { release(step, at: time) }
        default: break
        }
        take(effects, at: time, cause: nil)
        if case .stepFailed(let step, _, _, _) = event, machine.inputs(of: step) != nil {
            for effect in effects { if case .wait(step, let until) = effect { begin(step, waiting: until, from: time) } }
        }
    }

    func timeline(repeats: [RunTimeline.Repeat]) -> RunTimeline {
        var all = done
        for (step, one) in open {
            var (spans, outcome) = (one.spans, "cancelled")
            if let end = run.finishedAt {
                if let last = spans.last, last.to == nil { spans[spans.count - 1].to = max(end, last.from) }
            } else {
                if let paused = run.pausedAt, run.epoch == 0 {
                    if let last = spans.last, last.to == nil { spans[spans.count - 1].to = max(paused, last.from) }
                    spans.append(.init(phase: .waiting, cause: .pause, from: paused))
                } else if run.epoch != 0, spans.last?.phase == .queued {
                    spans[spans.count - 1].phase = .working
                    spans[spans.count - 1].cause = nil
                }
                outcome = spans.last?.phase.rawValue ?? "queued"
            }
            all.append((one.place, attempt(step, one.attempt, outcome, spans)))
        }
        return RunTimeline(attempts: all.sorted { $0.place < $1.place }.map(\.attempt), repeats: repeats)
    }

    // MARK: Attempts

    private mutating func take(_ effects: [RunEffect], at time: Timestamp, cause: RunTimeline.Cause?) {
        for effect in effects {
            guard case .execute(let request) = effect else { continue }
            if var one = open[request.step] {
                work(&one.spans, from: nil, to: time)
                open[request.step] = one
                if one.attempt != request.attempt { done.append((one.place, attempt(request.step, one.attempt, "uncertain", one.spans))) }
            }
            if open[request.step]?.attempt != request.attempt { begin(request.step, attempt: request.attempt) }
            open[request.step]?.spans.append(.init(phase: .queued, cause: cause, from: time))
        }
    }

    private mutating func begin(_ step: StepKey, attempt: Int) {
        open[step] = Open(attempt: attempt, spans: [], place: places)
        places += 1
    }

    private mutating func begin(_ step: StepKey, waiting until: Timestamp, from time: Timestamp) {
        begin(step, attempt: machine.attempt(of: step))
        open[step]?.spans.append(.init(phase: .waiting, cause: .retry, from: time, until: until))
    }

    /// - Parameter start: when it began to work; nil counts it as at work since it was ready.
    private mutating func end(_ step: StepKey, outcome: String, from start: Timestamp?, at end: Timestamp) {
        guard var one = open.removeValue(forKey: step) else { return }
        // What a replay took over has times from before its run.
        guard end >= run.createdAt else {
            done.append((one.place, attempt(step, one.attempt, "kept", [])))
            return
        }
        work(&one.spans, from: start, to: end)
        done.append((one.place, attempt(step, one.attempt, outcome, one.spans)))
    }

    private mutating func hold(_ step: StepKey, _ cause: RunTimeline.Cause, from time: Timestamp, until: Timestamp?) {
        guard var one = open[step] else { return }
        work(&one.spans, from: nil, to: time)
        one.spans.append(.init(phase: .waiting, cause: cause, from: time, until: until))
        open[step] = one
    }

    private mutating func release(_ step: StepKey, at time: Timestamp) {
        guard var one = open[step], let last = one.spans.last, last.to == nil else { return }
        one.spans[one.spans.count - 1].to = max(time, last.from)
        open[step] = one
    }

    /// The last span, in which it was ready, becomes the wait for its turn and the work.
    private func work(_ spans: inout [RunTimeline.Span], from start: Timestamp?, to end: Timestamp) {
        guard let last = spans.last, last.to == nil else { return }
        let begin = min(max(start ?? last.from, last.from), max(end, last.from))
        spans.removeLast()
        // The first step of a run shows what the run waited for, however long; later ones only a wait that can be seen.
        if begin > last.from, last.cause != nil || begin - last.from >= TimelineFold.noticed {
            spans.append(.init(phase: .queued, cause: last.cause, from: last.from, to: begin))
        }
        spans.append(.init(phase: .working, from: begin, to: max(end, begin)))
    }

    private func attempt(_ step: StepKey, _ number: Int, _ outcome: String, _ spans: [RunTimeline.Span]) -> RunTimeline.Attempt {
        let node = machine.workflow.nodes[step.node].node
        return .init(node: node.name, kind: node.kind, runIndex: step.runIndex, attempt: number, outcome: outcome, spans: spans)
    }

    // MARK: Causes

    private static let noticed: Duration = .milliseconds(1)

    private var firstCause: RunTimeline.Cause {
        let settings = machine.workflow.document.settings
        if isHeld || settings.concurrency != nil && run.status != .queued { return .limit }
        return settings.priority == .low ? .priority : .turn
    }

    private static func cause(of state: JSON?) -> RunTimeline.Cause {
        guard let page = state?["page"] else { return .timer }
        return page["kind"] == "call" ? .call : .person
    }

    private static func time(of event: RunEvent) -> Timestamp? {
        switch event {
        case .stepFinished(let finish): finish.finishedAt
        case .stepFailed(_, _, _, let at), .timedOut(let at): at
        default: nil
        }
    }
}

extension RunTimeline {
    /// Stands for the retry, which is not there yet.
    private static let next = RunID(high: 0, low: 0)

    /// The outward steps that have been executed and would be again, were the run retried from where it stopped, or begun anew where it succeeded.
    static func repeats(of run: Run, fresh: RunMachine, events: [RunEvent]) -> [Repeat] {
        var history = ReplayHistory(start: fresh, events: events)
        guard (try? history.cut(at: nil, edited: [])) != nil else { return [] }
        let kept = Set(history.kept.compactMap(\.finishedStep))
        let keys = history.keys(of: run, for: Self.next)
        var seen: Set<StepKey> = []
        return events.compactMap { event -> Repeat? in
            guard let step = event.executedStep, !kept.contains(step), seen.insert(step).inserted else { return nil }
            let node = fresh.workflow.nodes[step.node]
            guard node.reachesOutside else { return nil }
            let carriesKey = node.kind?.effect(of: node.node) == .keyed
            let isRenewed = keys.renewed["\(node.node.id)-\(step.runIndex)"]?.values.contains(Self.next.description) ?? false
            return Repeat(
                node: node.node.name, kind: node.node.kind, runIndex: step.runIndex, carriesKey: carriesKey,
                keepsKey: carriesKey && history.isRetry && !isRenewed)
        }
    }
}

extension RunEvent {
    fileprivate var finishedStep: StepKey? { if case .stepFinished(let finish) = self { finish.step } else { nil } }

    /// A step that was executed, whatever came of it.
    fileprivate var executedStep: StepKey? {
        switch self {
        case .stepFinished(let finish): finish.step
        case .stepFailed(let step, _, _, _), .stepUncertain(let step), .stepIntended(let step, _): step
        default: nil
        }
    }
}

extension CompiledWorkflow.Node {
    /// Whether it does something outside, as far as its settings tell: a request that only reads does not.
    var reachesOutside: Bool {
        guard let effect = kind?.effect(of: node), effect == .keyed || effect == .once else { return false }
        guard node.kind == "http_request" else { return true }
        let method = (node.config["method"] ?? node.config["requestMethod"])?.text ?? "GET"
        return !["GET", "HEAD", "OPTIONS"].contains(method.uppercased())
    }
}
