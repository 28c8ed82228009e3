internal import Kernel
internal import Persistence

struct PaymentStore {
    let tx: TenantTransaction

    func insert(_ new: Payment) throws {
        try tx.execute(
            """
            INSERT INTO payments (tenant_id, id, provider, reference, currency, amount, refunded, invoice_id, status, at)
            VALUES (\(tx.tenant), \(new.id), \(new.provider), \(new.reference), \(new.currency), \(new.amount), \(new.refunded), \(new.invoice),
                \(new.status), \(new.at))
            """)
    }

    func update(_ payment: Payment) throws {
        try tx.execute(
            """
            UPDATE payments SET refunded = \(payment.refunded), status = \(payment.status)
            WHERE tenant_id = \(tx.tenant) AND id = \(payment.id)
            """)
    }

    func payment(_ id: PaymentID) throws -> Payment? {
        try tx.first(
            """
            SELECT id, provider, reference, currency, amount, refunded, invoice_id, status, at FROM payments
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
    }

    func payment(_ provider: String, _ reference: String) throws -> Payment? {
        try tx.first(
            """
            SELECT id, provider, reference, currency, amount, refunded, invoice_id, status, at FROM payments
            WHERE tenant_id = \(tx.tenant) AND provider = \(provider) AND reference = \(reference)
            """, Self.read)
    }

    /// Newest first.
    func page(before cursor: PaymentID?, limit: Int) throws -> [Payment] {
        let last = cursor ?? PaymentID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, provider, reference, currency, amount, refunded, invoice_id, status, at FROM payments
            WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    private static func read(_ row: Row) throws -> Payment {
        Payment(
            id: try row.column(0), provider: try row.column(1), reference: try row.column(2), currency: try row.column(3),
            amount: try row.column(4), refunded: try row.column(5), invoice: try row.column(6), status: try row.column(7), at: try row.column(8))
    }
}

extension Payment.Status: SQLBindable, SQLReadable {}
