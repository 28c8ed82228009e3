/// The closed list of what the process counts. A new series is a new case here; labels take their values from closed lists too (routes, kinds of
/// nodes, statuses) and never from tenants or data, so that nothing here can grow without bound.
package enum Metric {
    package enum Counter: Int, Sendable, CaseIterable {
        case databaseCommits, databaseTransactions, databaseReplays
        case timersFired, timersFailed
        case deliveriesDone, deliveriesRetried, deliveriesDead
        case outboundRequestsOK, outboundRequestsFailed, outboundForbidden
        case sandboxStarts, sandboxKills
        case mailsSent, mailsFailed
        case webhooksDelivered, webhooksFailed
        case spansExported, spansDropped
    }

    /// Set when somebody looks, or kept up to date by what they count.
    package enum Gauge: Int, Sendable, CaseIterable {
        case runsLive, httpConnections, eventStreams, sandboxWorkers
        case timersDue, timersLag, outboxPending, outboxLag, outboxDead, webhooksPending, webhooksLag
        case memoryResident, startTime, backupTime
    }

    package enum Histogram: Int, Sendable, CaseIterable {
        case databaseCommit, databaseGroup, outbound
    }

    /// Counters with labels.
    package enum LabelledCounter: Int, Sendable, CaseIterable {
        case runsStarted, runsFinished
    }

    /// Times with labels.
    package enum LabelledHistogram: Int, Sendable, CaseIterable {
        case httpRequest, run, step
    }
}

/// How a family is shown: its name, its help line, the fixed labels of this series, and the names of labels given when counting.
struct MetricName: Sendable {
    var family: String
    var labels: [(name: String, value: String)]
    var help: String
    var labelNames: [String] = []

    init(_ family: String, _ labels: [(name: String, value: String)] = [], help: String) {
        self.family = "aias_" + family
        self.labels = labels
        self.help = help
    }

    init(_ family: String, outcome: String, help: String) { self.init(family, [("outcome", outcome)], help: help) }

    init(_ family: String, by labelNames: [String], help: String) {
        self.init(family, help: help)
        self.labelNames = labelNames
    }
}

extension Metric.Counter {
    var name: MetricName {
        switch self {
        case .databaseCommits: MetricName("database_commits_total", help: "Durable commits.")
        case .databaseTransactions: MetricName("database_transactions_total", help: "Write transactions in those commits.")
        case .databaseReplays: MetricName("database_replays_total", help: "Groups of transactions that were lost and run again.")
        case .timersFired: MetricName("timers_total", outcome: "fired", help: "Timers due.")
        case .timersFailed: MetricName("timers_total", outcome: "failed", help: "Timers due.")
        case .deliveriesDone: MetricName("outbox_deliveries_total", outcome: "done", help: "Deliveries of events to subscribers inside.")
        case .deliveriesRetried: MetricName("outbox_deliveries_total", outcome: "retried", help: "Deliveries of events to subscribers inside.")
        case .deliveriesDead: MetricName("outbox_deliveries_total", outcome: "dead", help: "Deliveries of events to subscribers inside.")
        case .outboundRequestsOK: MetricName("outbound_requests_total", outcome: "ok", help: "Requests to the outside.")
        case .outboundRequestsFailed: MetricName("outbound_requests_total", outcome: "failed", help: "Requests to the outside.")
        case .outboundForbidden: MetricName("outbound_requests_total", outcome: "forbidden", help: "Requests to the outside.")
        case .sandboxStarts: MetricName("sandbox_starts_total", help: "Sandbox workers started.")
        case .sandboxKills: MetricName("sandbox_kills_total", help: "Sandbox workers stopped by a limit or a cancellation.")
        case .mailsSent: MetricName("mails_total", outcome: "sent", help: "Mails handed to the relay.")
        case .mailsFailed: MetricName("mails_total", outcome: "failed", help: "Mails handed to the relay.")
        case .webhooksDelivered:
            MetricName("webhook_attempts_total", outcome: "delivered", help: "Attempts to deliver webhooks to tenants' endpoints.")
        case .webhooksFailed: MetricName("webhook_attempts_total", outcome: "failed", help: "Attempts to deliver webhooks to tenants' endpoints.")
        case .spansExported: MetricName("spans_total", outcome: "exported", help: "Spans of traces.")
        case .spansDropped: MetricName("spans_total", outcome: "dropped", help: "Spans of traces.")
        }
    }
}

