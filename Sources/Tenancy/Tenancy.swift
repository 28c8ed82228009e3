package import Kernel
package import Persistence

/// Tenants, people, keys, limits and the audit log: the verbs of this module.
package struct Tenancy: Sendable {
    let database: any Database
    let clock: Clock
    let vault: KeyVault
    package let permissions: PermissionTable
    package let rates: RateLimiter
    let known = TenantDirectory()
    package let strangersDoors = StrangersDoors()

    /// Browsers reach the platform by https: session cookies are sent over nothing else.
    let usesTLS: Bool
    /// Where large pictures lie; nil where only small ones are kept.
    let blobs: (any BlobStore)?

    package init(database: any Database, clock: Clock, vault: KeyVault, permissions: PermissionTable, usesTLS: Bool, blobs: (any BlobStore)? = nil) {
        self.database = database
        self.clock = clock
        self.vault = vault
        self.permissions = permissions
        self.usesTLS = usesTLS
        self.blobs = blobs
        rates = RateLimiter(clock: clock)
    }
}
