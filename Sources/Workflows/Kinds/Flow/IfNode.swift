internal import Kernel

/// Parts items into those that meet the conditions (output 0) and those that do not (output 1).
struct IfNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "if", version: 2.2, category: .condition, title: "If", summary: "Sends items one way or the other by conditions.",
                icon: "branch", parameters: ConditionParameters.all(options: true), outputs: .fixed(["true", "false"]),
                n8nTypes: ["n8n-nodes-base.if"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let parts = try await ConditionParameters.split(step)
        return .items([parts.met, parts.unmet])
    }
}
