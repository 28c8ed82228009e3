internal import Kernel

/// Starts when another workflow calls this one, with the caller's items.
struct SubworkflowTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "execute_workflow_trigger", version: 1.1, category: .trigger, title: "When called by another workflow",
                summary: "Starts with the items of the workflow that calls this one.", icon: "subflow", parameters: parameters,
                inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.executeWorkflowTrigger"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard step.version >= 1.1 else { return .items([step.startItems]) }
        let source = step.node.config["inputSource"]?.text ?? "workflowInputs"
        guard let names = names(step, source) else { return .items([step.startItems]) }
        return .items([
            step.startItems.enumerated().map { index, item in
                let fields = JSONObject(names.map { ($0, item.json[$0] ?? .null) })
                return Item(json: fields, binary: item.binary, pairedItem: [PairedItem(item: index)])
            }
        ])
    }

    /// The declared inputs; nil lets everything pass. An input that the caller leaves out is null.
    private func names(_ step: StepContext, _ source: String) -> [String]? {
        switch source {
        case "workflowInputs":
            return step.node.config["workflowInputs"]?["values"]?.array?.compactMap { $0["name"]?.text }.filter { !$0.isEmpty }
        case "jsonExample":
            guard let text = step.node.config["jsonExample"]?.text, let example = try? JSON(parsing: text) else { return nil }
            return example.object?.keys
        default: return nil
        }
    }

    private static var parameters: [Parameter] {
        let typed: Parameter.ShowWhen = ["@version": [">=1.1"]]
        let types = ["any", "string", "number", "boolean", "array", "object"]
        return [
            Parameter("events", .options, "Event", default: "worklfow_call", options: [.init("worklfow_call", "Workflow call")]),
            Parameter(
                "inputSource", .options, "Inputs", default: "workflowInputs",
                options: [.init("workflowInputs", "Fields"), .init("jsonExample", "An example"), .init("passthrough", "Everything")],
                showWhen: typed),
            Parameter(
                "workflowInputs", .collection, "Fields", default: .init([:]),
                fields: [
                    Parameter(
                        "values", .list, "Fields",
                        fields: [
                            Parameter("name", .string, "Name", default: ""),
                            Parameter("type", .options, "Type", default: "string", options: types.map { .init(.init(.string($0)), $0) })
                        ])
                ], showWhen: ["@version": [">=1.1"], "inputSource": ["workflowInputs"]]),
            Parameter("jsonExample", .json, "Example", default: "{}", showWhen: ["@version": [">=1.1"], "inputSource": ["jsonExample"]])
        ]
    }
}
