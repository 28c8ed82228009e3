internal import Kernel
internal import Persistence

/// The drafts that were tried out, as they were then: a run of one has its number, negated, as its version.
struct TrialStore {
    let tx: TenantTransaction

    static let table = Table(
        "workflow_trials", .tenant, primaryKey: ["workflow_id", "number"],
        columns: [Column("workflow_id", .uuid), Column("number", .integer), Column("created_at", .timestamp), Column("document", .blob)],
        foreignKeys: [ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade)],
        checks: [.atLeast(column: "number", 1)])

    func document(of workflow: WorkflowID, number: Int) throws -> [UInt8]? {
        try tx.first(
            """
            SELECT document FROM workflow_trials
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number = \(number)
            """
        ) { try $0.column(0) }
    }

    /// Keeps a draft for its runs, once where it is the one that was tried last, and lets go of old ones that no run needs.
    /// - Returns: its number.
    func keep(_ document: [UInt8], of workflow: WorkflowID) throws -> Int {
        let last = try tx.first(
            """
            SELECT number, document FROM workflow_trials
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) ORDER BY number DESC LIMIT 1
            """
        ) { (try $0.column(0, as: Int.self), try $0.column(1, as: [UInt8].self)) }
        if let last, last.1 == document { return last.0 }
        let number = (last?.0 ?? 0) + 1
        let files = RunFileStore(tx: tx)
        try files.keep(namedIn: document, by: Self.user(number, of: workflow))
        try tx.execute(
            """
            INSERT INTO workflow_trials (tenant_id, workflow_id, number, created_at, document)
            VALUES (\(tx.tenant), \(workflow), \(number), \(tx.clock.now()), \(document))
            """)
        let old = try tx.all(
            """
            DELETE FROM workflow_trials
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number <= \(number - Limits.trialsKept) AND NOT EXISTS (
                SELECT 1 FROM runs WHERE runs.tenant_id = \(tx.tenant) AND runs.workflow_id = \(workflow) AND runs.version = 0 - workflow_trials.number)
            RETURNING number, document
            """
        ) { (try $0.column(0, as: Int.self), try $0.column(1, as: [UInt8].self)) }
        for (number, document) in old { try files.letGo(namedIn: document, by: Self.user(number, of: workflow)) }
        return number
    }

    /// One after the other, since each may be as large as a document.
    func removeAll(of workflow: WorkflowID) throws {
        let numbers = try tx.all("SELECT number FROM workflow_trials WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) ORDER BY number") {
            try $0.column(0, as: Int.self)
        }
        for number in numbers {
            let document = try tx.first(
                """
                DELETE FROM workflow_trials WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number = \(number) RETURNING document
                """
            ) { try $0.column(0, as: [UInt8].self) }
            if let document { try RunFileStore(tx: tx).release(namedIn: document, by: Self.user(number, of: workflow)) }
        }
    }

    private static func user(_ number: Int, of workflow: WorkflowID) -> PayloadUser { PayloadUser("trial.\(number)", of: workflow) }
}

extension Limits {
    /// Tried drafts of a workflow that stay although no run of theirs does.
    static let trialsKept = 20
}
