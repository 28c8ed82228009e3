internal import Kernel
internal import Persistence

/// All SQL of the spans of time in which a workflow has runs.
///
/// They stand for an index of runs by workflow, of which each run costs an entry that lies far from that of the run before, of another tenant's
/// workflow: a page for nearly every run where many tenants are busy. The first run of a workflow in a span writes that there are some, and
/// the key of runs, which goes by time, finds them within it. A span is short, so that few runs of the tenant's other workflows are passed over.
///
/// Runs of PostgreSQL, which writes the entry and not its page, are in an index, and so are those of versions before this one.
struct RunSpanStore {
    let tx: TenantTransaction

    static let table = Table(
        "run_spans", .tenant, primaryKey: ["workflow", "first_run"],
        columns: [Column("workflow", .uuid), Column("first_run", .uuid), Column("next_span", .uuid)],
        checks: [.notAbove(left: "first_run", right: "next_span")])

    /// Of runs: set where it is found by its span.
    static let mark = Column("in_span", .boolean, optional: true)

    /// Runs without a span.
    static let single = Index("runs_of_workflow", on: ["workflow_id", "id"], where: .isNull("in_span"))

    /// Notes that a workflow has a run in its span.
    /// - Returns: nil where it is to be in the index instead.
    func note(_ run: RunID, of workflow: WorkflowID) throws -> Bool? {
        guard tx.session.engine == .sqlite else { return nil }
        let known = tx.session.share?.value(of: tx.tenant.id) { Known() }
        guard known?.begins(run.span, of: workflow) ?? true else { return true }
        try tx.execute(
            """
            INSERT INTO run_spans (tenant_id, workflow, first_run, next_span)
            VALUES (\(tx.tenant), \(workflow), \(run.span.first), \(run.span.next)) ON CONFLICT (tenant_id, workflow, first_run) DO NOTHING
            """)
        return true
    }

    /// After a run was removed: forgets its span where it was the workflow's last one there.
    func leave(_ run: RunID, of workflow: WorkflowID) throws {
        let gone = try tx.execute(
            """
            DELETE FROM run_spans
            WHERE tenant_id = \(tx.tenant) AND workflow = \(workflow) AND first_run = \(run.span.first) AND NOT EXISTS (
                SELECT 1 FROM runs
                WHERE runs.tenant_id = \(tx.tenant) AND runs.id >= \(run.span.first) AND runs.id < \(run.span.next) AND runs.workflow_id = \(workflow)
                    AND runs.in_span IS NOT NULL)
            """)
        guard gone > 0 else { return }
        tx.session.share?.forget(Known.self, of: tx.tenant.id)
        tx.session.memory?.forget(Known.self, of: tx.tenant.id)
    }

    /// The last span of each of a tenant's workflows that is written.
    private final class Known: CommitShared {
        private static let maximum = 1_000
        private var spans: [WorkflowID: RunID.Span] = [:]
        let lasts = true

        /// - Returns: whether the span is not known to be written; from here on it is.
        func begins(_ span: RunID.Span, of workflow: WorkflowID) -> Bool {
            if spans.count >= Self.maximum { spans.removeAll() }
            return spans.updateValue(span, forKey: workflow) != span
        }
    }
}

extension RunID {
    /// 256 milliseconds of the times in ids.
    struct Span: Hashable {
        /// No run of it is below.
        let first: RunID
        /// The first of the span after it.
        var next: RunID { RunID(high: first.high &+ (1 << 24), low: 0) }
    }

    var span: Span { Span(first: RunID(high: (high >> 24) << 24, low: 0)) }
}
