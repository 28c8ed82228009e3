internal import Kernel

/// Renames fields of each item, by name.
struct RenameKeys: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "rename_keys", category: .action, title: "Rename keys", summary: "Renames fields of each item.", icon: "pencil",
                parameters: [
                    Parameter(
                        "keys", .collection, "Fields", default: .init([:]),
                        fields: [
                            Parameter(
                                "key", .list, "Fields",
                                fields: [Parameter("currentKey", .string, "Name", default: ""), Parameter("newKey", .string, "New name", default: "")])
                        ])
                ], n8nTypes: ["n8n-nodes-base.renameKeys"])
        ]
    }

    /// A renamed field goes to the end, as a new member does.
    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.rawParameter("additionalOptions.regexReplacement") != nil {
            throw StepFailure.invalid("additionalOptions", "Renaming by regular expressions is not supported; use a Code node.")
        }
        return .items([
            try await step.eachItem { index, item in
                var item = item.paired(with: index)
                for entry in try await step.value("keys.key", item: index)?.array ?? [] {
                    guard let old = entry["currentKey"]?.text, let new = entry["newKey"]?.text, !old.isEmpty, !new.isEmpty, old != new else { continue }
                    let path = DotPath(old)
                    guard let value = path.value(in: item.json) else { continue }
                    path.remove(from: &item.json)
                    DotPath(new).set(value, in: &item.json)
                }
                return [item]
            }
        ])
    }
}
