/// Passes its items on.
struct NoOperation: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "no_op", category: .action, title: "No operation", summary: "Passes items on unchanged.", icon: "arrow",
                n8nTypes: ["n8n-nodes-base.noOp"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([step.items.enumerated().map { $1.paired(with: $0) }])
    }
}
