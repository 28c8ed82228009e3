package import Persistence

/// The module's own tables; the outbox's belong to Persistence, which writes them.
package enum JobsModule {
    package static let tables: [Table] = [LeaseStore.table, TimerStore.table, DutyStore.table, RunTraceStore.table, SubscriberStore.table]

    package static let migrations: [Migration] = [
        Migration("jobs.0001-workers-timers", [.createTable(LeaseStore.tableAtFirst), .createTable(TimerStore.table)]),
        Migration("jobs.0002-duties", [.createTable(DutyStore.table)]),
        Migration("jobs.0003-run-traces", [.createTable(RunTraceStore.table)]),
        Migration("jobs.0004-facts-of-processes", LeaseStore.facts.map { .addColumn(table: "workers", $0) }),
        Migration("jobs.0005-formats-of-processes", [.addColumn(table: "workers", LeaseStore.format)]),
        Migration("jobs.0006-outbox-subscribers", [.createTable(SubscriberStore.table)])
    ]
}
