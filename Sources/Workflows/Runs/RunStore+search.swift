internal import Kernel
internal import Persistence

/// Runs by what they are searched for.
extension RunStore {
    /// - Parameter cursor: the last run that was shown.
    func search(_ wanted: ExecutionSearch, after cursor: RunID?, limit: Int) throws -> [Run] {
        let runs = try tx.all(Self.searchStatement(tx.tenant, wanted, after: cursor, limit: limit), RunStore.run)
        guard let statement = Self.spanStatement(tx.tenant, wanted, after: cursor, limit: limit) else { return runs }
        let others = try tx.all(statement, RunStore.run)
        guard !runs.isEmpty else { return others }
        return Array((runs + others).sorted { wanted.isOldestFirst ? $0.id < $1.id : $0.id > $1.id }.prefix(limit))
    }

    /// Bounds by id are bounds by time, in the order of every index that is used: of all runs, of a workflow, of a status, of a value.
    ///
    /// Of a workflow's runs those without a span, where no status is wanted whose runs are few.
    static func searchStatement(_ tenant: TenantMark, _ wanted: ExecutionSearch, after cursor: RunID?, limit: Int) -> SQL {
        let (low, high) = bounds(wanted, after: cursor)
        let workflow: SQL = if let id = wanted.workflow { " AND workflow_id = \(id)" } else { "" }
        let kind: SQL = isBySpan(wanted) ? " AND in_span IS NULL" : ""
        let status = wanted.status.map(statusCondition) ?? ""
        guard let mark = wanted.mark else {
            let order: SQL = wanted.isOldestFirst ? "id" : "id DESC"
            return """
                SELECT \(columns: columns) FROM runs
                WHERE tenant_id = \(tenant) AND id >= \(low) AND id < \(high)\(part: workflow)\(part: kind)\(part: status)
                ORDER BY \(part: order) LIMIT \(limit)
                """
        }
        let order: SQL = wanted.isOldestFirst ? "run_id" : "run_id DESC"
        // The values come first: a value is rarer than a run.
        return """
            SELECT \(columns: columns) FROM run_values CROSS JOIN runs
            WHERE run_values.tenant_id = \(tenant) AND run_values.name = \(mark.name) AND run_values.value = \(mark.value)
                AND run_values.run_id >= \(low) AND run_values.run_id < \(high)
                AND runs.tenant_id = \(tenant) AND runs.id = run_values.run_id\(part: workflow)\(part: status)
            ORDER BY run_values.\(part: order) LIMIT \(limit)
            """
    }

    /// The workflow's other runs, span by span; nil where all are found by `searchStatement`.
    static func spanStatement(_ tenant: TenantMark, _ wanted: ExecutionSearch, after cursor: RunID?, limit: Int) -> SQL? {
        guard isBySpan(wanted), let workflow = wanted.workflow else { return nil }
        let (low, high) = bounds(wanted, after: cursor)
        let status = wanted.status.map(statusCondition) ?? ""
        let order: SQL = wanted.isOldestFirst ? "run_spans.first_run, runs.id" : "run_spans.first_run DESC, runs.id DESC"
        return """
            SELECT \(columns: columns) FROM run_spans CROSS JOIN runs
            WHERE run_spans.tenant_id = \(tenant) AND run_spans.workflow = \(workflow)
                AND run_spans.first_run >= \(low.span.first) AND run_spans.first_run < \(high)
                AND runs.tenant_id = \(tenant) AND runs.workflow_id = \(workflow) AND runs.in_span IS NOT NULL
                AND runs.id >= CASE WHEN run_spans.first_run < \(low) THEN \(low) ELSE run_spans.first_run END
                AND runs.id < CASE WHEN run_spans.next_span > \(high) THEN \(high) ELSE run_spans.next_span END\(part: status)
            ORDER BY \(part: order) LIMIT \(limit)
            """
    }

    /// Runs that did not succeed are found by their status, and those of a value by it.
    private static func isBySpan(_ wanted: ExecutionSearch) -> Bool {
        wanted.workflow != nil && wanted.mark == nil && (wanted.status == nil || wanted.status == .succeeded)
    }

    private static func bounds(_ wanted: ExecutionSearch, after cursor: RunID?) -> (low: RunID, high: RunID) {
        var low = wanted.from.map(RunID.first(at:)) ?? RunID(high: 0, low: 0)
        var high = wanted.until.map(RunID.first(at:)) ?? RunID(high: .max, low: .max)
        if let cursor { if wanted.isOldestFirst { low = max(low, cursor.next) } else { high = min(high, cursor) } }
        return (low, high)
    }

    /// In the words of the index of runs that did not succeed.
    static func statusCondition(_ status: RunStatus) -> SQL {
        status == .succeeded ? " AND status = \(status)" : " AND status = \(status) AND status <> 'succeeded'"
    }

    /// The steps at which runs failed, as the last of their events tell.
    func failing(of ids: [RunID]) throws -> [RunID: String] {
        try JournalStore(tx: tx).last(of: ids).compactMapValues { $0.kind == .failed ? $0.node : nil }
    }
}
