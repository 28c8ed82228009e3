internal import Persistence
internal import Tenancy

/// What a tenant buys, in its own tables, and what the platform keeps beside them.
enum BillingTables {
    static let profiles = Table(
        "billing_profiles", .tenant, primaryKey: ["tenant_id"],
        columns: [
            Column("name", .text), Column("street", .text), Column("postal_code", .text), Column("city", .text), Column("country", .text),
            Column("vat_id", .text, optional: true), Column("email", .text, optional: true)
        ])

    /// A sandbox tenant's own time.
    static let clocks = Table("billing_clocks", .tenant, primaryKey: ["tenant_id"], columns: [Column("now_at", .timestamp)])

    private static let subscriptionsAtFirst = Table(
        "subscriptions", .tenant, primaryKey: ["tenant_id"],
        columns: [
            Column("plan", .text), Column("period_kind", .text), Column("status", .text), Column("currency", .text), Column("anchor_at", .timestamp),
            Column("period_index", .integer), Column("period_start", .timestamp), Column("period_end", .timestamp),
            Column("pending_plan", .text, optional: true), Column("pending_period_kind", .text, optional: true),
            Column("cancels_at_period_end", .boolean), Column("creditable", .integer), Column("paused_at", .timestamp, optional: true),
            Column("overage_cap", .integer), Column("created_at", .timestamp)
        ],
        checks: [
            .oneOf(column: "plan", values: PlanName.allCases.map(\.rawValue)),
            .oneOf(column: "status", values: Subscription.Status.allCases.map(\.rawValue)),
            .oneOf(column: "period_kind", values: BillingInterval.allCases.map(\.rawValue)), .atLeast(column: "creditable", 0),
            .atLeast(column: "overage_cap", 0)
        ])

    static let invoices = Table(
        "invoices", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("kind", .text), Column("series", .text), Column("number", .integer), Column("status", .text),
            Column("currency", .text), Column("subtotal", .integer), Column("discount", .integer), Column("tax", .integer),
            Column("total", .integer), Column("paid", .integer), Column("credited", .integer), Column("treatment", .text),
            Column("rate", .integer), Column("tax_country", .text), Column("seller", .text), Column("buyer", .text), Column("issued_at", .timestamp),
            Column("due_at", .timestamp), Column("corrects", .uuid, optional: true), Column("reminders", .integer)
        ],
        indexes: [
            Index("invoices_number", on: ["tenant_id", "series", "kind", "number"], unique: true),
            Index("invoices_open", on: ["tenant_id", "due_at"], where: .equals("status", "open"))
        ],
        checks: [
            .oneOf(column: "kind", values: Invoice.Kind.allCases.map(\.rawValue)),
            .oneOf(column: "status", values: Invoice.Status.allCases.map(\.rawValue)), .atLeast(column: "total", 0),
            .atLeast(column: "paid", 0), .atLeast(column: "credited", 0), .notAbove(left: "paid", right: "total"),
            .notAbove(left: "credited", right: "total")
        ])

    private static let linesAtFirst = Table(
        "invoice_lines", .tenant, primaryKey: ["invoice_id", "line"],
        columns: [
            Column("invoice_id", .uuid), Column("line", .integer), Column("kind", .text), Column("plan", .text), Column("period_start", .timestamp),
            Column("period_end", .timestamp), Column("quantity", .integer), Column("amount", .integer), Column("discount", .integer),
            Column("tax", .integer)
        ],
        checks: [
            .oneOf(column: "kind", values: Charge.Kind.allCases.map(\.rawValue)), .oneOf(column: "plan", values: PlanName.allCases.map(\.rawValue))
        ])

    static let payments = Table(
        "payments", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("provider", .text), Column("reference", .text), Column("currency", .text), Column("amount", .integer),
            Column("refunded", .integer), Column("invoice_id", .uuid, optional: true), Column("status", .text), Column("at", .timestamp)
        ],
        indexes: [Index("payments_reference", on: ["tenant_id", "provider", "reference"], unique: true)],
        checks: [
            .oneOf(column: "status", values: Payment.Status.allCases.map(\.rawValue)), .atLeast(column: "amount", 1), .atLeast(column: "refunded", 0),
            .notAbove(left: "refunded", right: "amount")
        ])

    static let metrics = Table(
        "usage_metrics", .tenant, primaryKey: ["code"],
        columns: [Column("code", .text), Column("name", .text), Column("aggregation", .text), Column("dimension", .text)],
        checks: [.oneOf(column: "aggregation", values: Aggregation.allCases.map(\.rawValue))])

    /// When something is to happen to a tenant's subscription or its open invoices by itself.
    static let due = Table(
        "billing_due", .system, primaryKey: ["tenant_id"], columns: [Column("tenant_id", .uuid), Column("due_at", .timestamp)],
        indexes: [Index("billing_due_at", on: ["due_at"])])

    /// The last number of each series: raised in the transaction that issues, so that one that fails leaves no gap.
    static let series = Table(
        "invoice_series", .platform, primaryKey: ["name"], columns: [Column("name", .text), Column("last", .integer)],
        checks: [.atLeast(column: "last", 0)])

    /// Whose invoice a number is, for payments that name it.
    static let numbers = Table(
        "invoice_numbers", .platform, primaryKey: ["series", "number"],
        columns: [Column("series", .text), Column("number", .integer), Column("owner", .uuid), Column("invoice_id", .uuid)], isAppendOnly: true)

    /// What a provider told, once for each of its ids.
    static let providerEvents = Table(
        "provider_events", .platform, primaryKey: ["provider", "event"],
        columns: [Column("provider", .text), Column("event", .text), Column("kind", .text), Column("at", .timestamp)], isAppendOnly: true)

    static let discounted = Column("discounted", .integer, default: .integer(0))
    static let meteredFrom = Column("metered_from", .timestamp, optional: true)
    static let settled = Column("settled", .integer, default: .integer(0))
    static let item = Column("item", .text, optional: true)
    static let itemName = Column("item_name", .text, optional: true)
    static let subscriptions = subscriptionsAtFirst.with(discounted, meteredFrom, settled)
    static let lines = linesAtFirst.with(item, itemName)

    /// As the first migration makes them.
    static let atFirst = [
        profiles, clocks, subscriptionsAtFirst, invoices, linesAtFirst, payments, metrics, due, series, numbers, providerEvents
    ]
    static let all = [profiles, clocks, subscriptions, invoices, lines, payments, metrics, due, series, numbers, providerEvents]
}

extension Table {
    /// The same with columns that a later migration adds.
    func with(_ more: Column...) -> Table {
        var table = self
        table.columns += more
        return table
    }
}
