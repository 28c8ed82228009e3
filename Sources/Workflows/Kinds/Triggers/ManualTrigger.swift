internal import Kernel

/// Starts by hand, and passes on what it was started with. `start` is n8n's oldest form of it.
struct ManualTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "manual", category: .trigger, title: "Manual trigger", summary: "Starts the workflow by hand.", icon: "hand",
                inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.manualTrigger"]),
            NodeKind(
                kind: "start", category: .trigger, title: "Start", summary: "Starts the workflow by hand (n8n's old start node).",
                icon: "hand", inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.start"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome { .items([step.startItems]) }
}

extension StepContext {
    /// What a trigger was started with; one empty item where there is nothing.
    var startItems: [Item] { items.isEmpty ? [Item(json: [:])] : items }
}
