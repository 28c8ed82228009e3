package import Kernel

/// One thing wrong with a workflow, as the builder is told it.
package struct WorkflowFault: Sendable, Hashable {
    /// The node's name; nil where the fault is the document's.
    package var node: String?
    /// `nodes[2].config.url`
    package var field: String
    /// `duplicate_name`, `required`, `not_an_option`, `unknown_kind`, `no_trigger`, …
    package var code: String
    package var reason: String

    package init(node: String? = nil, field: String, code: String, reason: String) {
        self.node = node
        self.field = field
        self.code = code
        self.reason = reason
    }

    package var fault: Refusal.Fault {
        Refusal.Fault(field: field, code: code, message: node.map { "\($0): \(reason)" } ?? reason)
    }
}
