/// The module's own tables.
package enum PersistenceModule {
    package static let tables: [Table] = first + second + third

    package static let migrations: [Migration] = [
        Migration("persistence.0001-outbox-payloads-keys", first.map { .createTable($0) }),
        Migration("persistence.0002-storage-use", second.map { .createTable($0) }),
        Migration("persistence.0003-moves", third.map { .createTable($0) })
    ]

    private static let first = [Outbox.events, Outbox.deliveries, PayloadStore.table, KeyVault.table]
    private static let second = [PayloadUser.table, StorageUse.table]
    private static let third = [MoveStore.moves, MoveStore.parcels]
}
