internal import Billing
internal import HTTPSurface
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Persistence
internal import Tenancy
internal import Workflows

extension Platform {
    var backups: Backups {
        Backups(database: database, folder: folder, configuration: configuration, schedule: backupSchedule, clock: clock, logger: logger)
    }

    static let sealInterval: Duration = .seconds(30)
    static let expiryInterval: Duration = .seconds(3_600)
    /// How long the trace of a run that waits is kept.
    static let traceLifetime: Duration = .seconds(90 * 86_400)
    static let foldInterval: Duration = .seconds(300)
    static let limitInterval: Duration = .seconds(300)
    static let billingInterval: Duration = .seconds(60)
    static let reconcileInterval: Duration = .seconds(86_400)
    static let digestInterval: Duration = .seconds(900)
    /// Empty pages that stay for what is written next: 8 MB.
    static let keptPages = 4_096
    static let blobInterval: Duration = .seconds(6 * 3_600)
    /// Far longer than a transaction waits between its blob and its row.
    static let blobGrace: Duration = .seconds(24 * 3_600)

    /// What one process of the deployment does from time to time.
    func duties(_ idempotency: Idempotency) -> [Duty] {
        let scheduled = backupSchedule.interval.map { interval in
            Duty("backup.make", every: interval) { [backups] in try await backups.makeScheduled() }
        }
        return [scheduled].compactMap { $0 } + [
            Duty("runs.remove", every: Self.expiryInterval) { [tenancy, database, configuration] in
                try await tenancy.forEachTenantHere { id in
                    guard let ages = try await tenancy.tenant(id)?.runAges(atMost: configuration.runAge) else { return }
                    try await RunRetention(database: database, succeeded: ages.succeeded, failed: ages.failed).prune(id)
                }
            },
            Duty("space.return", every: Self.expiryInterval) { [database, logger] in
                guard let file = database as? any SpaceKeeping else { return }
                let bytes = try await file.giveBackSpace(keptPages: Self.keptPages)
                if bytes > 0 { logger.info("empty pages of the database given back", metadata: ["bytes": "\(bytes)"]) }
            },
            Duty("audit.seal", every: Self.sealInterval) { [tenancy] in try await tenancy.sealAuditLogs() },
            Duty("expired.remove", every: Self.expiryInterval) { [tenancy, database] in
                try await tenancy.removeExpired()
                try await database.writeSystem { tx in try RunTraceStore(tx: tx).remove(before: tx.clock.now() - Self.traceLifetime) }
                try await idempotency.removeExpired()
                try await tenancy.forEachTenantHere { try await idempotency.removeExpired(of: $0) }
            },
            Duty("tenants.count", every: Self.foldInterval) { [tenancy] in try await tenancy.countTenants() },
            Duty("limits.watch", every: Self.limitInterval) { [database, tenancy, clock] in
                try await LimitWatch(database: database, tenancy: tenancy, clock: clock).lookAtAll()
            },
            Duty("runs.fold", every: Self.foldInterval) { [tenancy, figures] in
                try await tenancy.forEachTenantHere { tenant in try await figures.fold(of: tenant) }
            },
            Duty("billing.collect", every: Self.billingInterval) { [billing] in try await billing.collectDue() },
            Duty("billing.reconcile", every: Self.reconcileInterval) { [self] in try await reconcile() },
            Duty("ledger.seal", every: Self.expiryInterval) { [billing] in _ = try await billing.ledger.seal() },
            Duty("storage.meter", every: Self.blobInterval) { [billing] in try await billing.meterStorage() },
            Duty("notices.digest", every: Self.digestInterval) { [inbox] in try await inbox.sendDigests() },
            Duty("notices.remove", every: Self.expiryInterval) { [tenancy, inbox, outgoing] in
                try await tenancy.forEachTenantHere { tenant in
                    try await inbox.removeOld(of: tenant)
                    try await outgoing.removeOld(of: tenant)
                }
            },
            Duty("blobs.sweep", every: Self.blobInterval) { [self] in try await sweepBlobs() }
        ]
    }

    /// Of the tenants that are here: those that have gone elsewhere, or are still coming, may have blobs in the same place that no row here names.
    func sweepBlobs() async throws {
        var tenants: Set<TenantID> = []
        try await tenancy.forEachTenantHere { tenants.insert($0) }
        let count = try await blobs.sweep(database, of: tenants, olderThan: Self.blobGrace)
        if count > 0 { logger.info("blobs without a row removed", metadata: ["count": "\(count)"]) }
        try await tenancy.forEachTenantHere { tenant in
            try await RunFileSweep(database: database).sweep(tenant)
            try await StaticDataSweep(database: database).sweep(tenant)
        }
    }

    /// Holds yesterday's usage against the runs, and the ledger against itself. What differs is told to whoever reads the log; nothing is mended.
    func reconcile() async throws {
        let unmetered = try await billing.reconcile { [database] tenant, period in
            try await database.read(in: tenant) { tx in try tx.begunRuns(from: period.start, to: period.end) }
        }
        for difference in unmetered + (try await billing.ledger.faults()) {
            logger.critical("the books differ from what they were made of", metadata: ["difference": "\(difference)"])
        }
    }

    /// Who hears of events, in whatever process: all of them know all, so that none throws away what another waits for.
    static let subscribers: [Subscriber] = [MailDelivery.subscriber] + OutgoingWebhooks.subscribers + Inbox.subscribers
}
