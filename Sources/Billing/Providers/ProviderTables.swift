internal import Persistence

/// What is known of payments by way of providers.
enum ProviderTables {
    /// What an operator gave, sealed by the vault.
    static let settings = Table(
        "payment_providers", .platform, primaryKey: ["name"],
        columns: [Column("name", .text), Column("sealed", .blob), Column("updated_at", .timestamp)])

    /// Whose a provider's object is: a checkout, a payment, a saved method. Events name these, never a tenant.
    static let objects = Table(
        "provider_objects", .platform, primaryKey: ["provider", "reference"],
        columns: [
            Column("provider", .text), Column("reference", .text), Column("owner", .uuid), Column("invoice_id", .uuid, optional: true)
        ])

    /// Orders to providers that are still to be given, or whose answer we have not seen: written with what causes them.
    static let tasks = Table(
        "provider_tasks", .system, primaryKey: ["key"],
        columns: [
            Column("key", .text), Column("tenant_id", .uuid), Column("kind", .text), Column("subject", .uuid), Column("due_at", .timestamp),
            Column("attempts", .integer)
        ],
        indexes: [Index("provider_tasks_due", on: ["due_at"]), Index("provider_tasks_tenant", on: ["tenant_id"])],
        checks: [.oneOf(column: "kind", values: ProviderTask.Kind.allCases.map(\.rawValue))])

    /// Who a tenant is at a provider, and what it has saved there.
    static let customers = Table(
        "provider_customers", .tenant, primaryKey: ["provider"],
        columns: [
            Column("provider", .text), Column("customer", .text), Column("method", .text, optional: true), Column("label", .text, optional: true),
            Column("saved_at", .timestamp)
        ])

    /// Which invoices a payment paid.
    static let parts = Table(
        "payment_parts", .tenant, primaryKey: ["payment_id", "invoice_id"],
        columns: [Column("payment_id", .uuid), Column("invoice_id", .uuid), Column("amount", .integer)], checks: [.atLeast(column: "amount", 0)])

    /// What of a payment the payer's bank took back, while that is open and after.
    static let disputes = Table(
        "payment_disputes", .tenant, primaryKey: ["payment_id"],
        columns: [Column("payment_id", .uuid), Column("amount", .integer), Column("fee", .integer), Column("opened_at", .timestamp)],
        checks: [.atLeast(column: "amount", 0), .atLeast(column: "fee", 0)])

    /// Refunds as the provider does them, one for each credit note that goes back to a payment of one.
    static let refunds = Table(
        "provider_refunds", .tenant, primaryKey: ["note_id"],
        columns: [
            Column("note_id", .uuid), Column("payment_id", .uuid), Column("amount", .integer), Column("status", .text),
            Column("reference", .text, optional: true)
        ], checks: [.atLeast(column: "amount", 1), .oneOf(column: "status", values: ProviderRefund.Status.allCases.map(\.rawValue))])

    static let all = [settings, objects, tasks, customers, parts, disputes, refunds]
}
