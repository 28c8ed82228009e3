import Jobs
import Kernel
import Outbound
import Persistence
import Scripting
import Synchronization
import TestKit
@testable import Workflows

/// Counts what steps do outside.
final class Outside: Sendable {
    let hits = Mutex<[String]>([])
    func hit(_ text: String) { hits.withLock { $0.append(text) } }
    var all: [String] { hits.withLock { $0 } }

    /// Whether steps that wait at the gate may pass.
    private let gate = Mutex(false)
    var isOpen: Bool { gate.withLock { $0 } }
    func open() { gate.withLock { $0 = true } }

    /// Steps that are held here, and how many were at most.
    private let held = Mutex((now: 0, most: 0))
    var most: Int { held.withLock { $0.most } }
    func enter() {
        held.withLock { held in
            held.now += 1
            held.most = max(held.most, held.now)
        }
    }
    func leave() { held.withLock { $0.now -= 1 } }

    /// Waits until so many steps are at the gate.
    func gathered(_ count: Int) async throws {
        while held.withLock({ $0.now }) < count { try await Task.sleep(for: .milliseconds(2)) }
    }
}

/// Kinds for tests, told apart by name; what they do outside is written to the `Outside` of the run's tenant.
struct ProbeNode: NodeExecutor {
    static let outsides = Mutex<[TenantID: Outside]>([:])
    static func outside(_ tenant: TenantID) -> Outside {
        outsides.withLock { known in
            let outside = known[tenant] ?? Outside()
            known[tenant] = outside
            return outside
        }
    }

    static var kinds: [NodeKind] {
        [
            ("probe_pure", NodeKind.Effect.pure), ("probe_keyed", .keyed), ("probe_once", .once), ("probe_wait", .pure), ("probe_fail", .pure),
            ("probe_call", .pure), ("probe_answer", .pure), ("probe_static", .pure), ("probe_slow", .keyed), ("probe_zone", .pure),
            ("probe_picky", .keyed), ("probe_gate", .keyed), ("probe_brief", .keyed), ("probe_named", .keyed), ("probe_lost", .keyed),
            ("probe_refused", .keyed), ("probe_told", .keyed), ("probe_file", .pure), ("probe_crowd", .keyed), ("probe_bare", .pure)
        ].map {
            NodeKind(kind: $0.0, category: .action, title: $0.0, summary: "", effect: $0.1)
        }
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let outside = ProbeNode.outside(step.tenant)
        switch step.node.kind {
        case "probe_keyed", "probe_once":
            outside.hit(step.idempotencyKey.split(separator: "-").suffix(2).joined(separator: "-"))
            return .items([step.items])
        case "probe_told":
            outside.hit(step.items.first?.json["execution"]?["url"]?.text ?? "nothing")
            return .items([step.items])
        case "probe_gate":
            outside.enter()
            defer { outside.leave() }
            while !outside.isOpen { try await Task.sleep(for: .milliseconds(5)) }
            outside.hit("\(step.node.id)-\(step.runIndex)")
            return .items([step.items])
        case "probe_crowd":
            outside.enter()
            defer { outside.leave() }
            // The first three meet, however long each is held up on its way.
            while outside.most < 3 { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(200))
            outside.hit("\(step.node.id)-\(step.runIndex)")
            return .items([step.items])
        case "probe_picky":
            guard step.items.first?.json["n"] != 1 else { throw StepFailure("picky", "not this one", isRetryable: false) }
            outside.hit("\(step.node.id)-\(step.runIndex)")
            return .items([step.items])
        case "probe_brief":
            try await Task.sleep(for: .milliseconds(200))
            outside.hit("\(step.node.id)-\(step.runIndex)")
            return .items([step.items])
        case "probe_named", "probe_lost", "probe_refused":
            outside.hit(step.idempotencyKey(item: 0))
            guard step.node.kind != "probe_named", !outside.isOpen else { return .items([step.items]) }
            guard step.node.kind == "probe_refused" else { throw StepFailure("closed", "no answer came") }
            throw StepFailure("http_error", "payment required", details: ["status": 402], itemIndex: 0)
        case "probe_file":
            let text = step.items.first?.json["text"]?.text ?? ""
            let file = try await step.services.writeBinary(Array(text.utf8), mimeType: "text/plain", fileName: "a.txt")
            return .items([[Item(json: ["n": 1], binary: ["file": file])]])
        case "probe_bare": return .items([step.items.map { Item(json: ["file": .string($0.binary["file"]?.id ?? "")]) }])
        case "probe_wait":
            guard step.resume == nil else { return .items([step.items]) }
            return .wait(until: step.now + .seconds(60))
        case "probe_slow":
            try await Task.sleep(for: .seconds(20))
            return .items([step.items])
        case "probe_zone": return .items([[Item(json: ["zone": .string(step.timeZone)])]])
        case "probe_fail": throw StepFailure("odd", "it fails")
        case "probe_call":
            guard case .called(let results)? = step.resume else {
                return .call(WorkflowCall(workflow: "sub", inputs: step.items.map { [$0] }, waits: true))
            }
            return .items([try results.flatMap { try $0.get() }])
        case "probe_answer": return .respond(WebhookAnswer(status: 201, body: .bytes(Array("ok".utf8), contentType: "text/plain")), [step.items])
        case "probe_static":
            let count = (step.services.staticData().global["count"]?.integer ?? 0) + 1
            step.services.setStaticData(global: ["count": .number(Double(count))], node: nil)
            return .items([[Item(json: ["count": .number(Double(count))])]])
        default: return .items([step.items.map { Item(json: ["seen": .object($0.json)], pairedItem: $0.pairedItem) }])
        }
    }
}

