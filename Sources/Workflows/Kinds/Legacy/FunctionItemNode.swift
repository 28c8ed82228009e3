internal import Kernel
internal import Scripting

/// n8n's old Function Item node: a script over each item's `json`, in a variable `item`.
struct FunctionItemNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "function_item", category: .action, title: "Function item", summary: "Runs JavaScript over each item (n8n's old node).",
                icon: "code",
                parameters: [Parameter("functionCode", .code, "JavaScript", default: "item.myVariable = 1;\nreturn item;")],
                n8nTypes: ["n8n-nodes-base.functionItem"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let source = step.kind.rawParameter("functionCode", of: step.node)?.text ?? ""
        return .items([try await ScriptStep(step).items(of: source, mode: .functionItem)])
    }
}
