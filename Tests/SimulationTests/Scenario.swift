import Kernel
import Outbound
import Persistence
import Scripting

@testable import Workflows

/// The workflows of the simulation: chains that reach outside, wait, fail and are tried again, branch, call each other, and take turns.
struct Scenario: Sendable {
    let tenants: [TenantID]
    let called: WorkflowID
    private let documents: [WorkflowID: WorkflowDocument]

    /// Those that are started from outside.
    var started: [WorkflowID] { documents.keys.filter { $0 != called }.sorted { $0.description < $1.description } }

    init() {
        tenants = (1...3).map { TenantID(high: 1, low: UInt64($0)) }
        called = WorkflowID(high: 2, low: 9)
        var documents: [WorkflowID: WorkflowDocument] = [:]
        let shapes: [(String, WorkflowSettings)] = [
            ("pure keyed pure keyed", .init()), ("keyed wait once pure keyed", .init(order: .n8nV1)), ("keyed call keyed", .init()),
            ("once once", .init()), ("pure pure pure", .init()), ("keyed keyed", .init(concurrency: .init(limit: 2)))
        ]
        for (index, shape) in shapes.enumerated() {
            documents[WorkflowID(high: 2, low: UInt64(index + 1))] = Scenario.chain(shape.0, shape.1, branch: index == 0)
        }
        documents[called] = Scenario.chain("keyed wait keyed", .init(), branch: false)
        self.documents = documents
    }

    func document(_ id: WorkflowID) throws -> WorkflowDocument {
        guard let found = documents[id] else { throw Refusal.missing("workflow") }
        return found
    }

    /// - Parameter branch: a second chain of one step leaves the trigger.
    private static func chain(_ kinds: String, _ settings: WorkflowSettings, branch: Bool) -> WorkflowDocument {
        var nodes = [WorkflowNode(id: "start", category: .trigger, kind: "webhook", name: "Start")]
        for (index, kind) in kinds.split(separator: " ").enumerated() {
            nodes[nodes.count - 1].connections.append(.init(to: "n\(index)"))
            nodes.append(node("n\(index)", String(kind)))
        }
        if branch {
            nodes[0].connections.append(.init(to: "side"))
            nodes.append(node("side", "keyed"))
        }
        return WorkflowDocument(name: kinds, nodes: nodes, settings: settings)
    }

    private static func node(_ id: String, _ kind: String) -> WorkflowNode {
        let retry = kind == "keyed" ? WorkflowNode.Retry(attempts: 6, waitMilliseconds: 700, backoff: .exponential, jitter: true) : nil
        return WorkflowNode(id: id, category: .action, kind: "simulated_\(kind)", name: id, retry: retry)
    }

    static let kinds = KindRegistry(executors: [WebhookTrigger.self, SimulatedNode.self])

    /// What the idempotency keys of all runs begin with.
    static func keys(_ tx: SystemTransaction) throws -> [RunID: String] {
        var keys: [RunID: String] = [:]
        for tenant in try Scenario().tenants.map({ try tx.tenant($0) }) {
            let rows: [(RunID, String?)] = try tenant.all("SELECT id, outward_keys FROM runs WHERE tenant_id = \(tenant.tenant)") {
                (try $0.column(0), try $0.column(1))
            }
            for (run, stored) in rows { keys[run] = try stored.map { try OutwardKeys(stored: $0).base } ?? run.description }
        }
        return keys
    }

    /// Whether a step has ended, by its run's journal.
    static func hasEnded(_ run: RunID, node: String, index: Int, _ tx: SystemTransaction) throws -> Bool {
        let owner: TenantID? = try Scenario().tenants.first { tenant in try RunStore(tx: tx.tenant(tenant)).find(run) != nil }
        guard let owner else { return false }
        let tenant = try tx.tenant(owner)
        return try JournalStore(tx: tenant).records(of: run).contains { $0.kind == .finished && $0.node == node && $0.runIndex == index }
    }
}

struct NoScripts: ScriptRunner {
    func evaluate(_ blocks: [ScriptBlock], tenant: TenantID, scope: any ExpressionScope) async throws -> [Result<ExpressionValue, ScriptError>] {
        throw ScriptError(.unavailable, "no scripts here")
    }
    func run(_ script: Script, tenant: TenantID, scope: any ExpressionScope) async throws -> ScriptResult {
        throw ScriptError(.unavailable, "no scripts here")
    }
}

/// Steps that reach outside with their key, wait, call, or do nothing but pass on.
struct SimulatedNode: NodeExecutor {
    static let kinds: [NodeKind] = [("pure", NodeKind.Effect.pure), ("keyed", .keyed), ("once", .once), ("wait", .pure), ("call", .pure)].map {
        NodeKind(kind: "simulated_\($0.0)", category: .action, title: $0.0, summary: "", effect: $0.1)
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch step.node.kind {
        case "simulated_keyed", "simulated_once":
            let run = step.idempotencyKey.dropLast("-\(step.node.id)-\(step.runIndex)".count)
            do {
                _ = try await step.services.send(OutboundRequest(url: "https://outside/\(run)/\(step.node.id)/\(step.runIndex)"))
            } catch let error as OutboundError {
                throw StepFailure(error.code.rawValue, error.message, isRetryable: step.kind.effect == .keyed)
            }
            return .items([step.items])
        case "simulated_wait":
            guard step.resume == nil else { return .items([step.items]) }
            return .wait(until: step.now + .seconds(Double(20 + abs(step.idempotencyKey.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) % 70 }))))
        case "simulated_call":
            guard case .called(let results)? = step.resume else {
                return .call(WorkflowCall(workflow: "called", inputs: [step.items, step.items], waits: true))
            }
            return .items([try results.flatMap { try $0.get() }])
        default: return .items([step.items.map { Item(json: ["seen": .object($0.json)], pairedItem: $0.pairedItem) }])
        }
    }
}
