internal import Kernel
internal import Persistence

/// An order to a provider that is still to be given.
struct ProviderTask: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable { case charge, refund }

    /// Under which the provider does it once.
    var key: String
    var tenant: TenantID
    var kind: Kind
    /// The invoice that is paid, or the credit note that goes back.
    var subject: InvoiceID
    var attempts: Int

    /// More tries than this, over a day, are left to people; a charge that is still undecided after a month is no longer waited for.
    var attemptsMaximum: Int { lookup == nil ? 14 : 120 }
    /// From one try to the next: a quarter of a minute, doubled each time up to six hours.
    var pause: Duration { .seconds(lookup == nil ? min(15 << min(max(attempts - 1, 0), 11), 21_600) : 21_600) }

    /// Asks about a charge that is decided later. While it is there, the invoice is not charged again.
    static func lookup(of reference: String, at provider: String, for invoice: InvoiceID, of tenant: TenantID) -> ProviderTask {
        ProviderTask(key: "\(lookupMark)\(provider):\(reference)", tenant: tenant, kind: .charge, subject: invoice, attempts: 1)
    }

    /// The charge that it asks about; nil for what is an order.
    var lookup: (provider: String, reference: String)? {
        guard key.hasPrefix(Self.lookupMark) else { return nil }
        let parts = key.dropFirst(Self.lookupMark.count).split(separator: ":", maxSplits: 1).map(String.init)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }

    private static let lookupMark = "lookup:"
    /// Until it is asked about for the first time: webhooks tell before.
    static let lookupPause: Duration = .seconds(3_600)
}

struct ProviderRefund: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, CaseIterable { case pending, done, failed }
    var note: InvoiceID
    var payment: PaymentID
    var amount: Int64
    var status: Status
    /// The provider's; while it is pending, what marks that the provider may have the order.
    var reference: String?
}

struct ProviderSettingStore {
    let tx: PlatformTransaction

    func sealed(_ name: String) throws -> [UInt8]? {
        try tx.first("SELECT sealed FROM payment_providers WHERE name = \(name)") { try $0.column(0) }
    }

    func save(_ name: String, _ sealed: [UInt8]) throws {
        try tx.execute(
            """
            INSERT INTO payment_providers (name, sealed, updated_at) VALUES (\(name), \(sealed), \(tx.clock.now()))
            ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at
            """)
    }
}

/// Whose a provider's objects are.
struct ProviderObjectStore {
    let tx: PlatformTransaction

    func note(_ provider: String, _ reference: String, of owner: TenantID, _ invoice: InvoiceID?) throws {
        try tx.execute(
            """
            INSERT INTO provider_objects (provider, reference, owner, invoice_id) VALUES (\(provider), \(reference), \(owner), \(invoice))
            ON CONFLICT (provider, reference) DO NOTHING
            """)
    }

    func owner(_ provider: String, _ reference: String) throws -> TenantID? {
        try tx.first("SELECT owner FROM provider_objects WHERE provider = \(provider) AND reference = \(reference)") { try $0.column(0) }
    }
}

struct ProviderTaskStore {
    let tx: SystemTransaction

    func add(_ task: ProviderTask, at time: Timestamp) throws {
        try tx.execute(
            """
            INSERT INTO provider_tasks (key, tenant_id, kind, subject, due_at, attempts)
            VALUES (\(task.key), \(task.tenant), \(task.kind), \(task.subject), \(time), \(task.attempts)) ON CONFLICT (key) DO NOTHING
            """)
    }

    func later(_ task: ProviderTask, at time: Timestamp) throws {
        try tx.execute("UPDATE provider_tasks SET due_at = \(time), attempts = \(task.attempts) WHERE key = \(task.key)")
    }

    func remove(_ key: String) throws { _ = try finish(key) }

    /// The same, of one that may be given twice at once.
    /// - Returns: whether it was still there.
    func finish(_ key: String) throws -> Bool { try tx.execute("DELETE FROM provider_tasks WHERE key = \(key)") == 1 }

