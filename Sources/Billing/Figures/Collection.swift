internal import Kernel
internal import Persistence
internal import Tenancy

/// Money of a tenant that reached one of our accounts, or left it for the tenant: a transfer of the ledger.
struct Collection: Sendable, Hashable {
    var tenant: TenantID
    var at: Timestamp
    /// Of the posting: `payment`, `credit_note`, `dispute`, …
    var kind: String
    var subject: String
    /// Below zero where it went back.
    var amount: Int64
}

/// What was collected, read from the ledger alone: transfers between cash and what tenants owe or have prepaid. Payouts, fees of providers and money
/// that nobody could be found for are not among them.
struct CollectionStore {
    let tx: PlatformTransaction

    /// By time.
    func collections(from start: Timestamp, to end: Timestamp, _ currency: String) throws -> [Collection] {
        let came = try tx.all(
            """
            SELECT c.owner, p.at, p.kind, p.subject, t.amount FROM ledger_postings p JOIN ledger_transfers t ON t.posting_id = p.id
            JOIN ledger_accounts d ON d.name = t.debit AND d.currency = t.currency JOIN ledger_accounts c ON c.name = t.credit AND c.currency = t.currency
            WHERE p.at >= \(start) AND p.at < \(end) AND t.currency = \(currency) AND d.kind = \(Account.Kind.cash)
                AND (c.kind = \(Account.Kind.receivable) OR c.kind = \(Account.Kind.wallet))
            """
        ) { try Self.read($0, sign: 1) }
        let left = try tx.all(
            """
            SELECT d.owner, p.at, p.kind, p.subject, t.amount FROM ledger_postings p JOIN ledger_transfers t ON t.posting_id = p.id
            JOIN ledger_accounts d ON d.name = t.debit AND d.currency = t.currency JOIN ledger_accounts c ON c.name = t.credit AND c.currency = t.currency
            WHERE p.at >= \(start) AND p.at < \(end) AND t.currency = \(currency) AND c.kind = \(Account.Kind.cash)
                AND (d.kind = \(Account.Kind.receivable) OR d.kind = \(Account.Kind.wallet))
            """
        ) { try Self.read($0, sign: -1) }
        return (came + left).sorted { ($0.at, $0.tenant, $0.amount) < ($1.at, $1.tenant, $1.amount) }
    }

    /// When each tenant paid for the first time.
    func firstPayments(before end: Timestamp, _ currency: String) throws -> [TenantID: Timestamp] {
        let rows: [(TenantID, Timestamp)] = try tx.all(
            """
            SELECT c.owner, MIN(p.at) FROM ledger_postings p JOIN ledger_transfers t ON t.posting_id = p.id
            JOIN ledger_accounts d ON d.name = t.debit AND d.currency = t.currency JOIN ledger_accounts c ON c.name = t.credit AND c.currency = t.currency
            WHERE p.kind = 'payment' AND p.at < \(end) AND t.currency = \(currency) AND d.kind = \(Account.Kind.cash)
                AND (c.kind = \(Account.Kind.receivable) OR c.kind = \(Account.Kind.wallet))
            GROUP BY c.owner
            """
        ) { (try Self.tenant(try $0.column(0)), try $0.column(1)) }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    private static func read(_ row: Row, sign: Int64) throws -> Collection {
        Collection(
            tenant: try tenant(try row.column(0)), at: try row.column(1), kind: try row.column(2), subject: try row.column(3),
            amount: sign * (try row.column(4, as: Int64.self)))
    }

    private static func tenant(_ text: String) throws -> TenantID {
        guard let id = TenantID(text) else { throw Refusal.missing("tenant") }
        return id
    }
}
