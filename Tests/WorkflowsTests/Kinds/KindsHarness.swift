import Foundation
import Kernel
import Outbound
import Scripting
import Synchronization

@testable import Workflows

/// Runs real nodes, alone or in workflows, in memory: real expressions and the real sandbox; only the network is a function.
struct KindsHarness {
    typealias Network = @Sendable (OutboundRequest) async throws -> OutboundResponse
    /// As the platform's, and patient where the machine is held up.
    static let sandbox: Sandbox = {
        var limits = SandboxLimits()
        limits.evaluation = .seconds(60)
        limits.start = .seconds(60)
        return Sandbox(limits: limits)
    }()
    static let converter = FileConverter()
    static let now = Timestamp("2026-03-10T12:00:00Z")!

    /// Requests in the order they were sent.
    final class Log: Sendable {
        private let requests = Mutex<[OutboundRequest]>([])
        func append(_ request: OutboundRequest) { requests.withLock { $0.append(request) } }
        var all: [OutboundRequest] { requests.withLock { $0 } }
    }

    final class Files: Sendable {
        private let bytes = Mutex<[String: [UInt8]]>([:])
        func write(_ new: [UInt8]) -> String {
            bytes.withLock { files in
                let id = "file-\(files.count)"
                files[id] = new
                return id
            }
        }
        func read(_ id: String) -> [UInt8] { bytes.withLock { $0[id] ?? [] } }
    }

    let log = Log()
    let files = Files()
    var network: Network = { request in
        OutboundResponse(status: 200, headers: [("Content-Type", "application/json")], body: Array("{}".utf8), url: request.url)
    }
    var credentials: [String: JSONObject] = [:]
    /// Gives access tokens of OAuth 2, told of the one that was refused.
    var accessToken: @Sendable (_ stale: String?) -> String = { _ in "" }
    var tenant = TenantID(high: 7, low: 7)
    var facilities = StepFacilities(convert: { try await KindsHarness.converter.convert($0) })
    /// Called workflows, by id.
    var workflows: [String: WorkflowDocument] = [:]

    private var services: EngineServices {
        let expressions = Expressions(scripts: Self.sandbox)
        let (log, files, network, credentials, accessToken) = (log, files, network, credentials, accessToken)
        var services = EngineServices(
            evaluate: { value, tenant, scope, item in try await expressions.evaluate(value, tenant: tenant, scope: scope, itemIndex: item) },
            scripts: Self.sandbox, credential: { _, type, _ in credentials[type] ?? [:] },
            send: { request, _ in
                log.append(request)
                return try await network(request)
            }, readBinary: { file, _ in files.read(file.id) },
            writeBinary: { bytes, type, name, _ in
                BinaryReference(id: files.write(bytes), mimeType: type, fileName: name, byteCount: bytes.count)
            })
        services.facilities = facilities
        services.accessToken = { _, _, stale, _ in accessToken(stale) }
        return services
    }

    func run(_ document: WorkflowDocument, trigger: String, items: [Item] = [Item(json: [:])], mode: String = "manual") async throws
        -> LocalRun.Outcome
    {
        let clock = Clock { Self.now }
        let workflows = workflows
        let run = LocalRun(services: services, clock: clock, ids: IDs(clock: clock), tenant: TenantID(high: 7, low: 7)) { call in
            guard let called = workflows[call.workflow] else { throw Refusal.missing("workflow") }
            return (CompiledWorkflow(called, kinds: .builtIn), called.nodes[0].name)
        }
        return try await run.run(CompiledWorkflow(document, kinds: .builtIn), trigger: trigger, items: items, mode: mode)
    }

    /// What one node gives for these inputs: `[[item json, …], …]` by output. Each input is given by a trigger's script of its own.
    func node(_ node: WorkflowNode, inputs: [[Item]]) async throws -> [[JSON]] {
        try await items(node, inputs: inputs).map { $0.map { .object($0.json) } }
    }

    /// - Throws: the run's failure.
    func items(_ node: WorkflowNode, inputs: [[Item]]) async throws -> [[Item]] {
        let context = try Self.step(node, inputs: inputs, services: services, tenant: tenant)
        let executor = KindRegistry.builtIn.executor(for: node.kind)!
        switch try await executor.run(context) {
        case .items(let outputs), .respond(_, let outputs): return outputs
        default: throw StepFailure("unexpected", "The step gave no items.")
        }
    }

    func outcome(_ node: WorkflowNode, inputs: [[Item]], resume: StepResume? = nil) async throws -> StepOutcome {
        try await KindRegistry.builtIn.executor(for: node.kind)!.run(Self.step(node, inputs: inputs, services: services, resume: resume))
    }

    /// One run of a step by an engine that keeps a state over waits.
    /// - Returns: what it gave, and the state it left.
    func keepingRun(_ node: WorkflowNode, inputs: [[Item]], resume: StepResume? = nil, state: JSON = .null) async throws -> (StepOutcome, JSON) {
        let context = try Self.step(node, inputs: inputs, services: services, resume: resume, state: state)
        let outcome = try await KindRegistry.builtIn.executor(for: node.kind)!.run(context)
        guard let box = context.services as? StepBox else { return (outcome, .null) }
        let request = StepRequest(step: StepKey(node: 1, runIndex: 0), attempt: 1, inputs: [], resume: nil, wasIntended: false)
        return (outcome, box.finish(request, outputs: [], answer: nil, startedAt: Self.now, finishedAt: Self.now).state ?? .null)
    }

    private static func step(
        _ node: WorkflowNode, inputs: [[Item]], services: EngineServices, resume: StepResume? = nil, state: JSON = .null,
        tenant: TenantID = TenantID(high: 7, low: 7)
    ) throws -> StepContext {
        let kind = KindRegistry.builtIn.kind(node.kind)!
        let trigger = WorkflowNode(id: "start", category: .trigger, kind: "manual", name: "Start", connections: [.init(to: node.id)])
        let workflow = CompiledWorkflow(WorkflowDocument(name: "test", nodes: [trigger, node]), kinds: .builtIn)
        let machine = RunMachine(workflow)
        let facts = ExpressionFacts(now: now, nodeName: node.name, workflow: ["name": "test"], seed: 1)
        let scope = RunScope(machine: machine, node: 1, inputs: inputs.map { StepInput(items: ItemList($0), source: nil) }, facts: facts)
        let box = StepBox(
            services: services, node: workflow.nodes[1], kind: kind, tenant: tenant, staticGlobal: [:], staticNode: [:], scope: scope,
            run: RunID(high: 1, low: 1))
        return StepContext(
            node: node, kind: kind, inputs: inputs, runIndex: 0, attempt: 1, resume: resume, idempotencyKey: "key", now: now, timeZone: "UTC",
            tenant: tenant, mode: "manual", services: box, state: state)
    }
}

extension WorkflowNode {
    static func make(_ kind: String, _ version: Double, _ config: JSONObject, onError: OnError = .stop) -> WorkflowNode {
        var node = WorkflowNode(id: "n", category: .action, kind: kind, kindVersion: version, name: "Node", config: config)
        node.onError = onError
        return node
    }
}

func items(_ values: JSON...) -> [Item] { values.map { Item(json: $0.object ?? [:]) } }
