package import Kernel

extension KindRegistry {
    /// Whether a node of n8n's type runs here with these parameters: its kind is known, and offers what the node chooses (a Code node
    /// in another language than JavaScript, or a merge by SQL, does not run).
    @Sendable package func supports(n8nType: String, version: Double, parameters: JSONObject) -> Bool {
        guard let kind = kind(n8nType: n8nType) else { return false }
        let node = WorkflowNode(id: "", category: kind.category, kind: kind.kind, kindVersion: version, name: "", config: parameters)
        return !NodeCheck(node: node, kind: kind, path: "", expressionFault: { _ in nil }).hasForeignChoice()
    }
}
