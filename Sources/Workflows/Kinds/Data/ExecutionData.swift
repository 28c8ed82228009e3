internal import Kernel

/// Marks the run with values that it is found by, under names, writes them into its log, and passes the items on.
struct ExecutionData: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "execution_data", version: 1.1, category: .action, title: "Execution data", summary: "Marks the run with values to find it by.",
                icon: "list",
                parameters: [
                    Parameter("notice", .notice, "", default: ""),
                    Parameter("operation", .options, "Operation", default: "save", options: [.init("save", "Save")]),
                    Parameter(
                        "dataToSave", .collection, "Values", default: .init([:]),
                        fields: [
                            Parameter(
                                "values", .list, "Values",
                                fields: [Parameter("key", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")])
                        ])
                ], n8nTypes: ["n8n-nodes-base.executionData"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                for entry in try await step.value("dataToSave.values", item: index)?.array ?? [] {
                    let key = (entry["key"]?.displayText ?? "").prefix(Limits.markNameCharacters)
                    let value = (entry["value"]?.displayText ?? "").prefix(Limits.markValueCharacters)
                    step.services.log("\(key): \(value)")
                    if !key.isEmpty { step.services.mark(String(key), String(value)) }
                }
                return [item.paired(with: index)]
            }
        ])
    }
}
