internal import Kernel

/// Keeps the items that meet the conditions.
struct FilterNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "filter", version: 2.2, category: .condition, title: "Filter", summary: "Keeps the items that meet conditions.",
                icon: "filter",
                parameters: ConditionParameters.all(
                    options: true,
                    combination: Parameter(
                        "combineConditions", .options, "Combine", default: "AND", options: [.init("AND", "And"), .init("OR", "Or")],
                        showWhen: ["@version": ["<2"]])),
                outputs: .fixed(["kept"]), n8nTypes: ["n8n-nodes-base.filter"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let parts = try await ConditionParameters.split(step)
        // An item that cannot be judged is not kept; it goes on only where failed items have an output of their own.
        let failed = step.node.onError == .continueErrorOutput ? parts.unmet.filter { $0.error != nil } : []
        return .items([parts.met + failed])
    }
}
