internal import Kernel
internal import Persistence

enum PayoutTables {
    static let payees = Table(
        "payees", .platform, primaryKey: ["owner"],
        columns: [
            Column("owner", .uuid), Column("provider", .text), Column("destination", .blob), Column("tax_form", .blob), Column("schedule", .text),
            Column("minimum", .integer), Column("next_payout_at", .timestamp)
        ],
        indexes: [Index("payees_next", on: ["next_payout_at"])],
        checks: [
            .oneOf(column: "schedule", values: Payee.Schedule.allCases.map(\.rawValue)), .oneOf(column: "provider", values: Payee.providers),
            .atLeast(column: "minimum", 1)
        ])

    static let payouts = Table(
        "payouts", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("owner", .uuid), Column("provider", .text), Column("currency", .text), Column("sales", .integer),
            Column("commissions", .integer), Column("status", .text), Column("reference", .text, optional: true),
            Column("reason", .text, optional: true), Column("attempts", .integer), Column("due_at", .timestamp), Column("made_at", .timestamp)
        ],
        indexes: [
            Index("payouts_owner", on: ["owner", "id"]), Index("payouts_reference", on: ["provider", "reference"]),
            Index("payouts_pending", on: ["due_at"], where: .equals("status", "pending"))
        ],
        checks: [.oneOf(column: "status", values: Payout.Status.allCases.map(\.rawValue))])

    static let all = [payees, payouts]
}

struct PayeeStore {
    let tx: PlatformTransaction

    func payee(_ owner: TenantID) throws -> Payee? {
        try tx.first(
            "SELECT owner, provider, destination, tax_form, schedule, minimum, next_payout_at FROM payees WHERE owner = \(owner)", Self.read)
    }

    func save(_ payee: Payee) throws {
        try tx.execute(
            """
            INSERT INTO payees (owner, provider, destination, tax_form, schedule, minimum, next_payout_at)
            VALUES (\(payee.owner), \(payee.provider), \(payee.destination), \(payee.taxForm), \(payee.schedule), \(payee.minimum),
                \(payee.nextPayoutAt))
            ON CONFLICT (owner) DO UPDATE SET provider = excluded.provider, destination = excluded.destination, tax_form = excluded.tax_form,
                schedule = excluded.schedule, minimum = excluded.minimum, next_payout_at = excluded.next_payout_at
            """)
    }

    /// - Returns: false where there was none.
    func remove(_ owner: TenantID) throws -> Bool { try tx.execute("DELETE FROM payees WHERE owner = \(owner)") == 1 }

    /// Earliest first, from after one.
    func due(at now: Timestamp, after last: Payee?, limit: Int) throws -> [Payee] {
        let (time, owner) = (last?.nextPayoutAt ?? Timestamp(microseconds: 0), last?.owner ?? TenantID(high: 0, low: 0))
        return try tx.all(
            """
            SELECT owner, provider, destination, tax_form, schedule, minimum, next_payout_at FROM payees
            WHERE next_payout_at <= \(now) AND next_payout_at >= \(time) AND (next_payout_at > \(time) OR owner > \(owner))
            ORDER BY next_payout_at, owner LIMIT \(limit)
            """, Self.read)
    }

    func insert(_ new: Payout) throws {
        try tx.execute(
            """
            INSERT INTO payouts (id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at)
            VALUES (\(new.id), \(new.owner), \(new.provider), \(new.currency), \(new.sales), \(new.commissions), \(new.status), \(new.reference),
                \(new.reason), \(new.attempts), \(new.dueAt), \(new.madeAt))
            """)
    }

    func update(_ payout: Payout) throws {
        try tx.execute(
            """
            UPDATE payouts SET status = \(payout.status), reference = \(payout.reference), reason = \(payout.reason), attempts = \(payout.attempts),
                due_at = \(payout.dueAt)
            WHERE id = \(payout.id)
            """)
    }

    func payout(_ id: PayoutID) throws -> Payout? {
        try tx.first(
            """
            SELECT id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at FROM payouts
            WHERE id = \(id)
            """, Self.readPayout)
    }

    func payout(_ reference: String, at provider: String) throws -> Payout? {
        try tx.first(
            """
            SELECT id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at FROM payouts
            WHERE provider = \(provider) AND reference = \(reference)
            """, Self.readPayout)
    }

    /// - Parameter key: of our order, which stands in the place of the reference while that is not known here.
    func payout(_ reference: String, key: String?, at provider: String) throws -> Payout? {
        if let found = try payout(reference, at: provider) { return found }
        guard let key else { return nil }
        return try payout(key, at: provider)
    }

    /// Newest first.
    func page(of owner: TenantID, before cursor: PayoutID?, limit: Int) throws -> [Payout] {
        let last = cursor ?? PayoutID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at FROM payouts
            WHERE owner = \(owner) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.readPayout)
    }

    /// Those that are still to be ordered, earliest first, from after one: at providers, or by a file for a bank, which may let them wait.
    func pending(at now: Timestamp, toBanks: Bool, after last: Payout? = nil, limit: Int) throws -> [Payout] {
        let (time, id) = (last?.dueAt ?? Timestamp(microseconds: 0), last?.id ?? PayoutID(high: 0, low: 0))
        return try tx.all(
            """
            SELECT id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at FROM payouts
            WHERE status = \(Payout.Status.pending) AND due_at <= \(now) AND (provider = \(Payee.bank)) = \(toBanks)
                AND due_at >= \(time) AND (due_at > \(time) OR id > \(id))
            ORDER BY due_at, id LIMIT \(limit)
            """, Self.readPayout)
    }

    func pending(of owner: TenantID) throws -> [Payout] {
        try tx.all(
            """
            SELECT id, owner, provider, currency, sales, commissions, status, reference, reason, attempts, due_at, made_at FROM payouts
            WHERE owner = \(owner) AND status = \(Payout.Status.pending) ORDER BY id
            """, Self.readPayout)
    }

    private static func read(_ row: Row) throws -> Payee {
        Payee(
            owner: try row.column(0), provider: try row.column(1), destination: try row.column(2), taxForm: try row.column(3),
            schedule: try row.column(4), minimum: try row.column(5), nextPayoutAt: try row.column(6))
    }

    private static func readPayout(_ row: Row) throws -> Payout {
        Payout(
            id: try row.column(0), owner: try row.column(1), provider: try row.column(2), currency: try row.column(3), sales: try row.column(4),
            commissions: try row.column(5), status: try row.column(6), reference: try row.column(7), reason: try row.column(8),
            attempts: try row.column(9), dueAt: try row.column(10), madeAt: try row.column(11))
    }
}

extension Payee.Schedule: SQLBindable, SQLReadable {}
extension Payout.Status: SQLBindable, SQLReadable {}