    func isThere(_ key: String) throws -> Bool { try tx.first("SELECT key FROM provider_tasks WHERE key = \(key)") != nil }

    /// Whether a charge of an invoice is still to be decided by its provider.
    func isUndecided(_ invoice: InvoiceID, of tenant: TenantID) throws -> Bool {
        try tx.all(
            """
            SELECT key, tenant_id, kind, subject, attempts FROM provider_tasks
            WHERE tenant_id = \(tenant) AND kind = \(ProviderTask.Kind.charge) AND subject = \(invoice)
            """, Self.read
        ).contains { $0.lookup != nil }
    }

    /// Those of the same kind for the same thing that were not tried yet.
    func removeOthers(like task: ProviderTask) throws {
        try tx.execute(
            "DELETE FROM provider_tasks WHERE tenant_id = \(task.tenant) AND kind = \(task.kind) AND subject = \(task.subject) AND attempts = 0")
    }

    /// Earliest first, of all tenants or of one.
    func due(at now: Timestamp, of tenant: TenantID?, limit: Int) throws -> [ProviderTask] {
        guard let tenant else {
            return try tx.all(
                "SELECT key, tenant_id, kind, subject, attempts FROM provider_tasks WHERE due_at <= \(now) ORDER BY due_at, key LIMIT \(limit)",
                Self.read)
        }
        return try tx.all(
            """
            SELECT key, tenant_id, kind, subject, attempts FROM provider_tasks WHERE tenant_id = \(tenant) AND due_at <= \(now)
            ORDER BY due_at, key LIMIT \(limit)
            """, Self.read)
    }

    private static func read(_ row: Row) throws -> ProviderTask {
        ProviderTask(
            key: try row.column(0), tenant: try row.column(1), kind: try row.column(2), subject: try row.column(3), attempts: try row.column(4))
    }
}

/// Who a tenant is at its providers.
struct ProviderCustomerStore {
    let tx: TenantTransaction

    struct Customer: Sendable, Hashable {
        var provider: String
        var customer: String
        var method: String?
        var label: String?
        var savedAt: Timestamp
    }

    /// The one saved last first: that one is charged.
    func all() throws -> [Customer] {
        try tx.all(
            """
            SELECT provider, customer, method, label, saved_at FROM provider_customers WHERE tenant_id = \(tx.tenant)
            ORDER BY saved_at DESC, provider
            """
        ) { row in
            Customer(
                provider: try row.column(0), customer: try row.column(1), method: try row.column(2), label: try row.column(3),
                savedAt: try row.column(4))
        }
    }

    func customer(_ provider: String) throws -> Customer? { try all().first { $0.provider == provider } }

    /// What invoices are paid with by themselves; nil where nothing is saved.
    func charged() throws -> Customer? { try all().first { $0.method != nil } }

    func save(_ customer: Customer) throws {
        try tx.execute(
            """
            INSERT INTO provider_customers (tenant_id, provider, customer, method, label, saved_at)
            VALUES (\(tx.tenant), \(customer.provider), \(customer.customer), \(customer.method), \(customer.label), \(customer.savedAt))
            ON CONFLICT (tenant_id, provider) DO UPDATE SET customer = excluded.customer, method = excluded.method, label = excluded.label,
                saved_at = excluded.saved_at
            """)
    }
}

/// What payments paid, what of them is disputed, and what goes back.
struct PaymentPartStore {
    let tx: TenantTransaction

    func add(_ payment: PaymentID, _ invoice: InvoiceID, _ amount: Int64) throws {
        try tx.execute(
            """
            INSERT INTO payment_parts (tenant_id, payment_id, invoice_id, amount) VALUES (\(tx.tenant), \(payment), \(invoice), \(amount))
            ON CONFLICT (tenant_id, payment_id, invoice_id) DO NOTHING
            """)
    }

