/// The module's own tables.
package enum PersistenceModule {
    package static let tables: [Table] = [Outbox.events, Outbox.deliveries, PayloadStore.table, KeyVault.table]

    package static let migrations: [Migration] = [
        Migration("persistence.0001-outbox-payloads-keys", tables.map { .createTable($0) })
    ]
}
