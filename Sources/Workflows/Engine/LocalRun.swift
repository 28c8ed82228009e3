package import Kernel

/// A run in memory alone: the same machine and the same steps as a durable run, with no journal. For `aias run FILE`, and for trying a
/// draft out. Waits are slept through.
package struct LocalRun: Sendable {
    /// What a run gave.
    package struct Outcome: Sendable {
        package var end: RunEnd
        package var machine: RunMachine
        package var answer: WebhookAnswer?

        /// By node name, the items of each output of its last run.
        package func outputs() throws -> [(node: String, outputs: [[Item]])] {
            try machine.workflow.nodes.enumerated().compactMap { index, node in
                guard let last = machine.ended[index].lazy.compactMap({ $0 }).last else { return nil }
                return (node.node.name, try last.outputs.map { try $0?.items.items() ?? [] })
            }
        }
    }

    /// Finds a workflow that is called, compiled, with the name of the trigger to start at.
    package typealias Resolve = @Sendable (WorkflowCall) async throws -> (CompiledWorkflow, trigger: String)

    let stepRunner: StepRunner
    let clock: Clock
    let ids: IDs
    let tenant: TenantID
    let resolve: Resolve

    package init(services: EngineServices, clock: Clock, ids: IDs, tenant: TenantID, resolve: @escaping Resolve) {
        stepRunner = StepRunner(services: services, clock: clock)
        self.clock = clock
        self.ids = ids
        self.tenant = tenant
        self.resolve = resolve
    }

    package func run(_ workflow: CompiledWorkflow, trigger: String, items: [Item], mode: String = "manual", timeZone: String = "UTC") async throws
        -> Outcome
    {
        try await run(workflow, trigger: trigger, items: ItemList(items), mode: mode, timeZone: timeZone, depth: 0)
    }

    private func run(_ workflow: CompiledWorkflow, trigger: String, items: ItemList, mode: String, timeZone: String, depth: Int) async throws
        -> Outcome
    {
        guard depth <= Limits.callDepth else {
            throw Refusal(.invalid, "calls_too_deep", "Workflows may call each other \(Limits.callDepth) deep at most.")
        }
        guard let start = workflow.index(ofNode: trigger) else { throw Refusal.missing("trigger") }
        let facts = RunFacts(id: ids.next(), tenant: tenant, workflow: ids.next(), version: 0, mode: mode, timeZone: timeZone, depth: depth)
        var run = LiveRun(facts: facts, parent: nil, machine: RunMachine(workflow), new: nil)
        run.feed(.started(trigger: start, items: items))
        while run.machine.end == nil {
            try Task.checkCancellation()
            if run.ready.isEmpty {
                try await passTime(&run)
            } else {
                try await executeAll(&run)
            }
            run.uncommitted = []
        }
        guard let end = run.machine.end else { preconditionFailure("the loop ends with the run") }
        return Outcome(end: end, machine: run.machine, answer: run.answer)
    }

    private func passTime(_ run: inout LiveRun) async throws {
        guard let next = run.timers.min(by: { $0.value < $1.value }) else { preconditionFailure("a run that has not ended waits for something") }
        try await Task.sleep(for: max(.zero, next.value - clock.now()))
        run.feed(.timerFired(next.key))
    }

    private func executeAll(_ run: inout LiveRun) async throws {
        let requests = run.ready
        run.ready = []
        if requests.count == 1 {
            return try await take(await stepRunner.run(requests[0], of: run.facts, machine: run.machine), &run)
        }
        let (facts, machine) = (run.facts, run.machine)
        let reports = await withTaskGroup(of: StepRunner.Report.self) { group in
            for request in requests { group.addTask { [stepRunner] in await stepRunner.run(request, of: facts, machine: machine) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for report in reports { try await take(report, &run) }
    }

    private func take(_ report: StepRunner.Report, _ run: inout LiveRun) async throws {
        guard let call = report.call, case .stepCalled(let step, _, _) = report.event else { return run.feed(report.event) }
        do {
            let targets = try await call.targets { try await resolve($0) }
            run.feed(report.event)
            for (index, items) in call.inputs.enumerated() {
                let (workflow, trigger) = targets[index]
                let outcome = try await self.run(
                    workflow, trigger: trigger, items: ItemList(items.map { Item(json: $0.json, binary: $0.binary) }), mode: "call",
                    timeZone: run.facts.timeZone, depth: run.facts.depth + 1)
                guard call.waits else { continue }
                let failure = outcome.end.failure ?? StepFailure("called_run_failed", "The called run ended as \(outcome.end.status.rawValue).")
                run.feed(
                    .callReturned(step, index: index, outcome.end.status == .succeeded ? .success(outcome.machine.lastItems) : .failure(failure)))
            }
        } catch let refusal as Refusal {
            run.feed(.stepFailed(step, attempt: 1, StepFailure(refusal.code, refusal.message, isRetryable: false), at: clock.now()))
        }
    }
}
