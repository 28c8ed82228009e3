/// The closed list of what the process counts. A new series is a new case here, so that no label can grow without bound.
package enum Metric {
    package enum Counter: Int, Sendable, CaseIterable {
        case httpRequestsOK, httpRequestsRefused, httpRequestsFailed
        case webhooksReceived
        case runsStarted, runsSucceeded, runsFailed
        case stepsFinished, stepsFailed
        case databaseCommits, databaseRetries
        case timersFired, timersFailed
        case deliveriesDone, deliveriesRetried, deliveriesDead
        case outboundRequestsOK, outboundRequestsFailed, outboundForbidden
        case sandboxStarts, sandboxKills
        case mailsSent, mailsFailed
    }

    package enum Gauge: Int, Sendable, CaseIterable {
        case runsActive, liveConnections, sandboxWorkers
    }

    package enum Histogram: Int, Sendable, CaseIterable {
        case httpSeconds, stepSeconds, databaseWriteSeconds, outboundSeconds, runSeconds
    }
}

/// How a series is shown: family name, labels inside the braces, and the family's help line.
struct MetricName: Sendable {
    var family: String
    var labels: String
    var help: String

    init(_ family: String, _ labels: String = "", help: String) {
        self.family = "aias_" + family
        self.labels = labels
        self.help = help
    }
}

extension Metric.Counter {
    var name: MetricName {
        switch self {
        case .httpRequestsOK: MetricName("http_requests_total", #"outcome="ok""#, help: "HTTP requests answered.")
        case .httpRequestsRefused: MetricName("http_requests_total", #"outcome="refused""#, help: "HTTP requests answered.")
        case .httpRequestsFailed: MetricName("http_requests_total", #"outcome="failed""#, help: "HTTP requests answered.")
        case .webhooksReceived: MetricName("webhooks_total", help: "Webhook calls received.")
        case .runsStarted: MetricName("runs_started_total", help: "Workflow runs started.")
        case .runsSucceeded: MetricName("runs_ended_total", #"outcome="succeeded""#, help: "Workflow runs ended.")
        case .runsFailed: MetricName("runs_ended_total", #"outcome="failed""#, help: "Workflow runs ended.")
        case .stepsFinished: MetricName("steps_total", #"outcome="finished""#, help: "Workflow steps ended.")
        case .stepsFailed: MetricName("steps_total", #"outcome="failed""#, help: "Workflow steps ended.")
        case .databaseCommits: MetricName("database_commits_total", help: "Durable commits.")
        case .databaseRetries: MetricName("database_retries_total", help: "Transactions run again.")
        case .timersFired: MetricName("timers_total", #"outcome="fired""#, help: "Timers due.")
        case .timersFailed: MetricName("timers_total", #"outcome="failed""#, help: "Timers due.")
        case .deliveriesDone: MetricName("deliveries_total", #"outcome="done""#, help: "Event deliveries tried.")
        case .deliveriesRetried: MetricName("deliveries_total", #"outcome="retried""#, help: "Event deliveries tried.")
        case .deliveriesDead: MetricName("deliveries_total", #"outcome="dead""#, help: "Event deliveries tried.")
        case .outboundRequestsOK: MetricName("outbound_requests_total", #"outcome="ok""#, help: "Requests to the outside.")
        case .outboundRequestsFailed: MetricName("outbound_requests_total", #"outcome="failed""#, help: "Requests to the outside.")
        case .outboundForbidden: MetricName("outbound_requests_total", #"outcome="forbidden""#, help: "Requests to the outside.")
        case .sandboxStarts: MetricName("sandbox_starts_total", help: "Sandbox workers started.")
        case .sandboxKills: MetricName("sandbox_kills_total", help: "Sandbox workers stopped by a limit.")
        case .mailsSent: MetricName("mails_total", #"outcome="sent""#, help: "Mails handed to the server.")
        case .mailsFailed: MetricName("mails_total", #"outcome="failed""#, help: "Mails handed to the server.")
        }
    }
}

extension Metric.Gauge {
    var name: MetricName {
        switch self {
        case .runsActive: MetricName("runs_active", help: "Workflow runs in memory.")
        case .liveConnections: MetricName("live_connections", help: "Open event streams.")
        case .sandboxWorkers: MetricName("sandbox_workers", help: "Sandbox workers alive.")
        }
    }
}

extension Metric.Histogram {
    var name: MetricName {
        switch self {
        case .httpSeconds: MetricName("http_seconds", help: "Time to answer an HTTP request.")
        case .stepSeconds: MetricName("step_seconds", help: "Time of a workflow step.")
        case .databaseWriteSeconds: MetricName("database_write_seconds", help: "Time from asking for a write to its durable commit.")
        case .outboundSeconds: MetricName("outbound_seconds", help: "Time of a request to the outside.")
        case .runSeconds: MetricName("run_seconds", help: "Time from a run's start to its end.")
        }
    }
}
