internal import Kernel
internal import Scripting

/// n8n's old Function node: a script over all items, in a variable `items`.
struct FunctionNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "function", category: .action, title: "Function", summary: "Runs JavaScript over all items (n8n's old node).", icon: "code",
                parameters: [
                    Parameter(
                        "functionCode", .code, "JavaScript", default: "items[0].json.myVariable = 1;\nreturn items;")
                ], n8nTypes: ["n8n-nodes-base.function"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let source = step.kind.rawParameter("functionCode", of: step.node)?.text ?? ""
        return .items([try await ScriptStep(step).items(of: source, mode: .function)])
    }
}