extension Metric.Gauge {
    var name: MetricName {
        switch self {
        case .runsLive: MetricName("runs_live", help: "Workflow runs in the hands of this process.")
        case .httpConnections: MetricName("http_connections", help: "Open connections of clients.")
        case .eventStreams: MetricName("event_streams", help: "Open streams of events.")
        case .sandboxWorkers: MetricName("sandbox_workers", help: "Sandbox workers alive.")
        case .timersDue: MetricName("timers_due", help: "Timers that are due and not yet handled.")
        case .timersLag: MetricName("timers_lag_seconds", help: "Age of the oldest timer that is due.")
        case .outboxPending: MetricName("outbox_pending", help: "Events and deliveries that wait.")
        case .outboxLag: MetricName("outbox_lag_seconds", help: "Age of the oldest delivery that is due.")
        case .outboxDead: MetricName("outbox_dead", help: "Deliveries that were given up.")
        case .webhooksPending: MetricName("webhook_deliveries_pending", help: "Webhook deliveries that wait for an attempt.")
        case .webhooksLag: MetricName("webhook_deliveries_lag_seconds", help: "Age of the oldest webhook attempt that is due.")
        case .memoryResident: MetricName("memory_resident_bytes", help: "Resident memory of the process.")
        case .startTime: MetricName("start_time_seconds", help: "When the process began, since the epoch.")
        case .backupTime: MetricName("last_backup_time_seconds", help: "When the last backup was made, since the epoch; 0 where there is none.")
        }
    }

    /// What a stored integer is divided by: lags are kept in microseconds.
    var divisor: Double {
        switch self {
        case .timersLag, .outboxLag, .webhooksLag, .startTime, .backupTime: 1_000_000
        default: 1
        }
    }
}

extension Metric.Histogram {
    var name: MetricName {
        switch self {
        case .databaseCommit: MetricName("database_commit_duration_seconds", help: "Time of a commit of a group of transactions.")
        case .databaseGroup: MetricName("database_group_transactions", help: "Transactions that shared a commit.")
        case .outbound: MetricName("outbound_request_duration_seconds", help: "Time of a request to the outside.")
        }
    }

    var scale: MetricScale { self == .databaseGroup ? .counts : .seconds }
}

extension Metric.LabelledCounter {
    var name: MetricName {
        switch self {
        case .runsStarted: MetricName("runs_started_total", by: ["mode"], help: "Workflow runs started.")
        case .runsFinished: MetricName("runs_finished_total", by: ["status"], help: "Workflow runs ended.")
        }
    }
}

extension Metric.LabelledHistogram {
    var name: MetricName {
        switch self {
        case .httpRequest:
            MetricName("http_request_duration_seconds", by: ["method", "route", "status"], help: "Time to answer an HTTP request.")
        case .run: MetricName("run_duration_seconds", by: ["status"], help: "Time from a run's start to its end, with its waits.")
        case .step: MetricName("step_duration_seconds", by: ["kind", "outcome"], help: "Time of one attempt of a step.")
        }
    }
}

/// The bounds of a histogram's buckets, and what a stored integer is divided by.
enum MetricScale: Sendable {
    case seconds, counts

    /// Upper bounds: 0.5 ms to 60 s in microseconds, or 1 to 512.
    var bounds: [Int64] {
        switch self {
        case .seconds: Self.microseconds
        case .counts: Self.powers
        }
    }
    var divisor: Double { self == .seconds ? 1_000_000 : 1 }

    private static let microseconds: [Int64] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 60_000_000
    ]
    private static let powers: [Int64] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
}
