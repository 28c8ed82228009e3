internal import HTTPSurface
internal import Kernel
internal import Scripting

/// What a request must meet for a webhook to start a run (n8n's *Only run if*).
enum WebhookCondition: Sendable, Hashable {
    case expression(String)
    /// As written, in the form of `if` 2.
    case filter(JSON)

    /// Nil where each request starts a run. Before 2.2 an option holds an expression, and text that is none is passed over.
    init?(_ node: WorkflowNode) {
        let isModern = node.kindVersion >= 2.2
        let mode = isModern ? node.config["onlyRunIfMode"]?.text ?? "" : "expression"
        switch mode {
        case "expression":
            let written = isModern ? node.config["onlyRunIfExpression"] : node.config["options"]?["onlyRunIf"]
            guard let text = written?.text, text.hasPrefix("=") else { return nil }
            self = .expression(text)
        case "conditions":
            guard let filter = node.config["onlyRunIfConditions"], filter["conditions"]?.array?.isEmpty == false else { return nil }
            self = .filter(filter)
        default: return nil
        }
    }
}

extension Webhooks {
    /// What a request is told that starts no run.
    static var passedOver: Answer { .json(JSON.object(["message": "Webhook call received"]).bytes) }

    /// Whether a request meets the node's condition. As in n8n, one that the condition cannot be asked of starts a run.
    func isWanted(_ items: ItemList, by target: WebhookTargets.Target, _ tenant: TenantID, run: RunID) async throws -> Bool {
        guard let condition = target.definition.condition, let place = target.compiled.index(ofNode: target.node.name),
            let kind = workflows.kinds.kind(target.node.kind)
        else { return true }
        let services = engine.stepRunner.services
        let zone = try await timeZone(tenant)
        let facts = ExpressionFacts(
            now: clock.now(), timeZone: target.compiled.document.settings.timeZone ?? zone, nodeName: target.node.name,
            workflow: ["id": .string(target.workflow.description), "name": .string(target.compiled.document.name), "active": true],
            variables: await services.variables(tenant), mode: "webhook")
        let scope = RunScope(machine: RunMachine(target.compiled), node: place, inputs: [StepInput(items: items, source: nil)], facts: facts)
        do {
            switch condition {
            case .expression(let text): return try await services.evaluate(.string(text), tenant, scope, 0).isTruthy
            case .filter(let written):
                let box = StepBox(
                    services: services, node: target.compiled.nodes[place], kind: kind, tenant: tenant, staticGlobal: [:], staticNode: [:],
                    scope: scope, run: run)
                let step = StepContext(
                    node: target.node, kind: kind, inputs: [try items.items()], runIndex: 0, attempt: 1, resume: nil,
                    idempotencyKey: run.description, now: facts.now, timeZone: facts.timeZone, tenant: tenant, mode: "webhook", services: box,
                    state: .null)
                let value = try await box.evaluate(written, item: 0, roots: [:])
                return try await FilterConditions(value, raw: written).hold(for: PatternTest(step: step, item: 0))
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return true
        }
    }
}
