internal import HTTPSurface
internal import Kernel
internal import Notifications
internal import Tenancy

struct WorkflowCommentView: Codable, Sendable {
    var id: WorkflowCommentID
    var workflowID: WorkflowID
    /// Of what it is about; absent for the workflow as a whole.
    var node: String?
    /// The first comment of its thread.
    var thread: WorkflowCommentID
    /// `user:<id>` or `key:<id>`.
    var author: String
    /// What the others know the author as.
    var authorName: String
    /// Whether who asks has written it.
    var mine: Bool
    var text: String
    var createdAt: Timestamp
    var editedAt: Timestamp?
    /// Of a first comment: when nothing was open about its thread any more.
    var resolvedAt: Timestamp?
    var resolvedByName: String?

    init(_ comment: WorkflowComment, names: [String: String], for principal: Principal) {
        id = comment.id
        workflowID = comment.workflow
        node = comment.node
        thread = comment.thread
        author = comment.author
        authorName = names[comment.author] ?? comment.author
        mine = comment.author == principal.auditName
        text = comment.text
        createdAt = comment.createdAt
        editedAt = comment.editedAt
        resolvedAt = comment.resolvedAt
        resolvedByName = comment.resolvedBy.map { names[$0] ?? $0 }
    }
}

struct NewCommentBody: Codable, Sendable, Described {
    var text: String
    var node: String?
    var thread: WorkflowCommentID?
    var mentions: [UserID]?
    static let notes: [FieldNote] = [
        FieldNote("text", "Plain text.", example: "Why twice?", length: 1...Limits.commentLength),
        FieldNote("node", "The id of the node that it is about; the workflow as a whole where left out.", length: 1...100),
        FieldNote("thread", "The first comment of the thread that it answers.", format: "uuid"),
        FieldNote("mentions", "The members who are told of it.", items: 0...Limits.mentionsPerComment)
    ]
}

struct CommentTextBody: Codable, Sendable, Described {
    var text: String
    static let notes: [FieldNote] = [FieldNote("text", "Plain text.", length: 1...Limits.commentLength)]
}

struct WorkflowCommentRoutes {
    private static let tag = "Comments"
    private static let path = "/v1/workflows/{id}/comments"
    private static let notYours = ErrorDeclaration(.forbidden, "not_yours", "Somebody else wrote it.")

    let comments: WorkflowComments
    let live: LiveEvents
    let names: PageContext.Names

    var endpoints: [Endpoint] { reading + threads }

    private var reading: [Endpoint] {
        [
            Endpoint.list(
                Self.path, access: .tenant(.workflowsRead), summary: "List the comments on a workflow, oldest first", tag: Self.tag,
                of: WorkflowCommentView.self
            ) { call, page in
                let cursor: WorkflowCommentID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await comments.list(
                    on: try call.id("id", noun: "workflow"), after: cursor, limit: page.limit + 1, by: call.principal)
                let names = try await self.names(Set(rows.flatMap { [$0.author, $0.resolvedBy].compactMap { $0 } }), call.tenant)
                return Page(rows.map { WorkflowCommentView($0, names: names, for: call.principal) }, limit: page.limit) {
                    Cursor([.string($0.id.description)])
                }
            },
            Endpoint(
                .post, Self.path, access: .tenant(.commentsWrite), summary: "Comment on a workflow or a node, or answer", tag: Self.tag,
                body: NewCommentBody.self,
                returns: .created(WorkflowCommentView.self, location: { "/v1/workflows/\($0.workflowID)/comments/\($0.id)" }),
                errors: [ErrorDeclaration(.conflict, "too_many_comments", "There are as many as a workflow may have.")]
            ) { call, body in
                let author = call.principal.auditName
                let name = try await names([author], call.tenant)[author] ?? author
                let made = try await comments.add(
                    body.text, to: try call.id("id", noun: "workflow"), node: body.node, thread: body.thread, mentions: body.mentions ?? [],
                    authorName: name, by: call.principal)
                return try await told(made, call)
            }
        ]
    }

    private var threads: [Endpoint] {
        [
            Endpoint(
                .put, "\(Self.path)/{comment}", access: .tenant(.commentsWrite), summary: "Change a comment of one's own", tag: Self.tag,
                body: CommentTextBody.self, returns: .ok(WorkflowCommentView.self), errors: [Self.notYours]
            ) { call, body in
                let (workflow, comment) = try place(call)
                return try await told(try await comments.edit(comment, on: workflow, text: body.text, by: call.principal), call)
            },
            Endpoint(
                .delete, "\(Self.path)/{comment}", access: .tenant(.commentsWrite), summary: "Delete a comment of one's own", tag: Self.tag,
                returns: .noContent, errors: [Self.notYours, ErrorDeclaration(.conflict, "has_answers", "It was answered.")]
            ) { call in
                let (workflow, comment) = try place(call)
                try await comments.delete(comment, on: workflow, by: call.principal)
                tell(workflow, call)
            },
            Endpoint(
                .post, "\(Self.path)/{comment}/resolution", access: .tenant(.commentsWrite), summary: "Resolve a thread", tag: Self.tag,
                returns: .ok(WorkflowCommentView.self), errors: [ErrorDeclaration(.conflict, "not_first", "It is an answer.")]
            ) { call in
                let (workflow, comment) = try place(call)
                return try await told(try await comments.setResolved(true, comment, on: workflow, by: call.principal), call)
            },
            Endpoint(
                .delete, "\(Self.path)/{comment}/resolution", access: .tenant(.commentsWrite), summary: "Open a thread again", tag: Self.tag,
                returns: .ok(WorkflowCommentView.self), errors: [ErrorDeclaration(.conflict, "not_first", "It is an answer.")]
            ) { call in
                let (workflow, comment) = try place(call)
                return try await told(try await comments.setResolved(false, comment, on: workflow, by: call.principal), call)
            }
        ]
    }

    private func place(_ call: EndpointCall) throws -> (WorkflowID, WorkflowCommentID) {
        (try call.id("id", noun: "workflow"), try call.id("comment", noun: "comment"))
    }

    /// The comment as its author sees it; those who watch the draft are told that there is something new.
    private func told(_ comment: WorkflowComment, _ call: EndpointCall) async throws -> WorkflowCommentView {
        tell(comment.workflow, call)
        let names = try await self.names(Set([comment.author, comment.resolvedBy].compactMap { $0 }), call.tenant)
        return WorkflowCommentView(comment, names: names, for: call.principal)
    }

    private func tell(_ workflow: WorkflowID, _ call: EndpointCall) {
        live.publish(call.tenant, EditorRoutes.topic(workflow), ["comments": true])
    }
}
