internal import Kernel
internal import Persistence

extension Tenant.Status: SQLBindable, SQLReadable {}

/// Tenants, found by id or subdomain before anything else is known.
struct TenantStore {
    let tx: DirectoryTransaction

    static let tableAtFirst = Table(
        "tenants", .directory, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("subdomain", .text), Column("name", .text), Column("plan", .text), Column("status", .text),
            Column("features", .text), Column("time_zone", .text), Column("limit_workflows", .integer, optional: true),
            Column("limit_executions", .integer, optional: true), Column("limit_storage_bytes", .integer, optional: true),
            Column("limit_users", .integer, optional: true), Column("limit_requests", .integer, optional: true),
            Column("created_at", .timestamp)
        ],
        indexes: [Index("tenants_subdomain", on: ["subdomain"], unique: true)],
        checks: [
            .oneOf(column: "plan", values: PlanName.allCases.map(\.rawValue)),
            .oneOf(column: "status", values: Tenant.Status.allCases.map(\.rawValue))
        ])

    static let statusReason = Column("status_reason", .text, optional: true)

    static let table: Table = {
        var table = tableAtFirst
        table.columns.append(statusReason)
        table.columns += runKeeping
        return table
    }()

    static let runKeeping = [
        Column("limit_run_days", .integer, optional: true), Column("keep_succeeded_days", .integer, optional: true),
        Column("keep_failed_days", .integer, optional: true)
    ]

    func insert(_ tenant: Tenant) throws {
        try tx.execute(
            """
            INSERT INTO tenants (id, subdomain, name, plan, status, features, time_zone, limit_workflows, limit_executions,
                limit_storage_bytes, limit_users, limit_requests, created_at, limit_run_days, keep_succeeded_days, keep_failed_days)
            VALUES (\(tenant.id), \(tenant.subdomain.text), \(tenant.name), \(tenant.plan), \(tenant.status),
                \(tenant.features.joined(separator: " ")), \(tenant.timeZone), \(tenant.limits.workflows), \(tenant.limits.executionsPerMonth),
                \(tenant.limits.storageBytes), \(tenant.limits.users), \(tenant.limits.requestsPerSecond), \(tenant.createdAt),
                \(tenant.limits.runDays), \(tenant.runKeeping.succeededDays), \(tenant.runKeeping.failedDays))
            """)
    }

    func tenant(_ id: TenantID) throws -> Tenant? {
        try tx.first(
            """
            SELECT id, subdomain, name, plan, status, features, time_zone, limit_workflows, limit_executions, limit_storage_bytes, limit_users,
                limit_requests, created_at, status_reason, limit_run_days, keep_succeeded_days, keep_failed_days
            FROM tenants WHERE id = \(id)
            """, Self.read)
    }

    func tenant(subdomain: String) throws -> Tenant? {
        try tx.first(
            """
            SELECT id, subdomain, name, plan, status, features, time_zone, limit_workflows, limit_executions, limit_storage_bytes, limit_users,
                limit_requests, created_at, status_reason, limit_run_days, keep_succeeded_days, keep_failed_days
            FROM tenants WHERE subdomain = \(subdomain)
            """, Self.read)
    }

    /// Newest first, those before `cursor`.
    func page(before cursor: TenantID?, limit: Int) throws -> [Tenant] {
        let last = cursor ?? TenantID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, subdomain, name, plan, status, features, time_zone, limit_workflows, limit_executions, limit_storage_bytes, limit_users,
                limit_requests, created_at, status_reason, limit_run_days, keep_succeeded_days, keep_failed_days
            FROM tenants WHERE id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    func update(_ tenant: Tenant) throws {
        try tx.execute(
            """
            UPDATE tenants SET name = \(tenant.name), plan = \(tenant.plan), status = \(tenant.status),
                features = \(tenant.features.joined(separator: " ")), time_zone = \(tenant.timeZone),
                limit_workflows = \(tenant.limits.workflows), limit_executions = \(tenant.limits.executionsPerMonth),
                limit_storage_bytes = \(tenant.limits.storageBytes), limit_users = \(tenant.limits.users),
                limit_requests = \(tenant.limits.requestsPerSecond), status_reason = \(tenant.statusReason),
                limit_run_days = \(tenant.limits.runDays), keep_succeeded_days = \(tenant.runKeeping.succeededDays),
                keep_failed_days = \(tenant.runKeeping.failedDays)
            WHERE id = \(tenant.id)
            """)
    }

    static func read(_ row: Row) throws -> Tenant {
        let features: String = try row.column(5)
        return Tenant(
            id: try row.column(0), name: try row.column(2), subdomain: Subdomain(stored: try row.column(1)), plan: try row.column(3),
            status: try row.column(4), features: features.split(separator: " ").map(String.init),
            limits: PlanLimits(
                workflows: try row.column(7), executionsPerMonth: try row.column(8), storageBytes: try row.column(9),
                users: try row.column(10), requestsPerSecond: try row.column(11), runDays: try row.column(14)),
            timeZone: try row.column(6), createdAt: try row.column(12), statusReason: try row.column(13),
            runKeeping: RunKeeping(succeededDays: try row.column(15), failedDays: try row.column(16)))
    }
}
