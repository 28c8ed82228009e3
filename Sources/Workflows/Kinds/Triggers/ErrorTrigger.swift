/// Starts when a run of another workflow fails; its item is `{execution, workflow}`.
struct ErrorTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "error", category: .trigger, title: "Error trigger", summary: "Starts when a workflow that names this one fails.",
                icon: "alert", inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.errorTrigger"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome { .items([step.startItems]) }
}
