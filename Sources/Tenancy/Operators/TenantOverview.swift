internal import HTTPSurface
internal import Kernel
internal import Persistence

/// A tenant as the platform's operators see it in a list.
package struct TenantOverview: Sendable, Hashable {
    package var tenant: Tenant
    package var members: Int
    /// Of the calendar month in UTC, when last counted.
    package var runs: Int
    /// When last counted.
    package var storageBytes: Int
}

/// What an operator looks for among the tenants.
package struct TenantSearch: Sendable, Hashable {
    package enum Order: String, Sendable, CaseIterable { case newest, name, plan, status, members, runs, storage }

    /// Words of a name or subdomain.
    package var words: String
    package var status: Tenant.Status?
    package var plan: PlanName?
    package var order: Order

    package init(words: String = "", status: Tenant.Status? = nil, plan: PlanName? = nil, order: Order = .newest) {
        self.words = words
        self.status = status
        self.plan = plan
        self.order = order
    }

    /// Those of a list, newest first, that are looked for, in the order asked for; equals stay newest first.
    func choose(_ all: [TenantOverview]) -> [TenantOverview] {
        let match = NameMatch(words)
        let found = all.enumerated().filter { _, one in
            (status == nil || one.tenant.status == status) && (plan == nil || one.tenant.plan == plan)
                && match.rank(of: one.tenant.name, or: one.tenant.subdomain.text) != nil
        }
        func sorted<Key: Comparable>(_ key: (TenantOverview) -> Key) -> [TenantOverview] {
            found.map { (key($0.element), $0.offset, $0.element) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        }
        switch order {
        case .newest: return found.map(\.element)
        case .name: return sorted { $0.tenant.name.lowercased() }
        case .plan: return sorted { $0.tenant.plan.rawValue }
        case .status: return sorted { $0.tenant.status == .active ? 1 : 0 }
        case .members: return sorted { -$0.members }
        case .runs: return sorted { -$0.runs }
        case .storage: return sorted { -$0.storageBytes }
        }
    }
}

/// Counts of the tenants that stand in tables of their own, so that a list can be ordered by them.
struct TenantFigureStore {
    let tx: DirectoryTransaction

    static let table = Table(
        "tenant_figures", .directory, primaryKey: ["tenant_id"],
        columns: [Column("tenant_id", .uuid), Column("runs", .integer), Column("storage_bytes", .integer), Column("counted_at", .timestamp)],
        foreignKeys: [ForeignKey(["tenant_id"], references: "tenants", ["id"], onDelete: .cascade)])

    func put(_ tenant: TenantID, runs: Int, storageBytes: Int) throws {
        try tx.execute(
            """
            INSERT INTO tenant_figures (tenant_id, runs, storage_bytes, counted_at)
            VALUES (\(tenant), \(runs), \(storageBytes), \(tx.clock.now()))
            ON CONFLICT (tenant_id) DO UPDATE SET runs = excluded.runs, storage_bytes = excluded.storage_bytes, counted_at = excluded.counted_at
            """)
    }

    func overviews(limit: Int) throws -> [TenantOverview] {
        try tx.all(
            """
            SELECT t.id, t.subdomain, t.name, t.plan, t.status, t.features, t.time_zone, t.limit_workflows, t.limit_executions, t.limit_storage_bytes,
                t.limit_users, t.limit_requests, t.created_at, t.status_reason,
                t.limit_run_days, t.keep_succeeded_days, t.keep_failed_days, f.runs, f.storage_bytes,
                (SELECT count(*) FROM memberships m WHERE m.tenant_id = t.id)
            FROM tenants t LEFT JOIN tenant_figures f ON f.tenant_id = t.id ORDER BY t.id DESC LIMIT \(limit)
            """
        ) { row in
            TenantOverview(
                tenant: try TenantStore.read(row), members: try row.column(19), runs: try row.column(17, as: Int?.self) ?? 0,
                storageBytes: try row.column(18, as: Int?.self) ?? 0)
        }
    }
}

extension Tenancy {
    /// Tenants that a search looks through, the newest ones.
    static let tenantsSearched = 20_000

    package func tenants(_ search: TenantSearch) async throws -> [TenantOverview] {
        search.choose(try await database.readDirectory { tx in try TenantFigureStore(tx: tx).overviews(limit: Self.tenantsSearched) })
    }

    /// The same with the counts of this moment, for the few that are shown.
    package func counted(_ overview: TenantOverview) async throws -> TenantOverview {
        var now = overview
        for use in try await quotas(of: overview.tenant.id) {
            if use.key == .executions { now.runs = use.used }
            if use.key == .storageBytes { now.storageBytes = use.used }
        }
        return now
    }

    /// Brings the counts of all tenants up to date.
    package func countTenants() async throws {
        try await forEachTenant { id in
            let uses = try await quotas(of: id)
            func used(_ key: QuotaKey) -> Int { uses.first { $0.key == key }?.used ?? 0 }
            let (runs, bytes) = (used(.executions), used(.storageBytes))
            try await database.writeDirectory { tx in try TenantFigureStore(tx: tx).put(id, runs: runs, storageBytes: bytes) }
        }
    }
}
