internal import Kernel

/// A method and a path that starts a workflow; segments of the form `:name` take any value.
struct WebhookRoute: Sendable, Hashable {
    /// Stands where a method stands for the page of a form and what it sends.
    static let form = "FORM"
    static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

    let method: String
    /// Without slashes at its ends.
    let path: String

    init(method: String, path: String) {
        self.method = method.uppercased()
        self.path = WebhookRoute.segments(of: path).joined(separator: "/")
    }

    var segments: [String] { WebhookRoute.segments(of: path) }
    var hasParameters: Bool { segments.contains { $0.hasPrefix(":") } }
    var pattern: String { segments.map { $0.hasPrefix(":") ? ":" : $0 }.joined(separator: "/") }

    static func segments(of path: String) -> [String] { path.split(separator: "/").map(String.init) }

    /// The values of the path's parameters, or nil where the segments do not match.
    func parameters(of given: [String]) -> [String: String]? {
        let own = segments
        guard own.count == given.count else { return nil }
        var values: [String: String] = [:]
        for (mine, theirs) in zip(own, given) {
            if mine.hasPrefix(":") { values[String(mine.dropFirst())] = theirs } else if mine != theirs { return nil }
        }
        return values
    }
}

extension WorkflowDocument {
    /// The routes of the enabled webhook nodes; a node without a path has its id as path.
    func webhookRoutes(kind: (String) -> NodeKind?) -> [(node: WorkflowNode, index: Int, route: WebhookRoute)] {
        nodes.enumerated().flatMap { index, node -> [(node: WorkflowNode, index: Int, route: WebhookRoute)] in
            guard node.kind == "webhook" || node.kind == "form_trigger", !node.disabled, let declaration = kind(node.kind) else { return [] }
            if node.kind == "form_trigger" {
                let path = FormTrigger.path(of: node)
                return [(node, index, WebhookRoute(method: WebhookRoute.form, path: path.isEmpty ? node.id : path))]
            }
            let definition = WebhookDefinition(node, kind: declaration)
            let path = definition.path.isEmpty ? node.id : definition.path
            return definition.methods.map { (node, index, WebhookRoute(method: $0, path: path)) }
        }
    }

    /// The enabled schedule nodes with the first slot of each after `now`.
    /// - Parameter due: by node id, slots that have come and were not fired yet: where they are slots of this document too they stay.
    func scheduleSlots(
        after now: Timestamp, due: [String: Timestamp], zone: String, kind: (String) -> NodeKind?
    ) throws -> [(node: WorkflowNode, slot: Timestamp)] {
        try nodes.compactMap { node in
            guard ["schedule", "cron", "interval"].contains(node.kind), !node.disabled, let declaration = kind(node.kind) else { return nil }
            let schedule = try Schedule(node, kind: declaration, timeZone: settings.timeZone ?? zone)
            if let slot = due[node.id], schedule.next(after: slot - .microseconds(1)) == slot { return (node, slot) }
            return schedule.next(after: now).map { (node, $0) }
        }
    }
}
