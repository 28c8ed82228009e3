package import Kernel
package import Persistence

/// The module's tables; its endpoints and permissions are in `TenancyRoutes`.
package enum TenancyModule {
    package static let tables: [Table] = [
        PlanStore.table, TenantStore.table, UserStore.table, MembershipStore.table, SessionStore.table, OneTimeTokenStore.table,
        APIKeyStore.table, QuotaStore.table, UsageEventStore.table, AuditStore.table,
    ]

    package static let migrations: [Migration] = [
        Migration("tenancy.0001-tenants-people-keys-limits-audit", tables.map { .createTable($0) })
    ]

    /// Who may do what; a workflow role table of this kind is declared by each module.
    package static let grants: [(permission: Permission, roles: [Role])] = [
        ("tenant.read", [.owner, .admin, .editor, .viewer, .billing]),
        ("tenant.write", [.owner, .admin]),
        ("members.read", [.owner, .admin, .editor, .viewer, .billing]),
        ("members.write", [.owner, .admin]),
        ("api_keys.read", [.owner, .admin]),
        ("api_keys.write", [.owner, .admin]),
        ("audit.read", [.owner, .admin]),
        ("usage.read", [.owner, .admin, .editor, .viewer, .billing]),
    ]
}
