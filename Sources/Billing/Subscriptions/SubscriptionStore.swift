internal import Kernel
internal import Persistence
internal import Tenancy

struct SubscriptionStore {
    let tx: TenantTransaction

    /// Whether the deployment's books know the tenant: a subscription, an invoice, or what the platform keeps of it beside them, as a balance.
    func hasBooks() throws -> Bool {
        let own = try tx.first(
            """
            SELECT 1 FROM subscriptions WHERE tenant_id = \(tx.tenant) UNION ALL SELECT 1 FROM invoices WHERE tenant_id = \(tx.tenant) LIMIT 1
            """)
        return try own != nil || isKnownToPlatform()
    }

    /// What it holds in the ledger, sells, brings and has booked.
    private func isKnownToPlatform() throws -> Bool {
        let id = tx.tenant.id
        return try tx.platform.first(
            """
            SELECT 1 FROM ledger_accounts WHERE owner = \(id.description)
            UNION ALL SELECT 1 FROM payees WHERE owner = \(id) UNION ALL SELECT 1 FROM affiliates WHERE owner = \(id)
            UNION ALL SELECT 1 FROM referrals WHERE referred = \(id) UNION ALL SELECT 1 FROM courses WHERE author = \(id)
            UNION ALL SELECT 1 FROM consulting_offers WHERE seller = \(id) UNION ALL SELECT 1 FROM consulting_bookings WHERE seller = \(id)
            UNION ALL SELECT 1 FROM consulting_bookings WHERE buyer = \(id) LIMIT 1
            """) != nil
    }

    func subscription() throws -> Subscription? {
        var found = try tx.first(
            """
            SELECT plan, period_kind, status, currency, anchor_at, period_index, period_start, period_end, pending_plan, pending_period_kind,
                cancels_at_period_end, creditable, paused_at, overage_cap, created_at, discounted, metered_from, settled
            FROM subscriptions WHERE tenant_id = \(tx.tenant)
            """
        ) { row in
            let plan: PlanName? = try row.column(8, as: String?.self).map { try PlanName(stored: $0) }
            let interval: BillingInterval? = try row.column(9)
            let period = BillingPeriod(start: try row.column(6), end: try row.column(7))
            // Empty where a version wrote it that does not keep this, which may work beside this one: then the period has not moved, as far as is
            // known, and what is reckoned of it is what invoices charge.
            let meteredFrom: Timestamp? = try row.column(16)
            let settled: Int64 = try meteredFrom == nil ? InvoiceStore(tx: tx).chargedUsage(since: period.start) : row.column(17)
            return Subscription(
                plan: try PlanName(stored: try row.column(0)), interval: try row.column(1), status: try row.column(2), currency: try row.column(3),
                anchor: try row.column(4), index: try row.column(5), period: period,
                pending: plan.flatMap { plan in interval.map { Subscription.Pending(plan: plan, interval: $0) } },
                cancelsAtPeriodEnd: try row.column(10), creditable: try row.column(11), discounted: try row.column(15),
                pausedAt: try row.column(12), overageCap: try row.column(13), createdAt: try row.column(14),
                meteredFrom: meteredFrom ?? period.start, settled: settled)
        }
        found?.addons = try AddonItemStore(tx: tx).all()
        return found
    }

    /// The one a tenant has, in place of the one it had.
    func save(_ new: Subscription) throws {
        try tx.execute("DELETE FROM subscriptions WHERE tenant_id = \(tx.tenant)")
        try tx.execute(
            """
            INSERT INTO subscriptions (tenant_id, plan, period_kind, status, currency, anchor_at, period_index, period_start, period_end,
                pending_plan, pending_period_kind, cancels_at_period_end, creditable, paused_at, overage_cap, created_at, discounted,
                metered_from, settled)
            VALUES (\(tx.tenant), \(new.plan.rawValue), \(new.interval), \(new.status), \(new.currency), \(new.anchor), \(new.index), \(new.period.start),
                \(new.period.end), \(new.pending?.plan.rawValue), \(new.pending?.interval), \(new.cancelsAtPeriodEnd), \(new.creditable), \(new.pausedAt),
                \(new.overageCap), \(new.createdAt), \(new.discounted), \(new.meteredFrom), \(new.settled))
            """)
        try AddonItemStore(tx: tx).save(new.addons)
    }
}

/// When to look at which tenant again.
struct BillingDueStore {
    let tx: SystemTransaction

    func set(_ tenant: TenantID, _ at: Timestamp?) throws {
        guard let at else {
            try tx.execute("DELETE FROM billing_due WHERE tenant_id = \(tenant)")
            return
        }
        try tx.execute(
            """
            INSERT INTO billing_due (tenant_id, due_at) VALUES (\(tenant), \(at))
            ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at
            """)
    }

    typealias Due = (at: Timestamp, tenant: TenantID)

    /// Earliest first, from after a place.
    func due(at now: Timestamp, after last: Due?, limit: Int) throws -> [Due] {
        let (time, id) = (last?.at ?? Timestamp(microseconds: 0), last?.tenant ?? TenantID(high: 0, low: 0))
        return try tx.all(
            """
            SELECT due_at, tenant_id FROM billing_due
            WHERE due_at <= \(now) AND due_at >= \(time) AND (due_at > \(time) OR tenant_id > \(id)) ORDER BY due_at, tenant_id LIMIT \(limit)
            """
        ) { (try $0.column(0), try $0.column(1)) }
    }
}

extension BillingInterval: SQLBindable, SQLReadable {}
extension Subscription.Status: SQLBindable, SQLReadable {}
/// A plan's name as a column holds it; Tenancy keeps its own reading to itself.
extension PlanName {
    init(stored text: String) throws {
        guard let name = PlanName(rawValue: text) else { throw PersistenceError.decoding(expected: "a plan", found: .text(text)) }
        self = name
    }
}
