internal import Kernel

/// What can be told of an n8n type by its name alone.
enum N8nTypes {
    /// Marks the kind of a node whose type has no kind here: `n8n:n8n-nodes-base.slack`.
    static let foreignPrefix = "n8n:"
    /// Notes on the canvas: never part of a run.
    static let annotations: Set<String> = ["n8n-nodes-base.stickyNote"]

    private static let triggers: Set<String> = ["webhook", "cron", "start", "interval", "emailReadImap"]
    private static let conditions: Set<String> = ["if", "switch", "filter"]

    /// Types that will never run here, and why: they reach into the machine that runs them, which tenants share.
    static let refusals: [String: String] = {
        let shell = "it runs programs on the server, which tenants share; use a Code node or an HTTP request instead"
        return [
            "n8n-nodes-base.executeCommand": shell,
            "n8n-nodes-base.ssh": "it opens a shell on another machine; call a web service there instead"
        ]
    }()

    static func category(_ type: String) -> WorkflowNode.Category {
        let name = type.split(separator: ".").last.map(String.init) ?? type
        if name.hasSuffix("Trigger") || triggers.contains(name) { return .trigger }
        if type.hasPrefix("@n8n/n8n-nodes-langchain.") { return .aiProcessing }
        return conditions.contains(name) ? .condition : .action
    }

    static func foreignKind(_ type: String) -> String { foreignPrefix + type }

    /// The type behind a foreign kind.
    static func type(ofForeignKind kind: String) -> String? {
        kind.hasPrefix(foreignPrefix) ? String(kind.dropFirst(foreignPrefix.count)) : nil
    }
}
