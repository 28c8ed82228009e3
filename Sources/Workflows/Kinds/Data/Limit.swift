internal import Kernel

/// Keeps the first or the last items.
struct Limit: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "limit", category: .action, title: "Limit", summary: "Keeps the first or last items.", icon: "limit",
                parameters: [
                    Parameter("maxItems", .number, "At most", default: 1),
                    Parameter(
                        "keep", .options, "Keep", default: "firstItems",
                        options: [.init("firstItems", "First items"), .init("lastItems", "Last items")])
                ], n8nTypes: ["n8n-nodes-base.limit"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let most = try await step.number("maxItems") ?? 1
        guard most >= 0 else { throw StepFailure.invalid("maxItems", "'maxItems' must not be negative.") }
        let count = Int(min(most, Double(step.items.count)))
        let items = step.items.enumerated().map { $1.paired(with: $0) }
        let keepsLast = try await step.text("keep", default: "firstItems") == "lastItems"
        return .items([Array(keepsLast ? items.suffix(count) : items.prefix(count))])
    }
}
