internal import Kernel
internal import Persistence

/// Runs that are over, by how they are found.
///
/// One that ended at once, in the commit that began it, has its journal in its row and ended within `slack` of the time in its id: the primary key
/// finds it by time. An index of ends holds the others alone. With many busy tenants an index by tenant costs a page a run, since the next
/// run of the same tenant comes long after (measured with 100 tenants: 4 KB of 20 written for a run).
enum EndedRuns: CaseIterable {
    case atOnce, later

    /// What takes longer from its id to its end keeps its journal in rows, as a run of several commits does.
    static let slack: Duration = .seconds(5)

    static func isAtOnce(_ run: RunID, endedAt time: Timestamp) -> Bool { time >= run.moment - slack && time <= run.moment + slack }

    /// Those that ended from one time to before another.
    /// - Parameter cursor: of those that ended at once, the last one that was seen.
    func condition(from start: Timestamp, until end: Timestamp, after cursor: RunID? = nil) -> SQL {
        switch self {
        case .later: return "journal IS NULL AND finished_at >= \(start) AND finished_at < \(end)"
        case .atOnce:
            let low = max(RunID.first(at: start - Self.slack), cursor?.next ?? RunID(high: 0, low: 0))
            let high = RunID.first(at: end + Self.slack + .milliseconds(1))
            return "journal IS NOT NULL AND id >= \(low) AND id < \(high) AND finished_at >= \(start) AND finished_at < \(end)"
        }
    }

    /// The order of what finds them.
    var order: SQL { self == .atOnce ? "id" : "finished_at" }
}

extension RunStore {
    /// Runs that succeeded, or those that did not, which ended from one time to before another, in the order of `runs`. One that was called
    /// stays as long as the one that called it is under way.
    func outdated(
        _ runs: EndedRuns, succeeded: Bool, from start: Timestamp, before end: Timestamp, after cursor: RunID?, limit count: Int
    ) throws -> [(id: RunID, finishedAt: Timestamp)] {
        try tx.all(
            """
            SELECT id, finished_at FROM runs
            WHERE tenant_id = \(tx.tenant) AND \(part: runs.condition(from: start, until: end, after: cursor))
                AND (status = \(RunStatus.succeeded)) = \(succeeded) AND NOT EXISTS (
                SELECT 1 FROM runs AS callers
                WHERE callers.tenant_id = \(tx.tenant) AND callers.id = runs.parent_run AND callers.finished_at IS NULL)
            ORDER BY \(part: runs.order) LIMIT \(count)
            """
        ) { (try $0.column(0), try $0.column(1)) }
    }
}
