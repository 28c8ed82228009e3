package import HTTPSurface
internal import Kernel
package import Persistence

/// The module's door.
package enum TenancyModule {
    package static let tables: [Table] =
        withTenants(TenantStore.table, PlanStore.table, MembershipStore.table, OneTimeTokenStore.table, APIKeyStore.table) + operatorTables
        + [BrandingStore.table]

    private static let operatorTables: [Table] = [OperatorSessionStore.table, ImpersonationStore.table, TenantFigureStore.table]

    private static func withTenants(_ tenants: Table, _ plans: Table, _ memberships: Table, _ tokens: Table, _ keys: Table) -> [Table] {
        [
            plans, tenants, UserStore.table, memberships, SessionStore.table, tokens,
            keys, QuotaStore.table, UsageEventStore.table, AuditStore.table
        ]
    }

    package static let migrations: [Migration] = [
        Migration(
            "tenancy.0001-tenants-people-keys-limits-audit",
            withTenants(
                TenantStore.tableAtFirst, PlanStore.tableAtFirst, MembershipStore.tableAtFirst, OneTimeTokenStore.tableAtFirst,
                APIKeyStore.tableAtFirst
            ).map { .createTable($0) }),
        Migration(
            "tenancy.0002-operators", operatorTables.map { .createTable($0) } + [.addColumn(table: "tenants", TenantStore.statusReason)]),
        Migration("tenancy.0003-branding", [.createTable(BrandingStore.table)]),
        Migration(
            "tenancy.0004-kept-runs",
            [.addColumn(table: "plans", PlanStore.runDays)] + TenantStore.runKeeping.map { .addColumn(table: "tenants", $0) }),
        Migration("tenancy.0005-links-found-by-address", [.createIndex(table: "one_time_tokens", OneTimeTokenStore.byEmail)]),
        Migration("tenancy.0006-doubted-memberships", [.addColumn(table: "memberships", MembershipStore.isDoubted)]),
        Migration("tenancy.0007-makers-of-keys", [.addColumn(table: "api_keys", APIKeyStore.madeBy)])
    ]

    package static let permissions: [PermissionDeclaration] =
        [
            PermissionDeclaration("tenant.read", "See the tenant's settings.", roles: [.owner, .admin, .editor, .viewer, .billing]),
            PermissionDeclaration("tenant.write", "Change the tenant's settings.", roles: [.owner, .admin]),
            PermissionDeclaration("members.read", "See who belongs to the tenant.", roles: [.owner, .admin, .editor, .viewer, .billing]),
            PermissionDeclaration("members.write", "Invite, change and remove members.", roles: [.owner, .admin]),
            PermissionDeclaration("api_keys.read", "See the API keys, without their secrets.", roles: [.owner, .admin]),
            PermissionDeclaration("api_keys.write", "Create and revoke API keys.", roles: [.owner, .admin]),
            PermissionDeclaration("audit.read", "Read the audit log.", roles: [.owner, .admin]),
            PermissionDeclaration("usage.read", "See what is used of each limit.", roles: [.owner, .admin, .editor, .viewer, .billing])
        ] + Tenancy.operatorPermissions

    /// - Parameters:
    ///   - console: of the tenants' people.
    ///   - operators: the platform's own pages.
    package static func module(_ tenancy: Tenancy, console: Console, operators: Console) -> Module {
        let endpoints: [Endpoint] =
            PlanRoutes(tenancy: tenancy).endpoints + TenantRoutes(tenancy: tenancy).endpoints + AccountRoutes(tenancy: tenancy).endpoints
            + MemberRoutes(tenancy: tenancy).endpoints + APIKeyRoutes(tenancy: tenancy).endpoints + AuditRoutes(tenancy: tenancy).endpoints
            + AccountPages(tenancy: tenancy, console: console).endpoints + TenantPages(tenancy: tenancy, console: console).endpoints
            + MemberPages(tenancy: tenancy, console: console).endpoints + APIKeyPages(tenancy: tenancy, console: console).endpoints
            + AuditPages(tenancy: tenancy, console: console).endpoints + OperatorAccessPage(tenancy: tenancy, console: console).endpoints
            + BrandingPages(tenancy: tenancy, console: console).endpoints + BrandingRoutes(tenancy: tenancy).endpoints
            + OperatorAccessRoutes(tenancy: tenancy).endpoints + OperatorDoorPages(tenancy: tenancy, console: operators).endpoints
            + TenantListPage(tenancy: tenancy, console: operators).endpoints + TenantOperationPage(tenancy: tenancy, console: operators).endpoints
        let choice: [Endpoint] = TenantChoicePages(tenancy: tenancy, console: console).endpoints
        return Module(name: "tenancy", tables: tables, migrations: migrations, endpoints: endpoints + choice, permissions: permissions)
    }
}
