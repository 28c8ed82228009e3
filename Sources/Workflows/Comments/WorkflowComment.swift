package import Kernel
internal import Persistence

package typealias WorkflowCommentID = ID<WorkflowComment>

/// What somebody wrote on a workflow or on one of its nodes. A thread is a first comment and the answers to it.
package struct WorkflowComment: Sendable, Hashable {
    package let id: WorkflowCommentID
    package let workflow: WorkflowID
    /// The node's id; nil on the workflow as a whole. The node may be gone since.
    package let node: String?
    /// The first comment of its thread; its own id where it is the first.
    package let thread: WorkflowCommentID
    /// As the audit log names people: `user:<id>`.
    package let author: String
    package var text: String
    package let createdAt: Timestamp
    package var editedAt: Timestamp?
    /// Set on a first comment: nothing is open about it any more.
    package var resolvedAt: Timestamp?
    package var resolvedBy: String?

    package var isFirst: Bool { id == thread }
}

extension Limits {
    /// Unicode scalars of a comment.
    static let commentLength = 4_000
    static let commentsPerWorkflow = 2_000
    static let mentionsPerComment = 50
}

enum CommentEvents {
    /// Somebody wrote on a workflow and named members: `{workflow, workflow_name, node?, comment, author, author_name, text, mentions}`, the
    /// last a list of people's ids.
    struct Mentioned: Event {
        static let name = "workflow.mentioned"
        static let version = 1
        let comment: WorkflowComment
        let workflowName: String
        let authorName: String
        let mentions: [UserID]

        private static let excerptLength = 300

        var subject: String { "workflow:\(comment.workflow)" }
        var payload: JSON {
            var members: JSONObject = [
                "workflow": .string(comment.workflow.description), "workflow_name": .string(workflowName),
                "comment": .string(comment.id.description), "thread": .string(comment.thread.description), "author": .string(comment.author),
                "author_name": .string(authorName), "text": .string(String(comment.text.prefix(Self.excerptLength))),
                "mentions": .array(mentions.map { .string($0.description) })
            ]
            if let node = comment.node { members["node"] = .string(node) }
            return .object(members)
        }
    }
}