struct NoScripts: ScriptRunner {
    func evaluate(_ blocks: [ScriptBlock], tenant: TenantID, scope: any ExpressionScope) async throws -> [Result<ExpressionValue, ScriptError>] {
        throw ScriptError(.unavailable, "no scripts in this test")
    }
    func run(_ script: Script, tenant: TenantID, scope: any ExpressionScope) async throws -> ScriptResult {
        throw ScriptError(.unavailable, "no scripts in this test")
    }
}

extension EngineServices {
    /// `=$json.key` and `=$('Node').item.json.key` alone.
    static let plain = EngineServices(
        evaluate: { value, _, scope, item in
            guard let text = value.text, text.hasPrefix("=") else { return value }
            if let name = text.split(separator: "'").dropFirst().first, text.hasPrefix("=$(") {
                return try scope.pairedItem(ofNode: String(name), itemIndex: item)["json"] ?? .null
            }
            return try scope.inputItems(0)[item]["json"]?[String(text.split(separator: ".").last!)] ?? .null
        }, scripts: NoScripts(), credential: { _, _, _ in [:] }, send: { request, _ in OutboundResponse(status: 200, url: request.url) },
        readBinary: { _, _ in [] },
        writeBinary: { bytes, type, name, _ in BinaryReference(id: "x", mimeType: type, fileName: name, byteCount: bytes.count) })
}

let probeKinds = KindRegistry(executors: [ManualTrigger.self, WebhookTrigger.self, ErrorTrigger.self, NoOperation.self, ProbeNode.self])

extension Graph {
    /// Kinds by node name: `["a": "probe_keyed"]`; the first node is a webhook, others no-ops.
    func document(_ kinds: [String: String], settings: WorkflowSettings? = nil) -> WorkflowDocument {
        var nodes = nodes
        for index in nodes.indices { nodes[index].kind = kinds[nodes[index].name] ?? (index == 0 ? "webhook" : "no_op") }
        return WorkflowDocument(name: "test", nodes: nodes, settings: settings ?? .init(order: order))
    }
}

func withRig(
    _ document: WorkflowDocument, sub: WorkflowDocument? = nil, liveRunsMaximum: Int = 1_000,
    resolve: EngineRig.Resolver? = nil, onStart: @escaping EngineRig.OnStart = { _, _ in },
    fault: @escaping @Sendable (Engine.FaultPoint) throws -> Void = { _ in },
    _ body: (EngineRig) async throws -> Void
) async throws {
    try await withDatabase(.sqlite, tables: RunTables.all + JobsModule.tables, migrations: JobsModule.migrations + RunTables.migrations) { lease in
        let workflow: WorkflowID = lease.ids.next()
        try await body(
            try await EngineRig.make(
                lease, workflow: workflow, document: document, sub: sub, liveRunsMaximum: liveRunsMaximum, resolve: resolve,
                onStart: onStart, fault: fault))
    }
}

