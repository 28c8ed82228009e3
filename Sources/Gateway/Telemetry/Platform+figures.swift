internal import Foundation
internal import Glibc
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Persistence
internal import Telemetry
internal import Workflows

extension Platform {
    /// Installs the tracer where the environment names a collector; before the first request.
    /// - Returns: what sends the telemetry; nothing where nothing is configured.
    func telemetryExport(_ automation: Automation) throws -> TelemetryExport? {
        let settings = try OTLPSettings(environment: configuration.environment)
        guard settings.isOn else { return nil }
        let queue = SpanQueue()
        if settings.tracesURL != nil { Traces.install(SpanTracer(share: settings.share, queue: queue)) }
        return try TelemetryExport(settings, queue: queue, clock: clock, logger: logger) { [self] in await refreshFigures(automation) }
    }

    /// Brings the figures up to date that are asked for rather than counted.
    func refreshFigures(_ automation: Automation) async {
        let metrics = Metrics.shared
        metrics.set(.runsLive, Int64(automation.engine.liveRuns))
        metrics.set(.memoryResident, Int64(Self.residentBytes))
        metrics.set(.startTime, Self.started.microseconds)
        metrics.set(.backupTime, BackupState.read(folder.path).lastBackup?.at.microseconds ?? 0)
        do {
            let depths = try await database.readSystem { tx in try QueueDepthStore(tx: tx).depths() }
            metrics.set(.timersDue, Int64(depths.timersDue))
            metrics.set(.timersLag, depths.timersLag.microseconds)
            metrics.set(.outboxPending, Int64(depths.outboxPending))
            metrics.set(.outboxLag, depths.outboxLag.microseconds)
            metrics.set(.outboxDead, Int64(depths.outboxDead))
            let webhooks = try await database.readSystem { tx in try WebhookQueueStore(tx: tx).depth() }
            metrics.set(.webhooksPending, Int64(webhooks.count))
            metrics.set(.webhooksLag, webhooks.lag.microseconds)
        } catch {
            logger.warning("the depths of the queues could not be read", metadata: ["error": "\(error)"])
        }
    }

    static let started = Clock.system.now()

    /// The resident set, from /proc/self/statm in pages.
    static var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    /// What the figures count of runs, and what their traces leave behind; both once what they tell of is committed.
    static func noteStart(_ tx: TenantTransaction, _ facts: RunFacts, _ activity: Activity) throws {
        if let trace = facts.trace { try RunTraceStore(tx: tx.system).keep(trace.traceparent, of: facts.id) }
        tx.afterCommit {
            Metrics.shared.count(.runsStarted, [facts.mode])
            activity.note(.started, of: facts.tenant)
        }
    }

    static func noteFinish(_ tx: TenantTransaction, _ facts: RunFacts, _ status: RunStatus, _ activity: Activity) throws {
        if facts.trace != nil { try RunTraceStore(tx: tx.system).remove(facts.id) }
        let took = max(.zero, tx.clock.now() - facts.id.time)
        tx.afterCommit {
            Metrics.shared.count(.runsFinished, [status.rawValue])
            Metrics.shared.observe(.run, [status.rawValue], took)
            activity.note(status == .succeeded ? .succeeded : .failed, of: facts.tenant)
        }
    }
}

extension Platform {
    /// Failures of published workflows are told always, other ends where an endpoint of the tenant hears of them.
    static func tellFinish(_ tx: TenantTransaction, _ facts: RunFacts, _ status: RunStatus, _ outgoing: OutgoingWebhooks) throws {
        guard facts.mode != "manual", let name = ExecutionEvents.name(of: status) else { return }
        guard try status == .failed || outgoing.wants(name, in: tx) else { return }
        try ExecutionEvents.emit(facts, status, in: tx)
    }
}

extension ID {
    /// When it was made: the first 48 bits of a UUIDv7 are milliseconds since the epoch.
    var time: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }
}
