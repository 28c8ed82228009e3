package import Persistence

/// The module's own tables; the outbox's belong to Persistence, which writes them.
package enum JobsModule {
    package static let tables: [Table] = [LeaseStore.table, TimerStore.table]

    package static let migrations: [Migration] = [Migration("jobs.0001-workers-timers", tables.map { .createTable($0) })]
}