/// An engine on a leased database, and the timers that drive it.
struct EngineRig {
    typealias Loader = @Sendable (TenantID, WorkflowID, Int) async throws -> WorkflowDocument
    typealias Resolver = @Sendable (WorkflowCall, TenantID) async throws -> (workflow: WorkflowID, version: Int, trigger: String)
    typealias OnStart = @Sendable (TenantTransaction, RunFacts) throws -> Void
    typealias OnFinish = @Sendable (TenantTransaction, RunFacts, RunStatus, Timestamp) throws -> Void

    let engine: Engine
    let timers: TimerService
    let lease: DatabaseLease
    let worker: Jobs.Lease
    let workflow: WorkflowID

    static func make(
        _ lease: DatabaseLease, workflow: WorkflowID, document: WorkflowDocument, sub: WorkflowDocument? = nil, liveRunsMaximum: Int = 1_000,
        services: EngineServices = .plain, load: Loader? = nil, resolve: Resolver? = nil, onStart: @escaping OnStart = { _, _ in },
        onFinish: @escaping OnFinish = { _, _, _, _ in },
        fault: @escaping @Sendable (Engine.FaultPoint) throws -> Void = { _ in }
    ) async throws -> EngineRig {
        let worker = try await lease.database.writeSystem { tx in
            let leases = LeaseStore(tx: tx)
            let worker = try leases.acquire(name: "test", for: .seconds(3_600))
            try leases.endAll(except: worker)
            return worker
        }
        var configuration = Engine.Configuration(
            kinds: probeKinds, load: load ?? { _, id, _ in id == workflow ? document : sub ?? document },
            resolve: resolve ?? { _, _ in (WorkflowID(high: 1, low: 1), 1, "t") },
            errorWorkflow: { name, _ in
                if name == workflow.description { return (workflow, 1, "failed") }
                return (WorkflowID(high: 1, low: 1), 1, "t")
            })
        configuration.executionAddress = { "http://platform.test/executions/\($0)" }
        configuration.onStart = onStart
        configuration.onFinish = onFinish
        configuration.fault = fault
        configuration.liveRunsMaximum = liveRunsMaximum
        let engine = Engine(
            database: lease.database, lease: worker, services: services, configuration: configuration, clock: lease.clock.clock, ids: lease.ids,
            blobs: lease.blobs)
        let timers = TimerService(
            database: lease.database, clock: lease.clock.clock, logger: engine.logger, handlers: [Engine.timerKind: { try await engine.resume($0) }],
            batches: [Engine.timerKind: { await engine.resumeUntouched($0) }])
        return EngineRig(engine: engine, timers: timers, lease: lease, worker: worker, workflow: workflow)
    }

    func start(
        _ document: WorkflowDocument, items: [Item] = [Item(json: ["n": 1])], key: String? = nil, mode: String = "webhook",
        timeZone: String = "UTC"
    ) async throws -> RunHandle {
        try await engine.start(
            RunStart(
                tenant: lease.tenant, workflow: workflow, version: 1, document: document, trigger: document.nodes[0].name, items: ItemList(items),
                mode: mode, timeZone: timeZone, idempotencyKey: key))
    }

    func row(_ run: RunID) async throws -> Run {
        try await lease.database.read(in: lease.tenant) { tx in try RunStore(tx: tx).find(run)! }
    }

    /// Fires timers until the engine has nothing in hand and none is due, nor will be in a moment for having found no room.
    func settle() async throws {
        var isQuiet = false
        for _ in 0..<10_000 {
            let fired = try await timers.fireDue()
            if fired > 0 || engine.liveRuns > 0 {
                isQuiet = false
            } else if isQuiet {
                return
            } else {
                isQuiet = true
                lease.clock.advance(by: .milliseconds(300))
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
