package import Kernel

/// What an import found, for the builder: whether the workflow runs as it is, and what is left to do.
package struct ImportReport: Sendable, Hashable {
    /// A foreign type that cannot run here, with the nodes that have it.
    package struct Missing: Sendable, Hashable {
        /// n8n's type: `n8n-nodes-base.slack`.
        package var type: String
        package var nodes: [String]
    }
    /// A parameter that a known kind does not read, with dots where it is a member of another (`options.emoji`).
    package struct UnreadParameter: Sendable, Hashable {
        package var node: String
        package var parameter: String
    }
    /// A credential that the original used: it must be mapped to one of the tenant's.
    package struct Credential: Sendable, Hashable {
        package var type: String
        package var name: String
        package var nodes: [String]
    }
    package struct Note: Sendable, Hashable {
        /// `legacy_order`, `renamed_node`, `dangling_connection`, `misplaced_connection`, `error_workflow`, `foreign_workflow`, `foreign_table`,
        /// `unsupported_use`, `unknown_choice`, `refused_type`, `setting_left_out`.
        package var code: String
        package var message: String
        package var node: String?
    }

    package var workflow: String
    /// Whether every enabled node that is part of a run can run.
    package var runsWholly: Bool { missing.isEmpty }
    /// Most frequent first, then by name.
    package var missing: [Missing] = []
    package var unreadParameters: [UnreadParameter] = []
    package var credentials: [Credential] = []
    package var notes: [Note] = []

    package init(workflow: String) { self.workflow = workflow }

    package var json: JSON {
        [
            "workflow": .string(workflow),
            "runs_wholly": .bool(runsWholly),
            "missing": .array(missing.map { .string($0.type) }),
            "missing_nodes": .array(missing.map { ["type": .string($0.type), "nodes": .array($0.nodes.map { .string($0) })] }),
            "unread_parameters": .array(unreadParameters.map { ["node": .string($0.node), "parameter": .string($0.parameter)] }),
            "credentials": .array(
                credentials.map {
                    ["type": .string($0.type), "name": .string($0.name), "nodes": .array($0.nodes.map { .string($0) })]
                }),
            "notes": .array(
                notes.map { ["code": .string($0.code), "message": .string($0.message), "node": $0.node.map { .string($0) } ?? .null] })
        ]
    }
}
