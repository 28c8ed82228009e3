internal import Kernel
internal import Persistence

/// Runs by what they are searched for.
extension RunStore {
    /// - Parameter cursor: the last run that was shown.
    func search(_ wanted: ExecutionSearch, after cursor: RunID?, limit: Int) throws -> [Run] {
        try tx.all(Self.searchStatement(tx.tenant, wanted, after: cursor, limit: limit), RunStore.run)
    }

    /// Bounds by id are bounds by time, in the order of every index that is used: of all runs, of a workflow, of a status, of a value.
    static func searchStatement(_ tenant: TenantMark, _ wanted: ExecutionSearch, after cursor: RunID?, limit: Int) -> SQL {
        var low = wanted.from.map(RunID.first(at:)) ?? RunID(high: 0, low: 0)
        var high = wanted.until.map(RunID.first(at:)) ?? RunID(high: .max, low: .max)
        if let cursor { if wanted.isOldestFirst { low = max(low, cursor.next) } else { high = min(high, cursor) } }
        let workflow: SQL = if let id = wanted.workflow { " AND workflow_id = \(id)" } else { "" }
        let status = wanted.status.map(statusCondition) ?? ""
        guard let mark = wanted.mark else {
            let order: SQL = wanted.isOldestFirst ? "id" : "id DESC"
            return """
                SELECT \(columns: columns) FROM runs
                WHERE tenant_id = \(tenant) AND id >= \(low) AND id < \(high)\(part: workflow)\(part: status) ORDER BY \(part: order) LIMIT \(limit)
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

    /// In the words of the index of runs that did not succeed.
    static func statusCondition(_ status: RunStatus) -> SQL {
        status == .succeeded ? " AND status = \(status)" : " AND status = \(status) AND status <> 'succeeded'"
    }

    /// The steps at which runs failed, as the last of their events tell.
    func failing(of ids: [RunID]) throws -> [RunID: String] {
        try JournalStore(tx: tx).last(of: ids).compactMapValues { $0.kind == .failed ? $0.node : nil }
    }
}
