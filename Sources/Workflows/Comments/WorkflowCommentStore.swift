internal import Kernel
internal import Persistence

/// All SQL of comments on workflows; they go with their workflow.
struct WorkflowCommentStore {
    let tx: TenantTransaction

    static let table = Table(
        "workflow_comments", .tenant, primaryKey: ["workflow_id", "id"],
        columns: [
            Column("workflow_id", .uuid), Column("id", .uuid), Column("node", .text, optional: true), Column("thread", .uuid),
            Column("author", .text), Column("text", .text), Column("created_at", .timestamp), Column("edited_at", .timestamp, optional: true),
            Column("resolved_at", .timestamp, optional: true), Column("resolved_by", .text, optional: true)
        ],
        foreignKeys: [ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade)])

    func insert(_ comment: WorkflowComment) throws {
        try tx.execute(
            """
            INSERT INTO workflow_comments (tenant_id, workflow_id, id, node, thread, author, text, created_at, edited_at, resolved_at, resolved_by)
            VALUES (\(tx.tenant), \(comment.workflow), \(comment.id), \(comment.node), \(comment.thread), \(comment.author), \(comment.text),
                \(comment.createdAt), \(comment.editedAt), \(comment.resolvedAt), \(comment.resolvedBy))
            """)
    }

    func comment(_ id: WorkflowCommentID, on workflow: WorkflowID) throws -> WorkflowComment? {
        try tx.first(
            """
            SELECT id, workflow_id, node, thread, author, text, created_at, edited_at, resolved_at, resolved_by FROM workflow_comments
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND id = \(id)
            """, Self.read)
    }

    /// Oldest first, those after `cursor`.
    func page(on workflow: WorkflowID, after cursor: WorkflowCommentID?, limit: Int) throws -> [WorkflowComment] {
        let last = cursor ?? WorkflowCommentID(high: 0, low: 0)
        return try tx.all(
            """
            SELECT id, workflow_id, node, thread, author, text, created_at, edited_at, resolved_at, resolved_by FROM workflow_comments
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND id > \(last) ORDER BY id LIMIT \(limit)
            """, Self.read)
    }

    func count(on workflow: WorkflowID) throws -> Int {
        try tx.first("SELECT count(*) FROM workflow_comments WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)") {
            try $0.column(0)
        } ?? 0
    }

    func hasAnswers(_ comment: WorkflowComment) throws -> Bool {
        try tx.first(
            """
            SELECT id FROM workflow_comments
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(comment.workflow) AND thread = \(comment.id) AND id <> \(comment.id) LIMIT 1
            """) != nil
    }

    func update(_ comment: WorkflowComment) throws {
        try tx.execute(
            """
            UPDATE workflow_comments SET text = \(comment.text), edited_at = \(comment.editedAt), resolved_at = \(comment.resolvedAt),
                resolved_by = \(comment.resolvedBy)
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(comment.workflow) AND id = \(comment.id)
            """)
    }

    func delete(_ comment: WorkflowComment) throws {
        try tx.execute(
            "DELETE FROM workflow_comments WHERE tenant_id = \(tx.tenant) AND workflow_id = \(comment.workflow) AND id = \(comment.id)")
    }

    private static func read(_ row: Row) throws -> WorkflowComment {
        WorkflowComment(
            id: try row.column(0), workflow: try row.column(1), node: try row.column(2), thread: try row.column(3), author: try row.column(4),
            text: try row.column(5), createdAt: try row.column(6), editedAt: try row.column(7), resolvedAt: try row.column(8),
            resolvedBy: try row.column(9))
    }
}
