/// Starts when a run of its workflow fails, or of one that names it; its item is `{execution, workflow}`.
struct ErrorTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "error", category: .trigger, title: "Error trigger", summary: "Starts when this workflow fails, or one that names it.",
                icon: "alert", inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.errorTrigger"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome { .items([step.startItems]) }
}
