internal import Kernel
internal import Scripting
internal import Telemetry

/// Executes one attempt of a step and says what came of it, as the event to journal. Never throws: whatever goes wrong is the step's
/// failure.
final class StepRunner: Sendable {
    /// What came of an attempt.
    struct Report: Sendable {
        var event: RunEvent
        /// The runs to start, where the step calls another workflow.
        var call: WorkflowCall?
    }

    let services: EngineServices
    let clock: Clock

    init(services: EngineServices, clock: Clock) {
        self.services = services
        self.clock = clock
    }

    func run(_ request: StepRequest, of run: RunFacts, machine: RunMachine) async -> Report {
        let node = machine.workflow.nodes[request.step.node]
        let kind = node.kindName
        let started = ContinuousClock.now
        let report = await RunTrace.step(request, kind: kind, node: node.node.name, of: run) {
            await attempt(request, node: node, of: run, machine: machine)
        }
        Metrics.shared.observe(.step, [kind, report.outcome], ContinuousClock.now - started)
        return report
    }

    /// The report of a step that only hands items on, which takes no waiting; nil for every other.
    @inline(never)
    func report(atOnce request: StepRequest, of run: RunFacts, machine: RunMachine) -> Report? {
        guard run.trace == nil else { return nil }
        let node = machine.workflow.nodes[request.step.node]
        let started = ContinuousClock.now
        guard let report = passed(request, node: node, of: run, machine: machine, now: clock.now()) else { return nil }
        Metrics.shared.observe(.step, [node.kindName, report.outcome], ContinuousClock.now - started)
        return report
    }

    private func attempt(_ request: StepRequest, node: CompiledWorkflow.Node, of run: RunFacts, machine: RunMachine) async -> Report {
        let now = clock.now()
        if let report = passed(request, node: node, of: run, machine: machine, now: now) { return report }
        return await execute(request, node: node, of: run, machine: machine, now: now)
    }

    /// What comes of a node that is pinned, or hands on what it gets; nil for one that is to be executed.
    @inline(never)
    private func passed(_ request: StepRequest, node: CompiledWorkflow.Node, of run: RunFacts, machine: RunMachine, now: Timestamp) -> Report? {
        if run.mode == "manual", let pinned = machine.workflow.document.pinnedData[node.node.name]?.array {
            return finished(request, outputs: [StepRunner.output(pinned: pinned, inputs: request.inputs)], at: now)
        }
        if node.isIdentity {
            let input = request.inputs.first ?? nil
            let list = input.map { node.node.category == .trigger && $0.items.isEmpty ? .single : once(node, $0.items) } ?? .single
            return finished(request, outputs: [StepOutput(list, input?.source == nil ? .unknown : .identity(input: 0))], at: now)
        }
        return nil
    }

    /// Pinned items keep the places they were pinned with; what they lack is filled in as for the items that a node makes.
    private static func output(pinned: [JSON], inputs: [StepInput?]) -> StepOutput {
        let items = pinned.map(ItemCodec.item)
        let placed = zip(items, pinned).map { item, written -> Item in
            var item = item
            item.pairedItem = written["json"]?.object == nil ? nil : PairedItem.list(written["pairedItem"])
            return item
        }
        let lineage = Lineage(of: placed, inputCounts: inputs.map { $0?.items.count ?? 0 }, isOnlyOutput: true)
        return StepOutput(ItemList(items), lineage)
    }

    private func finished(_ request: StepRequest, outputs: [StepOutput?], at now: Timestamp) -> Report {
        Report(
            event: .stepFinished(StepFinish(step: request.step, attempt: request.attempt, outputs: outputs, startedAt: now, finishedAt: clock.now())))
    }

    private func once(_ node: CompiledWorkflow.Node, _ list: ItemList) -> ItemList {
        guard node.node.executeOnce, list.count > 1, let first = try? list.items().first else { return list }
        return ItemList([first])
    }

    private func execute(_ request: StepRequest, node: CompiledWorkflow.Node, of run: RunFacts, machine: RunMachine, now: Timestamp) async -> Report {
        let inputs = request.inputs.map { input in input.map { StepInput(items: once(node, $0.items), source: $0.source) } }
        do {
            guard let executor = node.executor, let kind = node.kind else {
                throw StepFailure("unsupported_kind", "This program cannot run nodes of the kind '\(node.node.kind)'.", isRetryable: false)
            }
            let known = ReadItems()
            let given = try inputs.enumerated().map { try StepRunner.given($1, input: $0, known) }
            let box = StepBox(
                services: services, node: node, kind: kind, tenant: run.tenant, staticGlobal: machine.staticGlobal,
                staticNode: machine.staticNodes[request.step.node] ?? [:],
                scope: RunScope(
                    machine: machine, node: request.step.node, inputs: inputs, facts: await facts(request, node: node, inputs, run, machine, now),
                    known: known), run: run.id)
            let context = StepContext(
                node: node.node, kind: kind, inputs: given,
                runIndex: request.step.runIndex,
                attempt: request.attempt, resume: request.resume, idempotencyKey: run.keys.key(of: node.node.id, runIndex: request.step.runIndex),
                renewedKeys: run.outwardKeys?.renewedItems(of: node.node.id, runIndex: request.step.runIndex) ?? [:], now: now,
                timeZone: machine.workflow.document.settings.timeZone ?? run.timeZone, tenant: run.tenant, mode: run.mode, services: box,
                state: machine.state(of: request.step))
            let outcome = try await limited(node.node.timeoutSeconds, isRepeatable: kind.effect != .once) {
                try await executor.run(context)
            }
            return report(outcome, request, node: node, inputs: inputs, given: context.inputs, box: box, startedAt: now)
        } catch {
            return failed(StepFailure(wrapping: error, itemIndex: nil), request, node: node, inputs: inputs, startedAt: now)
        }
    }

