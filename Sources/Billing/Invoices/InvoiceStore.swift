internal import Foundation
internal import Kernel
internal import Persistence
internal import Tenancy

struct InvoiceStore {
    let tx: TenantTransaction

    /// Takes the next number of a series and notes whose it is.
    func number(_ series: String, for invoice: InvoiceID) throws -> Int64 {
        let platform = tx.platform
        try platform.execute("INSERT INTO invoice_series (name, last) VALUES (\(series), 0) ON CONFLICT (name) DO NOTHING")
        try platform.execute("UPDATE invoice_series SET last = last + 1 WHERE name = \(series)")
        let number: Int64? = try platform.first("SELECT last FROM invoice_series WHERE name = \(series)") { try $0.column(0) }
        guard let number else { preconditionFailure("a series that was just raised is there") }
        try platform.execute(
            "INSERT INTO invoice_numbers (series, number, owner, invoice_id) VALUES (\(series), \(number), \(tx.tenant.id), \(invoice))")
        return number
    }

    func insert(_ new: Invoice) throws {
        try tx.execute(
            """
            INSERT INTO invoices (tenant_id, id, kind, series, number, status, currency, subtotal, discount, tax, total, paid, credited, treatment,
                rate, tax_country, seller, buyer, issued_at, due_at, corrects, reminders)
            VALUES (\(tx.tenant), \(new.id), \(new.kind), \(new.series), \(new.number), \(new.status), \(new.currency), \(new.subtotal),
                \(new.discount), \(new.tax), \(new.total), \(new.paid), \(new.credited), \(new.treatment), \(new.rate.value), \(new.taxCountry),
                \(try Self.text(new.seller)), \(try Self.text(new.buyer)), \(new.issuedAt), \(new.dueAt), \(new.corrects), \(new.reminders))
            """)
        for (place, line) in new.lines.enumerated() {
            try tx.execute(
                """
                INSERT INTO invoice_lines (tenant_id, invoice_id, line, kind, plan, period_start, period_end, quantity, amount, discount, tax, item,
                    item_name)
                VALUES (\(tx.tenant), \(new.id), \(place), \(line.charge.kind), \(line.charge.plan.rawValue), \(line.charge.period.start),
                    \(line.charge.period.end), \(line.charge.quantity), \(line.charge.amount), \(line.discount), \(line.tax), \(line.charge.item?.code),
                    \(line.charge.item?.name))
                """)
        }
    }

    /// What of an invoice moves after it was issued: what is paid, what is taken back, its status, its reminders.
    func update(_ invoice: Invoice) throws {
        try tx.execute(
            """
            UPDATE invoices SET status = \(invoice.status), paid = \(invoice.paid), credited = \(invoice.credited), reminders = \(invoice.reminders)
            WHERE tenant_id = \(tx.tenant) AND id = \(invoice.id)
            """)
    }

    /// The same, and when it is due: what was paid is owed again.
    func reopen(_ invoice: Invoice) throws {
        try update(invoice)
        try tx.execute("UPDATE invoices SET due_at = \(invoice.dueAt) WHERE tenant_id = \(tx.tenant) AND id = \(invoice.id)")
    }

    /// Those of which something is paid, newest first.
    func paid(in currency: String) throws -> [InvoiceID] {
        try tx.all(
            """
            SELECT id FROM invoices WHERE tenant_id = \(tx.tenant) AND kind = \(Invoice.Kind.invoice) AND currency = \(currency) AND paid > 0
            ORDER BY id DESC
            """
        ) { try $0.column(0) }
    }

