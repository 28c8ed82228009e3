internal import Kernel

/// Writes values of the run into its log, under names, and passes the items on.
struct ExecutionData: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "execution_data", version: 1.1, category: .action, title: "Execution data", summary: "Notes values in the run's log.",
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

    /// Characters of a name and of a value that are kept.
    private static let keyLength = 50
    private static let valueLength = 512

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                for entry in try await step.value("dataToSave.values", item: index)?.array ?? [] {
                    let key = (entry["key"]?.displayText ?? "").prefix(ExecutionData.keyLength)
                    let value = (entry["value"]?.displayText ?? "").prefix(ExecutionData.valueLength)
                    step.services.log("\(key): \(value)")
                }
                return [item.paired(with: index)]
            }
        ])
    }
}