    /// - Throws: `step_timed_out`
    private func limited(
        _ seconds: Int?, isRepeatable: Bool, _ work: @escaping @Sendable () async throws -> StepOutcome
    ) async throws -> StepOutcome {
        guard let seconds else { return try await work() }
        return try await withThrowingTaskGroup(of: StepOutcome?.self) { group in
            group.addTask { try await work() }
            group.addTask { [clock] in
                try await clock.sleep(.seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let outcome = try await group.next() ?? nil else {
                throw StepFailure("step_timed_out", "The node took longer than its limit of \(seconds) s.", isRetryable: isRepeatable)
            }
            return outcome
        }
    }

    /// The items of an input, each with its own place, so that an item handed on as it is says where it came from. Those of a list that is set aside
    /// are kept for expressions too, so that they lie in memory once.
    private static func given(_ arrived: StepInput?, input: Int, _ known: ReadItems) throws -> [Item] {
        guard let list = arrived?.items else { return [] }
        let items = placed(try list.items(), input: input)
        if list.isSetAside { known.keep(items, of: list) }
        return items
    }

    private static func placed(_ items: consuming [Item], input: Int) -> [Item] {
        var items = items
        for index in items.indices { items[index].pairedItem = [PairedItem(item: index, input: input)] }
        return items
    }

    private func facts(
        _ request: StepRequest, node: CompiledWorkflow.Node, _ inputs: [StepInput?], _ run: RunFacts, _ machine: RunMachine, _ now: Timestamp
    ) async -> ExpressionFacts {
        let document = machine.workflow.document
        var execution: JSONObject = ["id": .string(run.id.description), "mode": run.mode == "manual" ? "test" : "production"]
        if machine.workflow.usesAddresses, let addresses = try? await services.facilities.addresses(run.tenant, run.id, nil) {
            execution["resumeUrl"] = .string(addresses.call)
            execution["resumeFormUrl"] = .string(addresses.page)
        }
        return ExpressionFacts(
            now: now, timeZone: document.settings.timeZone ?? run.timeZone, nodeName: node.node.name, runIndex: request.step.runIndex,
            workflow: ["id": .string(run.workflow.description), "name": .string(document.name), "active": .bool(run.mode != "manual")],
            execution: .object(execution),
            prevNode: RunScope.previousNode(inputs, machine.workflow),
            variables: machine.workflow.usesVariables ? await services.variables(run.tenant) : [:], mode: run.mode,
            seed: run.id.low ^ UInt64(truncatingIfNeeded: request.step.node &* 0x9E37_79B9 &+ request.step.runIndex))
    }

    // MARK: What came of it

    private func report(
        _ outcome: StepOutcome, _ request: StepRequest, node: CompiledWorkflow.Node, inputs: [StepInput?], given: [[Item]], box: StepBox,
        startedAt: Timestamp
    ) -> Report {
        switch outcome {
        case .wait(let until): return Report(event: .stepWaiting(request.step, until: until, state: box.state))
        case .call(let call):
            guard call.inputs.count <= Limits.runsPerCall else {
                let failure = StepFailure("too_many_runs", "One step may start \(Limits.runsPerCall) runs at most.", isRetryable: false)
                return failed(failure, request, node: node, inputs: inputs, startedAt: startedAt)
            }
            return Report(event: .stepCalled(request.step, count: call.inputs.count, waits: call.waits), call: call)
        case .items(let outputs):
            return ended(outputs, answer: nil, request, node: node, inputs: inputs, given: given, box: box, startedAt: startedAt)
        case .respond(let answer, let outputs):
            return ended(outputs, answer: answer, request, node: node, inputs: inputs, given: given, box: box, startedAt: startedAt)
        }
    }

    private func ended(
        _ items: [[Item]], answer: WebhookAnswer?, _ request: StepRequest, node: CompiledWorkflow.Node, inputs: [StepInput?], given: [[Item]],
        box: StepBox, startedAt: Timestamp
    ) -> Report {
        // A node that goes on after errors is tried again first, when its first item failed.
        if request.attempt < node.attempts, let first = items.first?.first, let message = ErrorRouting.message(of: first) {
            return Report(
                event: .stepFailed(request.step, attempt: request.attempt, StepFailure("item_failed", message, itemIndex: 0), at: clock.now()))
        }
        let counts = inputs.map { $0?.items.count ?? 0 }
        var outputs = items.map { output -> StepOutput? in
            guard !output.isEmpty else { return nil }
            if let input = given.firstIndex(where: { StepRunner.isSame($0, output) }), let arrived = inputs[input] {
                return StepOutput(arrived.items, .identity(input: input))
            }
            let lineage = Lineage(of: output, inputCounts: counts, isOnlyOutput: items.count == 1)
            return StepOutput(ItemList(StepRunner.bare(output)), lineage)
        }
        if node.node.onError == .continueErrorOutput { outputs = ErrorRouting.split(outputs, inputs: inputs, regular: node.outputCount) }
        return Report(event: .stepFinished(box.finish(request, outputs: outputs, answer: answer, startedAt: startedAt, finishedAt: clock.now())))
    }

    /// Whether an executor gave back the very array that it got.
    private static func isSame(_ left: [Item], _ right: [Item]) -> Bool {
        left.count == right.count && left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { left.baseAddress == $0.baseAddress } }
    }

    private static func bare(_ items: [Item]) -> [Item] {
        var items = items
        for index in items.indices where items[index].pairedItem != nil { items[index].pairedItem = nil }
        return items
    }

    /// A failure that stops the run or is tried again is an event of its own; one that the node goes on after ends the step with the
    /// items that came in.
    private func failed(_ failure: StepFailure, _ request: StepRequest, node: CompiledWorkflow.Node, inputs: [StepInput?], startedAt: Timestamp)
        -> Report
    {
        let now = clock.now()
        let isTriedAgain = failure.isRetryable && request.attempt < node.attempts
        guard node.node.onError != .stop, !isTriedAgain else {
            return Report(event: .stepFailed(request.step, attempt: request.attempt, failure, at: now))
        }
        var outputs: [StepOutput?] = []
        if let input = inputs.first ?? nil {
            switch node.node.onError {
            case .continueErrorOutput: outputs = Array(repeating: nil, count: node.outputCount) + [ErrorRouting.failing(input.items, failure)]
            default: outputs = [StepOutput(input.items, .identity(input: 0))]
            }
        }
        return Report(
            event: .stepFinished(
                StepFinish(step: request.step, attempt: request.attempt, outputs: outputs, failure: failure, startedAt: startedAt, finishedAt: now)))
    }
}

/// Which items leave by the error output.
enum ErrorRouting {
    /// The message of an item that failed: one with `error`, or whose JSON has nothing but `error` and its details.
    static func message(of item: Item) -> String? {
        if let error = item.error { return error["message"]?.text ?? error.text ?? item.json["error"]?.text ?? error.serialized }
        guard let error = item.json["error"], item.json.allSatisfy({ ["error", "message", "details"].contains($0.key) }) else { return nil }
        return error.text ?? error["message"]?.text ?? error.serialized
    }