    func invoice(_ id: InvoiceID) throws -> Invoice? {
        let found = try tx.first(
            """
            SELECT id, kind, series, number, status, currency, subtotal, discount, tax, total, paid, credited, treatment, rate, tax_country, seller,
                buyer, issued_at, due_at, corrects, reminders
            FROM invoices WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.read)
        guard var invoice = found else { return nil }
        invoice.lines = try lines(of: id)
        return invoice
    }

    /// What an invoice charges for a period.
    enum Charged {
        case addon(String)
        /// The plan itself.
        case plan
        case anything
    }

    /// Those that charge something for what began at or after a moment, newest first.
    func charging(_ what: Charged, since start: Timestamp) throws -> [InvoiceID] {
        let condition: SQL =
            switch what {
            case .addon(let code): "item = \(code)"
            case .plan: "item IS NULL"
            case .anything: "1 = 1"
            }
        return try tx.all(
            """
            SELECT DISTINCT invoice_id FROM invoice_lines
            WHERE tenant_id = \(tx.tenant) AND \(part: condition) AND period_start >= \(start)
                AND kind IN \(list: [Charge.Kind.plan, Charge.Kind.remaining])
            ORDER BY invoice_id DESC
            """
        ) { try $0.column(0) }
    }

    /// When the period began that a plan was charged for last. A pause moves the period, and not this.
    func chargedFrom() throws -> Timestamp? {
        try tx.first(
            """
            SELECT period_start FROM invoice_lines WHERE tenant_id = \(tx.tenant) AND kind = \(Charge.Kind.plan) AND item IS NULL
            ORDER BY period_start DESC LIMIT 1
            """
        ) { try $0.column(0) }
    }

    /// What was charged last for a plan itself: a whole period of it, or the rest of one.
    func lastCharge(of plan: PlanName) throws -> Charge? {
        try tx.first(
            """
            SELECT kind, period_start, period_end, amount FROM invoice_lines
            WHERE tenant_id = \(tx.tenant) AND plan = \(plan.rawValue) AND item IS NULL
                AND kind IN \(list: [Charge.Kind.plan, Charge.Kind.remaining])
            ORDER BY invoice_id DESC, line DESC LIMIT 1
            """
        ) { row in
            Charge(
                kind: try row.column(0), plan: plan, period: BillingPeriod(start: try row.column(1), end: try row.column(2)),
                amount: try row.column(3))
        }
    }

    /// Executions beyond the included ones that are charged of what was used from a moment on.
    func chargedUsage(since start: Timestamp) throws -> Int64 {
        let quantities: [Int64] = try tx.all(
            """
            SELECT quantity FROM invoice_lines
            WHERE tenant_id = \(tx.tenant) AND kind = \(Charge.Kind.overage) AND period_start >= \(start)
            """
        ) { try $0.column(0) }
        return quantities.reduce(0, +)
    }

    /// Newest first, without their lines.
    func page(before cursor: InvoiceID?, limit: Int) throws -> [Invoice] {
        let last = cursor ?? InvoiceID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, kind, series, number, status, currency, subtotal, discount, tax, total, paid, credited, treatment, rate, tax_country, seller,
                buyer, issued_at, due_at, corrects, reminders
            FROM invoices WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Oldest due first, without their lines.
    func open() throws -> [Invoice] {
        try tx.all(
            """
            SELECT id, kind, series, number, status, currency, subtotal, discount, tax, total, paid, credited, treatment, rate, tax_country, seller,
                buyer, issued_at, due_at, corrects, reminders
            FROM invoices WHERE tenant_id = \(tx.tenant) AND status = \(Invoice.Status.open) ORDER BY due_at, id
            """, Self.read)
    }

    private func lines(of id: InvoiceID) throws -> [InvoiceLine] {
        try tx.all(
            """
            SELECT kind, plan, period_start, period_end, quantity, amount, discount, tax, item, item_name FROM invoice_lines
            WHERE tenant_id = \(tx.tenant) AND invoice_id = \(id) ORDER BY line
            """
        ) { row in
            let code: String? = try row.column(8)
            let name: String? = try row.column(9)
            return InvoiceLine(
                charge: Charge(
                    kind: try row.column(0), plan: try PlanName(stored: try row.column(1)),
                    period: BillingPeriod(start: try row.column(2), end: try row.column(3)), quantity: try row.column(4),
                    amount: try row.column(5), item: code.map { ChargeItem(code: $0, name: name ?? $0) }, discount: try row.column(6)),
                tax: try row.column(7))
        }
    }

    private static func text(_ party: Party) throws -> String { String(decoding: try JSONEncoder().encode(party), as: UTF8.self) }

    private static func read(_ row: Row) throws -> Invoice {
        func party(_ place: Int) throws -> Party {
            try JSONDecoder().decode(Party.self, from: Data(try row.column(place, as: String.self).utf8))
        }
        return Invoice(
            id: try row.column(0), kind: try row.column(1), number: try row.column(3), series: try row.column(2), status: try row.column(4),
            currency: try row.column(5), subtotal: try row.column(6), discount: try row.column(7), tax: try row.column(8), total: try row.column(9),
            paid: try row.column(10), credited: try row.column(11), treatment: try row.column(12), rate: try BasisPoints(try row.column(13)),
            taxCountry: try row.column(14), seller: try party(15), buyer: try party(16), issuedAt: try row.column(17), dueAt: try row.column(18),
            corrects: try row.column(19), reminders: try row.column(20), lines: [])
    }
}

/// Whose invoice a number is.
struct InvoiceNumberStore {
    let tx: PlatformTransaction

    func find(_ series: String, _ number: Int64) throws -> (owner: TenantID, invoice: InvoiceID)? {
        try tx.first("SELECT owner, invoice_id FROM invoice_numbers WHERE series = \(series) AND number = \(number)") {
            (try $0.column(0), try $0.column(1))
        }
    }

    /// - Returns: whether this event is new.
    func note(provider: String, event: String, kind: String) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO provider_events (provider, event, kind, at) VALUES (\(provider), \(event), \(kind), \(tx.clock.now()))
            ON CONFLICT (provider, event) DO NOTHING
            """) == 1
    }
}

extension Invoice.Kind: SQLBindable, SQLReadable {}
extension Invoice.Status: SQLBindable, SQLReadable {}
extension VATRules.Treatment: SQLBindable, SQLReadable {}
extension Charge.Kind: SQLBindable, SQLReadable {}
