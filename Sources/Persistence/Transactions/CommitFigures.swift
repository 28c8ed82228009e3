internal import Telemetry

/// What both drivers count of a commit: how long it took and how many transactions shared it.
enum CommitFigures {
    static func note(group: Int, since started: ContinuousClock.Instant) {
        let metrics = Metrics.shared
        metrics.count(.databaseCommits)
        metrics.count(.databaseTransactions, Int64(group))
        metrics.observe(.databaseCommit, ContinuousClock.now - started)
        metrics.observe(.databaseGroup, count: group)
    }
}
