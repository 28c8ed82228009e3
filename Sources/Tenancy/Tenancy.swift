package import Kernel
package import Persistence

/// Tenants, people, keys, limits and the audit log: the verbs of this module.
package struct Tenancy: Sendable {
    let database: any Database
    let clock: Clock
    let vault: KeyVault
    package let permissions: PermissionTable
    package let rates: RateLimiter

    package init(database: any Database, clock: Clock, vault: KeyVault, permissions: PermissionTable) {
        self.database = database
        self.clock = clock
        self.vault = vault
        self.permissions = permissions
        rates = RateLimiter(clock: clock)
    }
}
