internal import Kernel
internal import Persistence

/// What each tenant's subscription came to bring, and when.
struct RevenueStore {
    let tx: PlatformTransaction

    static let table = Table(
        "revenue_changes", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("owner", .uuid), Column("at", .timestamp), Column("currency", .text), Column("monthly", .integer)
        ],
        indexes: [Index("revenue_changes_owner", on: ["owner", "id"])], checks: [.atLeast(column: "monthly", 0)], isAppendOnly: true)

    func monthly(of tenant: TenantID) throws -> Int64 {
        try tx.first("SELECT monthly FROM revenue_changes WHERE owner = \(tenant) ORDER BY id DESC LIMIT 1") { try $0.column(0) } ?? 0
    }

    func note(_ change: RevenueChange) throws {
        let id: ID<RevenueChange> = tx.ids.next()
        try tx.execute(
            """
            INSERT INTO revenue_changes (id, owner, at, currency, monthly)
            VALUES (\(id), \(change.tenant), \(change.at), \(change.currency), \(change.monthly))
            """)
    }

    /// All before a moment, in the order in which they were written.
    func changes(before end: Timestamp, _ currency: String) throws -> [RevenueChange] {
        try tx.all("SELECT owner, at, currency, monthly FROM revenue_changes WHERE at < \(end) AND currency = \(currency) ORDER BY id") { row in
            RevenueChange(tenant: try row.column(0), at: try row.column(1), currency: try row.column(2), monthly: try row.column(3))
        }
    }
}

extension Till {
    /// Notes what the subscription brings where that has changed; a period that ended unseen counts from its end.
    func noteRevenue(of subscription: Subscription) throws {
        let store = RevenueStore(tx: tx.platform)
        let monthly = try subscription.monthlyRevenue(terms.catalogue)
        guard try store.monthly(of: tx.tenant.id) != monthly else { return }
        try store.note(RevenueChange(tenant: tx.tenant.id, at: now, currency: subscription.currency, monthly: monthly))
    }
}
