internal import Kernel

/// n8n's old Item Lists node: split out, aggregate, limit, remove duplicates, sort and summarize in one.
struct ItemLists: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "item_lists", version: 3.1, category: .action, title: "Item lists", summary: "Works on lists of items (n8n's old node).",
                icon: "list", parameters: ItemListsParameters.all, n8nTypes: ["n8n-nodes-base.itemLists"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch try await step.text("operation", default: "splitOutItems") {
        case "splitOutItems":
            return .items([
                try await step.eachItem { index, item in
                    try await SplitPlan(step, index, included: try await included(step, index)).items(from: item)
                }
            ])
        case "aggregateItems", "concatenateItems": return try await aggregated(step)
        case "limit": return try await Limit().run(step)
        case "removeDuplicates": return .items([try await DuplicateFields(step).unique(step.items)])
        case "sort": return try await SortNode().run(step)
        case "summarize": return try await Summarize().run(step)
        case let operation: throw StepFailure.invalid("operation", "The operation '\(operation)' of item lists is not supported.")
        }
    }

    private func included(_ step: StepContext, _ index: Int) async throws -> [String] {
        if let fields = try await step.parameter("fieldsToInclude", item: index)?["fields"]?.array {
            return fields.compactMap { $0["fieldName"]?.text }
        }
        return try await step.names("fieldsToInclude", item: index)
    }

    private func aggregated(_ step: StepContext) async throws -> StepOutcome { try await Aggregate().run(step) }
}
