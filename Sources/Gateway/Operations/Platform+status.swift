internal import Jobs
internal import Kernel
internal import Persistence
internal import Telemetry
internal import Tenancy

extension Platform {
    static let tenantsShown = 20

    /// What `aias top` shows.
    func status(_ automation: Automation) async throws -> JSON {
        await refreshFigures(automation)
        let metrics = Metrics.shared
        func number(_ gauge: Metric.Gauge) -> JSON { .number(Double(metrics.value(gauge))) }
        func seconds(_ gauge: Metric.Gauge) -> JSON { .number((Double(metrics.value(gauge)) / 10_000).rounded() / 100) }
        let depths = try await database.readSystem { tx in try QueueDepthStore(tx: tx).depths() }
        var tenants: [JSON] = []
        for (id, tally) in activity.busiest(Self.tenantsShown) {
            let name = try await tenancy.tenant(id)?.subdomain.text ?? id.description
            tenants.append([
                "subdomain": .string(name), "started": .number(Double(tally.counts[0])), "succeeded": .number(Double(tally.counts[1])),
                "failed": .number(Double(tally.counts[2]))
            ])
        }
        return [
            "at": .string(clock.now().description), "uptime_seconds": .number(Double((clock.now() - Self.started).components.seconds)),
            "runs": [
                "live": number(.runsLive), "parked": .number(Double(depths.runsParked)), "started": .number(Double(metrics.value(.runsStarted))),
                "finished": .number(Double(metrics.value(.runsFinished)))
            ],
            "queues": [
                "timers_due": number(.timersDue), "timers_lag_seconds": seconds(.timersLag), "outbox_pending": number(.outboxPending),
                "outbox_lag_seconds": seconds(.outboxLag), "outbox_dead": number(.outboxDead), "webhooks_pending": number(.webhooksPending),
                "webhooks_lag_seconds": seconds(.webhooksLag)
            ],
            "database": [
                "commits": .number(Double(metrics.value(.databaseCommits))), "transactions": .number(Double(metrics.value(.databaseTransactions)))
            ],
            "process": [
                "memory_bytes": number(.memoryResident), "connections": number(.httpConnections), "event_streams": number(.eventStreams),
                "sandbox_workers": number(.sandboxWorkers)
            ],
            "tenants": .array(tenants)
        ]
    }
}
