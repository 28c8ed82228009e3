package import Kernel
internal import Persistence

/// A workflow of a tenant, without its documents.
package struct Workflow: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case active
        /// Starts no more, counts towards no limit; its runs and versions stay.
        case archived
    }

    package var id: WorkflowID
    package var name: String
    package var status: Status
    /// Counts the saved changes of the draft, from 1; a save names the one it began with.
    package var draftRevision: Int
    /// The version that triggers start; nil where none is published.
    package var publishedVersion: Int?
    /// The newest version's number, 0 before the first.
    package var lastVersion: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// A numbered, unchangeable state of a workflow.
package struct WorkflowVersion: Sendable, Hashable {
    package var workflow: WorkflowID
    /// From 1, without gaps.
    package var number: Int
    package var publishedAt: Timestamp
    /// `user:<id>`, `key:<id>`, `system`
    package var publishedBy: String
    /// What people call it, given at publishing or later.
    package var name: String?
    package var note: String?
}

/// The published node that a request to a path starts.
package struct WebhookTarget: Sendable, Hashable {
    package var workflow: WorkflowID
    package var version: Int
    package var node: String
    /// The values of the path's `:name` segments.
    package var parameters: [String: String]
}

/// A published schedule node and its next slot.
package struct DueSchedule: Sendable, Hashable {
    package var tenant: TenantID
    package var workflow: WorkflowID
    package var version: Int
    package var node: String
    package var slot: Timestamp
}