    /// The invoices that a payment paid, the one made last first, each with how much of it.
    func parts(of payment: PaymentID) throws -> [(invoice: InvoiceID, amount: Int64)] {
        try tx.all(
            "SELECT invoice_id, amount FROM payment_parts WHERE tenant_id = \(tx.tenant) AND payment_id = \(payment) ORDER BY invoice_id DESC"
        ) { (try $0.column(0), try $0.column(1)) }
    }

    /// Whether a bank has taken a payment back and what it paid is not paid again.
    func isSuspending() throws -> Bool {
        let isOpen =
            try tx.first(
                "SELECT id FROM payments WHERE tenant_id = \(tx.tenant) AND status = \(Payment.Status.disputed) LIMIT 1") != nil
        if isOpen { return true }
        return try tx.first(
            """
            SELECT invoice_id FROM payment_parts WHERE tenant_id = \(tx.tenant)
            AND payment_id IN (SELECT id FROM payments WHERE tenant_id = \(tx.tenant) AND status = \(Payment.Status.reversed))
            AND invoice_id IN (SELECT id FROM invoices WHERE tenant_id = \(tx.tenant) AND status = \(Invoice.Status.open)) LIMIT 1
            """) != nil
    }

    func open(_ payment: PaymentID, amount: Int64, fee: Int64, at time: Timestamp) throws {
        try tx.execute(
            """
            INSERT INTO payment_disputes (tenant_id, payment_id, amount, fee, opened_at)
            VALUES (\(tx.tenant), \(payment), \(amount), \(fee), \(time)) ON CONFLICT (tenant_id, payment_id) DO NOTHING
            """)
    }

    /// What a bank took of a payment; nil where it never did.
    func disputed(_ payment: PaymentID) throws -> Int64? {
        try tx.first("SELECT amount FROM payment_disputes WHERE tenant_id = \(tx.tenant) AND payment_id = \(payment)") { try $0.column(0) }
    }

    /// Whether a bank disputes a payment that paid an invoice.
    func isDisputed(_ invoice: InvoiceID) throws -> Bool { try hasPayment(invoice, .disputed) }

    /// Whether a bank has taken back for good what had paid an invoice.
    func isLost(_ invoice: InvoiceID) throws -> Bool { try hasPayment(invoice, .reversed) }

    private func hasPayment(_ invoice: InvoiceID, _ status: Payment.Status) throws -> Bool {
        try tx.first(
            """
            SELECT payment_id FROM payment_parts WHERE tenant_id = \(tx.tenant) AND invoice_id = \(invoice)
            AND payment_id IN (SELECT id FROM payments WHERE tenant_id = \(tx.tenant) AND status = \(status)) LIMIT 1
            """) != nil
    }

    func fee(_ payment: PaymentID) throws -> Int64 {
        try tx.first("SELECT fee FROM payment_disputes WHERE tenant_id = \(tx.tenant) AND payment_id = \(payment)") { try $0.column(0) } ?? 0
    }

    func insert(_ refund: ProviderRefund) throws {
        try tx.execute(
            """
            INSERT INTO provider_refunds (tenant_id, note_id, payment_id, amount, status, reference)
            VALUES (\(tx.tenant), \(refund.note), \(refund.payment), \(refund.amount), \(refund.status), \(refund.reference))
            """)
    }

    func update(_ refund: ProviderRefund) throws {
        try tx.execute(
            """
            UPDATE provider_refunds SET status = \(refund.status), reference = \(refund.reference)
            WHERE tenant_id = \(tx.tenant) AND note_id = \(refund.note)
            """)
    }

    func refund(_ note: InvoiceID) throws -> ProviderRefund? {
        try tx.first(
            "SELECT note_id, payment_id, amount, status, reference FROM provider_refunds WHERE tenant_id = \(tx.tenant) AND note_id = \(note)"
        ) { row in
            ProviderRefund(
                note: try row.column(0), payment: try row.column(1), amount: try row.column(2), status: try row.column(3),
                reference: try row.column(4))
        }
    }
}

extension ProviderTask.Kind: SQLBindable, SQLReadable {}
extension ProviderRefund.Status: SQLBindable, SQLReadable {}