    /// Moves failed items of the regular outputs to an additional last one, each joined with the item it was made from.
    static func split(_ outputs: [StepOutput?], inputs: [StepInput?], regular: Int) -> [StepOutput?] {
        var kept: [StepOutput?] = []
        var failed: [(item: Item, parents: [PairedItem]?)] = []
        for output in outputs {
            guard let output, let items = try? output.items.items() else {
                kept.append(nil)
                continue
            }
            var rest: [(item: Item, parents: [PairedItem]?)] = []
            for (index, item) in items.enumerated() {
                let parents = output.lineage.parents(of: index)
                if message(of: item) == nil { rest.append((item, parents)) } else { failed.append((joined(item, parents, inputs), parents)) }
            }
            kept.append(
                rest.count == items.count ? output : rest.isEmpty ? nil : StepOutput(ItemList(rest.map(\.item)), Lineage(rest.map(\.parents))))
        }
        while kept.count < regular { kept.append(nil) }
        return kept + [failed.isEmpty ? nil : StepOutput(ItemList(failed.map(\.item)), Lineage(failed.map(\.parents)))]
    }

    /// The items that came into a node that failed as a whole, each with the error.
    static func failing(_ list: ItemList, _ failure: StepFailure) -> StepOutput? {
        guard !list.isEmpty, let items = try? list.items() else { return nil }
        let error = failure.journaled
        return StepOutput(
            ItemList(
                items.map { item in
                    var item = item
                    item.json["error"] = .string(failure.message)
                    item.error = error
                    return item
                }), .identity(input: 0))
    }

    private static func joined(_ item: Item, _ parents: [PairedItem]?, _ inputs: [StepInput?]) -> Item {
        guard let parent = parents?.first, inputs.indices.contains(parent.input), let source = try? inputs[parent.input]?.items.items(),
            source.indices.contains(parent.item)
        else { return item }
        var joined = item
        joined.json = source[parent.item].json
        joined.json.merge(item.json)
        if joined.binary.isEmpty { joined.binary = source[parent.item].binary }
        return joined
    }
}
