internal import Jobs
internal import Kernel
internal import Persistence
internal import Tenancy

/// Takes a tenant's work out of a database's hands, in one transaction, and puts it into another's.
struct TenantHoldStore {
    let tx: TenantTransaction

    /// The system tables whose rows make work happen.
    static let working = ["timers", "run_owners", "workflow_schedules", "webhook_queue", "outbox_events"]
    static let deliveries = "outbox_deliveries"

    /// From here on nothing of the tenant's comes due, is taken up or is sent by this database's processes, and requests are refused.
    func hold(_ tables: [TableRows], peer: String) throws {
        let tenant = tx.tenant.id
        let status = try tx.directory.first("SELECT status FROM tenants WHERE id = \(tenant)") { try $0.column(0, as: String.self) }
        guard let status else { throw Refusal.missing("tenant") }
        let store = MoveStore(tx: tx.system)
        try store.begin(.init(direction: .outward, state: .copying, statusBefore: status, peer: peer), of: tenant)
        try tx.directory.execute("UPDATE tenants SET status = \(Tenant.Status.suspended.rawValue) WHERE id = \(tenant)")
        // Whatever process had a run in hand is gone; the first one there takes it up.
        try tx.execute("UPDATE runs SET epoch = \(0) WHERE tenant_id = \(tx.tenant) AND epoch <> \(0)")
        try tx.system.execute("UPDATE run_owners SET epoch = \(0) WHERE tenant_id = \(tenant)")
        try store.layAside(try store.deliveries(of: tenant), of: Self.deliveries, tenant: tenant)
        for rows in tables {
            try store.layAside(try rows.all(tx.system), of: rows.table.name, tenant: tenant)
            // Deliveries go with their events.
            try rows.removeAll(tx.system)
        }
    }

    /// Work begins here, in the transaction that says so: a second call finds that and does nothing.
    func release(_ laidAside: [(rows: TableRows, content: [[SQLValue]])], status: String, peer: String) throws {
        let tenant = tx.tenant.id
        let store = MoveStore(tx: tx.system)
        guard try store.move(of: tenant)?.state != .done else { return }
        for (rows, content) in laidAside { try rows.insert(content, in: tx.system) }
        try tx.directory.execute("UPDATE tenants SET status = \(status) WHERE id = \(tenant)")
        try store.finish(tenant)
    }
}

/// What is asked of directories before and between.
struct MoveDirectoryStore {
    let tx: DirectoryTransaction

    func tenants() throws -> [(id: TenantID, subdomain: String)] {
        try tx.all("SELECT id, subdomain FROM tenants ORDER BY id") { (try $0.column(0), try $0.column(1)) }
    }

    func tenant(subdomain: String) throws -> TenantID? { try tx.first("SELECT id FROM tenants WHERE subdomain = \(subdomain)") { try $0.column(0) } }

    func holds(_ tenant: TenantID) throws -> Bool { try tx.first("SELECT 1 FROM tenants WHERE id = \(tenant)") != nil }

    func members(of tenant: TenantID) throws -> [UserID] {
        try tx.all("SELECT user_id FROM memberships WHERE tenant_id = \(tenant) ORDER BY user_id") { try $0.column(0) }
    }

    func person(email: String) throws -> UserID? { try tx.first("SELECT id FROM users WHERE email = \(email)") { try $0.column(0) } }

    /// Keys of any tenant, to see whose master key wraps them.
    func wrappedKey() throws -> (tenant: TenantID, wrapped: [UInt8])? {
        try tx.first("SELECT tenant_id, wrapped FROM data_keys ORDER BY id LIMIT 1") { (try $0.column(0), try $0.column(1)) }
    }
}

/// The payloads that lie outside the database.
struct MovePayloadStore {
    let tx: TenantTransaction
    static let pageRows = 200

    func blobs(after hash: PayloadHash?) throws -> [PayloadHash] {
        let last = hash?.sqlValue ?? .blob([])
        return try tx.all(
            """
            SELECT hash FROM payloads WHERE tenant_id = \(tx.tenant) AND encoding = \("blob") AND hash > \(last) ORDER BY hash LIMIT \(Self.pageRows)
            """
        ) { try $0.column(0) }
    }
}
