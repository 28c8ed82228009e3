internal import Kernel
package import Persistence

extension Workflow.Status: SQLBindable, SQLReadable {}

/// Workflows with their drafts, and their published versions. Documents are JSON bytes of schema 1.
package struct WorkflowStore {
    let tx: TenantTransaction

    package init(tx: TenantTransaction) { self.tx = tx }

    static let workflows = Table(
        "workflows", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("name", .text), Column("status", .text), Column("draft_revision", .integer),
            Column("published_version", .integer, optional: true), Column("last_version", .integer), Column("created_at", .timestamp),
            Column("updated_at", .timestamp), Column("draft", .blob)
        ],
        checks: [
            .oneOf(column: "status", values: Workflow.Status.allCases.map(\.rawValue)), .atLeast(column: "draft_revision", 1),
            .notAbove(left: "published_version", right: "last_version")
        ])

    static let versions = Table(
        "workflow_versions", .tenant, primaryKey: ["workflow_id", "number"],
        columns: [
            Column("workflow_id", .uuid), Column("number", .integer), Column("published_at", .timestamp), Column("published_by", .text),
            Column("note", .text, optional: true), Column("document", .blob)
        ],
        foreignKeys: [
            ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade)
        ],
        checks: [.atLeast(column: "number", 1)])

    func insert(_ workflow: Workflow, draft: [UInt8]) throws {
        try RunFileStore(tx: tx).keep(namedIn: draft, by: Self.drafts(of: workflow.id))
        try tx.execute(
            """
            INSERT INTO workflows (tenant_id, id, name, status, draft_revision, published_version, last_version, created_at, updated_at, draft)
            VALUES (\(tx.tenant), \(workflow.id), \(workflow.name), \(workflow.status), \(workflow.draftRevision),
                \(workflow.publishedVersion), \(workflow.lastVersion), \(workflow.createdAt), \(workflow.updatedAt), \(draft))
            """)
    }

    package func workflow(_ id: WorkflowID) throws -> Workflow? {
        try tx.first(
            """
            SELECT id, name, status, draft_revision, published_version, last_version, created_at, updated_at
            FROM workflows WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    func draft(of id: WorkflowID) throws -> [UInt8]? {
        try tx.first("SELECT draft FROM workflows WHERE tenant_id = \(tx.tenant) AND id = \(id)") { try $0.column(0) }
    }

    func names(of ids: Set<WorkflowID>) throws -> [WorkflowID: String] {
        let rows = try tx.all("SELECT id, name FROM workflows WHERE tenant_id = \(tx.tenant) AND id IN \(list: Array(ids))") {
            (try $0.column(0, as: WorkflowID.self), try $0.column(1, as: String.self))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    func titles(limit: Int) throws -> [(id: WorkflowID, name: String)] {
        try tx.all(
            "SELECT id, name FROM workflows WHERE tenant_id = \(tx.tenant) AND status = \(Workflow.Status.active) ORDER BY id DESC LIMIT \(limit)"
        ) { (try $0.column(0), try $0.column(1)) }
    }

    /// Newest first, those before `cursor`.
    func page(_ status: Workflow.Status, before cursor: WorkflowID?, limit: Int) throws -> [Workflow] {
        let last = cursor ?? WorkflowID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, name, status, draft_revision, published_version, last_version, created_at, updated_at
            FROM workflows WHERE tenant_id = \(tx.tenant) AND status = \(status) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Saves the draft where its revision is still the expected one.
    /// - Returns: false where someone else saved in between.
    func update(_ workflow: Workflow, draft: [UInt8], expecting revision: Int) throws -> Bool {
        let former = try self.draft(of: workflow.id) ?? []
        let isSaved =
            try tx.execute(
                """
                UPDATE workflows SET name = \(workflow.name), draft_revision = \(workflow.draftRevision), updated_at = \(workflow.updatedAt),
                    draft = \(draft)
                WHERE tenant_id = \(tx.tenant) AND id = \(workflow.id) AND draft_revision = \(revision)
                """) == 1
        if isSaved { try RunFileStore(tx: tx).keep(namedIn: draft, insteadOf: former, by: Self.drafts(of: workflow.id)) }
        return isSaved
    }

    func update(_ workflow: Workflow) throws {
        try tx.execute(
            """
            UPDATE workflows SET status = \(workflow.status), published_version = \(workflow.publishedVersion),
                last_version = \(workflow.lastVersion), updated_at = \(workflow.updatedAt)
            WHERE tenant_id = \(tx.tenant) AND id = \(workflow.id)
            """)
    }

    /// With all that it kept, but for the files that its versions name.
    func delete(_ id: WorkflowID) throws {
        if let draft = try draft(of: id) { try RunFileStore(tx: tx).release(namedIn: draft, by: Self.drafts(of: id)) }
        try TrialStore(tx: tx).removeAll(of: id)
        try JournalStore(tx: tx).forget(id)
        try tx.execute("DELETE FROM workflows WHERE tenant_id = \(tx.tenant) AND id = \(id)")
    }

    private static func drafts(of id: WorkflowID) -> PayloadUser { PayloadUser("draft", of: id) }

    private static func read(_ row: Row) throws -> Workflow {
        Workflow(
            id: try row.column(0), name: try row.column(1), status: try row.column(2), draftRevision: try row.column(3),
            publishedVersion: try row.column(4), lastVersion: try row.column(5), createdAt: try row.column(6), updatedAt: try row.column(7))
    }
}

extension WorkflowStore {
    func insert(_ version: WorkflowVersion, document: [UInt8]) throws {
        try RunFileStore(tx: tx).keep(namedIn: document, by: PayloadUser(version.workflow))
        try tx.execute(
            """
            INSERT INTO workflow_versions (tenant_id, workflow_id, number, published_at, published_by, note, document)
            VALUES (\(tx.tenant), \(version.workflow), \(version.number), \(version.publishedAt), \(version.publishedBy), \(version.note),
                \(document))
            """)
    }

    /// The published version and the bytes of its document; nil where none is published.
    package func published(_ workflow: WorkflowID) throws -> (version: Int, document: [UInt8])? {
        guard let version = try self.workflow(workflow)?.publishedVersion, let bytes = try document(of: workflow, version: version) else {
            return nil
        }
        return (version, bytes)
    }

    /// The bytes of a version's document, for a run that is pinned to it; below 0 those of a draft that was tried out.
    package func document(of workflow: WorkflowID, version number: Int) throws -> [UInt8]? {
        if number < 0 { return try TrialStore(tx: tx).document(of: workflow, number: -number) }
        return try tx.first(
            """
            SELECT document FROM workflow_versions
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number = \(number)
            """
        ) { try $0.column(0) }
    }

    /// Newest first, those below `number`.
    func versions(of workflow: WorkflowID, below number: Int?, limit: Int) throws -> [WorkflowVersion] {
        let rows = try tx.all(
            """
            SELECT workflow_id, number, published_at, published_by, note FROM workflow_versions
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number < \(number ?? .max) ORDER BY number DESC LIMIT \(limit)
            """
        ) {
            WorkflowVersion(
                workflow: try $0.column(0), number: try $0.column(1), publishedAt: try $0.column(2), publishedBy: try $0.column(3),
                note: try $0.column(4))
        }
        return try VersionLabelStore(tx: tx).labelled(rows, of: workflow)
    }
}
