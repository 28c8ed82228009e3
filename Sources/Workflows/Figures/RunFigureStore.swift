internal import Kernel
internal import Persistence

/// All SQL of the figures of runs: a count of ended runs by hour, workflow, status and latency, and how far it goes.
///
/// The counts are folded from the runs by a duty and not by the transaction that ends a run: a counter of the hour would be one row that
/// every ending run of a workflow writes, which on PostgreSQL makes concurrent commits of several processes conflict. A run costs one
/// index entry instead, and is read once more when its hour is counted. What ended since the last fold is counted when it is asked for.
struct RunFigureStore {
    let tx: TenantTransaction

    static let hours = Table(
        "run_hours", .tenant, primaryKey: ["hour", "workflow_id", "status", "latency_step"],
        columns: [
            // Hours since 1970-01-01 UTC in which the runs ended.
            Column("hour", .integer), Column("workflow_id", .uuid), Column("status", .text), Column("latency_step", .integer),
            Column("runs", .integer)
        ], checks: [.atLeast(column: "runs", 1)])

    /// Runs that ended before this time are counted.
    static let folds = Table("run_folds", .tenant, primaryKey: [], columns: [Column("folded_until", .timestamp)])

    struct EndedRun: Sendable {
        var id: RunID
        var workflow: WorkflowID
        var status: RunStatus
        var took: Duration
        var finishedAt: Timestamp
        var storedBytes: Int
    }

    /// What a count is of.
    struct Key: Sendable, Hashable {
        var hour: Int
        var workflow: WorkflowID
        var status: RunStatus
        var step: Int

        init(hour: Int, workflow: WorkflowID, status: RunStatus, step: Int) {
            self.hour = hour
            self.workflow = workflow
            self.status = status
            self.step = step
        }

        init(_ run: EndedRun) {
            self.init(
                hour: RunFigureStore.hour(of: run.finishedAt), workflow: run.workflow, status: run.status, step: LatencyCounts.step(of: run.took))
        }
    }

    static func hour(of time: Timestamp) -> Int { Int(time.seconds.flooringDivision(3_600)) }

    func foldedUntil() throws -> Timestamp {
        try tx.first("SELECT folded_until FROM run_folds WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? Timestamp(microseconds: 0)
    }

    /// Moves the mark.
    /// - Returns: false where another has moved it since it was read.
    func advance(from: Timestamp, to: Timestamp) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO run_folds (tenant_id, folded_until) VALUES (\(tx.tenant), \(Timestamp(microseconds: 0))) ON CONFLICT (tenant_id) DO NOTHING
            """)
        return try tx.execute(
            "UPDATE run_folds SET folded_until = \(to) WHERE tenant_id = \(tx.tenant) AND folded_until = \(from)") == 1
    }

    /// Runs of published versions that ended from one time to before another, as far as `limit` goes.
    /// - Parameter limit: of those that ended at once, and again of the others; somewhat more are read where many end in a second.
    /// - Returns: those that ended before `until`, and all of those.
    func ended(from start: Timestamp, until end: Timestamp, limit: Int) throws -> (runs: [EndedRun], until: Timestamp) {
        var runs = try read(.later, from: start, until: end, limit: limit)
        var until = end
        // Those that end at the same microsecond are counted together.
        if runs.count == limit, let last = runs.last { until = last.finishedAt }
        precondition(runs.isEmpty || until > runs[0].finishedAt || until == end, "more runs ended in a microsecond than are counted at once")
        var cursor: RunID?
        while true {
            let part = try read(.atOnce, from: start, until: until, after: cursor, limit: limit)
            runs += part
            guard part.count == limit, let last = part.last else { break }
            cursor = last.id
            // All that ended before this have ids up to the last one.
            let seen = last.id.moment - EndedRuns.slack
            if seen > start {
                until = min(until, seen)
                break
            }
        }
        return (runs.filter { $0.finishedAt < until }, until)
    }

    private func read(
        _ runs: EndedRuns, from start: Timestamp, until end: Timestamp, after cursor: RunID? = nil, limit: Int
    ) throws -> [EndedRun] {
        try tx.all(Self.endedStatement(runs, tx.tenant, from: start, until: end, after: cursor, limit: limit)) { row in
            let finishedAt: Timestamp = try row.column(4)
            return EndedRun(
                id: try row.column(0), workflow: try row.column(1), status: try row.column(2),
                took: finishedAt - (try row.column(3, as: Timestamp.self)), finishedAt: finishedAt, storedBytes: try row.column(5))
        }
    }

    static func endedStatement(
        _ runs: EndedRuns, _ tenant: TenantMark, from start: Timestamp, until end: Timestamp, after cursor: RunID? = nil, limit: Int
    ) -> SQL {
        """
        SELECT id, workflow_id, status, created_at, finished_at, stored_bytes FROM runs
        WHERE tenant_id = \(tenant) AND \(part: runs.condition(from: start, until: end, after: cursor)) AND version > 0
        ORDER BY \(part: runs.order) LIMIT \(limit)
        """
    }

    func add(_ counts: [Key: Int]) throws {
        let sorted = counts.sorted {
            ($0.key.hour, $0.key.workflow, $0.key.status.rawValue, $0.key.step) < ($1.key.hour, $1.key.workflow, $1.key.status.rawValue, $1.key.step)
        }
        var rest = sorted[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(Self.rowsPerStatement)
            rest = rest.dropFirst(chunk.count)
            let rows: [[SQLValue]] = chunk.map { key, count in
                [key.hour.sqlValue, key.workflow.sqlValue, key.status.rawValue.sqlValue, key.step.sqlValue, count.sqlValue]
            }
            try tx.execute(
                """
                INSERT INTO run_hours (tenant_id, hour, workflow_id, status, latency_step, runs)
                SELECT \(tx.tenant), column1, column2, column3, column4, column5 FROM (VALUES \(rows: rows)) AS counted WHERE true
                ON CONFLICT (tenant_id, hour, workflow_id, status, latency_step) DO UPDATE SET runs = run_hours.runs + excluded.runs
                """)
        }
    }

    private static let rowsPerStatement = 100

    /// The counts from an hour on, of all workflows together and of each.
    func counts(from hour: Int) throws -> [(key: Key, runs: Int)] {
        try tx.all(Self.countsStatement(tx.tenant, from: hour)) { row in
            (
                Key(hour: try row.column(0), workflow: try row.column(1), status: try row.column(2), step: try row.column(3)),
                try row.column(4, as: Int.self)
            )
        }
    }

    static func countsStatement(_ tenant: TenantMark, from hour: Int) -> SQL {
        "SELECT hour, workflow_id, status, latency_step, runs FROM run_hours WHERE tenant_id = \(tenant) AND hour >= \(hour)"
    }

    func removeCounts(before hour: Int) throws {
        try tx.execute("DELETE FROM run_hours WHERE tenant_id = \(tx.tenant) AND hour < \(hour)")
    }

    /// How many runs have a status; it stops counting at `limit`.
    func count(_ status: RunStatus, limit: Int) throws -> Int {
        try tx.first(Self.countStatement(tx.tenant, status, limit: limit)) { try $0.column(0) } ?? 0
    }

    static func countStatement(_ tenant: TenantMark, _ status: RunStatus, limit: Int) -> SQL {
        "SELECT count(*) FROM (SELECT 1 FROM runs WHERE tenant_id = \(tenant)\(part: RunStore.statusCondition(status)) LIMIT \(limit)) AS counted"
    }
}
