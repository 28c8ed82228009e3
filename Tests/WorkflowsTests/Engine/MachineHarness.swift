import Kernel
@testable import Workflows

/// Builds small workflows and plays outcomes to the machine, noting the order in which steps were handed out.
struct Graph {
    var nodes: [WorkflowNode] = []
    var order: WorkflowSettings.Order = .n8nV1

    init(_ order: WorkflowSettings.Order = .n8nV1) { self.order = order }

    /// `"if.1 -> merge.1"`: output 1 to input 1.
    init(_ order: WorkflowSettings.Order = .n8nV1, _ edges: [String], at positions: [String: [Double]] = [:]) {
        self.order = order
        for edge in edges {
            let ends = edge.split(separator: " ").map(String.init)
            let (source, output) = Graph.port(ends[0])
            add(source, at: positions[source])
            guard ends.count == 3 else { continue }
            let (target, input) = Graph.port(ends[2])
            add(target, at: positions[target])
            change(source) { $0.connections.append(WorkflowConnection(output: output, to: target, input: input)) }
        }
    }

    private static func port(_ text: String) -> (String, Int) {
        let parts = text.split(separator: ".")
        return (String(parts[0]), parts.count > 1 ? Int(parts[1])! : 0)
    }

    private mutating func add(_ name: String, at position: [Double]?) {
        guard !nodes.contains(where: { $0.name == name }) else { return }
        nodes.append(
            WorkflowNode(
                id: name, category: nodes.isEmpty ? .trigger : .action, kind: "test", name: name, position: position ?? [Double(nodes.count), 0]))
    }

    mutating func change(_ name: String, _ body: (inout WorkflowNode) -> Void) {
        body(&nodes[nodes.firstIndex { $0.name == name }!])
    }

    func changing(_ name: String, _ body: (inout WorkflowNode) -> Void) -> Graph {
        var copy = self
        copy.change(name, body)
        return copy
    }

    var compiled: CompiledWorkflow {
        CompiledWorkflow(WorkflowDocument(name: "test", nodes: nodes, settings: .init(order: order)), kinds: KindRegistry(executors: []))
    }
}

/// Plays a run: each step's outcome is what `outcome` says.
struct Player {
    enum Outcome {
        /// Items of each output, as counts.
        case counts([Int])
        case outputs([StepOutput?])
        case failure(StepFailure)
        case wait(Timestamp)
        case call(Int, waits: Bool)
        case answer(Int)
        case state(JSON, [Int])
    }

    var machine: RunMachine
    /// `name#run(inputs)`, inputs as counts, `-` where none came.
    var trace: [String] = []
    var events: [RunEvent] = []
    var end: RunEnd?
    var effects: [RunEffect] = []
    var pending: [RunEffect] = []
    var pick: (Int) -> Int = { _ in 0 }
    var outcome: (String, StepRequest, RunMachine) -> Outcome

    init(_ graph: CompiledWorkflow, outcome: @escaping (String, StepRequest, RunMachine) -> Outcome) {
        machine = RunMachine(graph)
        self.outcome = outcome
    }

    init(_ graph: Graph, _ outputs: [String: [[Int]]] = [:]) {
        self.init(graph.compiled) { name, request, _ in
            guard let runs = outputs[name] else { return .counts([request.inputs.compactMap { $0?.items.count }.max() ?? 0]) }
            return .counts(runs[min(request.step.runIndex, runs.count - 1)])
        }
    }

    mutating func feed(_ event: RunEvent) {
        events.append(event)
        let new = machine.on(event)
        effects += new
        for effect in new {
            switch effect {
            case .finish(let end): self.end = end
            case .execute, .wait: pending.append(effect)
            case .respond: break
            }
        }
    }

    mutating func run(trigger: String? = nil, items: Int = 1) {
        let node = trigger.flatMap { machine.workflow.index(ofNode: $0) } ?? 0
        feed(.started(trigger: node, items: Player.list(items)))
        finish()
    }

    /// Until nothing is pending.
    mutating func finish() {
        while !pending.isEmpty { step() }
    }

    mutating func step() {
        switch pending.remove(at: pick(pending.count)) {
        case .wait(let step, _): feed(.timerFired(step))
        case .execute(let request): play(request)
        default: break
        }
    }

    mutating func play(_ request: StepRequest) {
        let name = machine.workflow.nodes[request.step.node].node.name
        let inputs = request.inputs.map { $0.map { String($0.items.count) } ?? "-" }.joined(separator: ",")
        trace.append("\(name)#\(request.step.runIndex)(\(inputs))")
        var finish = StepFinish(step: request.step, attempt: request.attempt, outputs: [], startedAt: .zero, finishedAt: .zero)
        switch outcome(name, request, machine) {
        case .counts(let counts): finish.outputs = counts.map { StepOutput(Player.list($0), .unknown) }
        case .outputs(let outputs): finish.outputs = outputs
        case .failure(let failure): return feed(.stepFailed(request.step, attempt: request.attempt, failure, at: .zero))
        case .wait(let until): return feed(.stepWaiting(request.step, until: until, state: nil))
        case .call(let count, let waits):
            feed(.stepCalled(request.step, count: count, waits: waits))
            guard waits else { return }
            for index in (0..<count).reversed() { feed(.callReturned(request.step, index: index, .success(Player.list(index + 1)))) }
            return
        case .answer(let status):
            finish.answer = WebhookAnswer(status: status, body: .none)
            finish.outputs = [StepOutput(Player.list(1), .unknown)]
        case .state(let state, let counts):
            finish.state = state
            finish.outputs = counts.map { StepOutput(Player.list($0), .unknown) }
        }
        feed(.stepFinished(finish))
    }

    static func list(_ count: Int) -> ItemList { ItemList((0..<count).map { Item(json: ["n": .number(Double($0))]) }) }
}

extension Timestamp { static let zero = Timestamp(microseconds: 0) }
