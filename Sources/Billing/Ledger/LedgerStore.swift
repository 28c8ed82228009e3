internal import Kernel
internal import Persistence

/// The ledger in the database; see `Book` for the same as a value.
struct LedgerStore {
    let tx: PlatformTransaction

    static let shards = 16

    /// - Returns: the posting that the key stands for, and whether it is new.
    /// - Throws: `key_reused`, `already_reversed`, `insufficient_balance`; the transaction must not go on then.
    @discardableResult
    func post(_ posting: Posting) throws -> (id: PostingID, isNew: Bool) {
        if let known = try tx.first("SELECT id, digest FROM ledger_postings WHERE key = \(posting.key)") {
            guard try known.column(1) == posting.digest else { throw Posting.conflict }
            return (try known.column(0), false)
        }
        if let undone = posting.reverses, try tx.first("SELECT id FROM ledger_postings WHERE reverses = \(undone)") != nil {
            throw Posting.alreadyReversed
        }
        let changes = posting.changes.sorted { $0.key < $1.key }
        for (account, _) in changes { try open(account) }
        try insert(posting)
        for (account, change) in changes where change != 0 { try apply(change, to: account, posting) }
        return (posting.id, true)
    }

    func balance(of account: Account) throws -> Int64 {
        let parts: [Int64] = try tx.all(
            "SELECT balance FROM ledger_balances WHERE name = \(account.name) AND currency = \(account.currency)"
        ) { try $0.column(0) }
        return parts.reduce(0, +)
    }

    func balances() throws -> [Account: Int64] {
        Self.summed(
            try tx.all(
                """
                SELECT a.kind, a.owner, a.currency, b.balance FROM ledger_accounts a
                JOIN ledger_balances b ON b.name = a.name AND b.currency = a.currency
                """, Self.readBalance))
    }

    func balances(of owner: String) throws -> [Account: Int64] {
        Self.summed(
            try tx.all(
                """
                SELECT a.kind, a.owner, a.currency, b.balance FROM ledger_accounts a
                JOIN ledger_balances b ON b.name = a.name AND b.currency = a.currency WHERE a.owner = \(owner)
                """, Self.readBalance))
    }

    private static func readBalance(_ row: Row) throws -> (Account, Int64) {
        (Account(kind: try row.column(0), owner: try row.column(1), currency: try row.column(2)), try row.column(3))
    }

    private static func summed(_ rows: [(Account, Int64)]) -> [Account: Int64] { rows.reduce(into: [:]) { $0[$1.0, default: 0] += $1.1 } }

    /// Postings with `at` from `start` to before `end`, in order, after a place in it.
    func postings(from start: Timestamp, to end: Timestamp, after last: Posting?, limit: Int) throws -> [Posting] {
        let (time, id) = (last?.at ?? start, last?.id ?? PostingID(high: 0, low: 0))
        return try filled(
            try tx.all(
                """
                SELECT id, key, kind, subject, at, reverses FROM ledger_postings
                WHERE at >= \(time) AND at < \(end) AND (at > \(time) OR id > \(id)) ORDER BY at, id LIMIT \(limit)
                """, Self.read))
    }

    /// Newest first, those that touch one owner's accounts.
    func postings(of owner: String, before cursor: PostingID?, limit: Int) throws -> [Posting] {
        let last = cursor ?? PostingID(high: .max, low: .max)
        return try filled(
            try tx.all(
                """
                SELECT id, key, kind, subject, at, reverses FROM ledger_postings WHERE id < \(last) AND id IN (
                    SELECT t.posting_id FROM ledger_transfers t JOIN ledger_accounts a
                    ON a.currency = t.currency AND (a.name = t.debit OR a.name = t.credit) WHERE a.owner = \(owner))
                ORDER BY id DESC LIMIT \(limit)
                """, Self.read))
    }

    /// All of a kind that are about one thing, oldest first.
    func postings(_ kind: String, about subject: String) throws -> [Posting] {
        try filled(
            try tx.all(
                """
                SELECT id, key, kind, subject, at, reverses FROM ledger_postings WHERE subject = \(subject) AND kind = \(kind) ORDER BY at, id
                """, Self.read))
    }

    func posting(_ id: PostingID) throws -> Posting? {
        try filled(try tx.all("SELECT id, key, kind, subject, at, reverses FROM ledger_postings WHERE id = \(id)", Self.read)).first
    }

    func posting(key: String) throws -> Posting? {
        try filled(try tx.all("SELECT id, key, kind, subject, at, reverses FROM ledger_postings WHERE key = \(key)", Self.read)).first
    }

    func lastSeal() throws -> LedgerSeal? {
        try tx.first("SELECT day, postings, hash FROM ledger_seals ORDER BY day DESC LIMIT 1", Self.readSeal)
    }

    func seals(after day: String, limit: Int) throws -> [LedgerSeal] {
        try tx.all("SELECT day, postings, hash FROM ledger_seals WHERE day > \(day) ORDER BY day LIMIT \(limit)", Self.readSeal)
    }

    func firstDay() throws -> Timestamp? {
        try tx.first("SELECT at FROM ledger_postings ORDER BY at, id LIMIT 1") { try $0.column(0) }
    }

    func insert(_ seal: LedgerSeal) throws {
        try tx.execute(
            "INSERT INTO ledger_seals (day, postings, hash, at) VALUES (\(seal.day), \(seal.postings), \(seal.hash), \(tx.clock.now()))")
    }

    private func open(_ account: Account) throws {
        try tx.execute(
            """
            INSERT INTO ledger_accounts (name, currency, kind, owner) VALUES (\(account.name), \(account.currency), \(account.kind), \(account.owner))
            ON CONFLICT (name, currency) DO NOTHING
            """)
    }

    private func insert(_ posting: Posting) throws {
        try tx.execute(
            """
            INSERT INTO ledger_postings (id, key, digest, kind, subject, at, reverses)
            VALUES (\(posting.id), \(posting.key), \(posting.digest), \(posting.kind), \(posting.subject), \(posting.at), \(posting.reverses))
            """)
        for (line, transfer) in posting.transfers.enumerated() {
            try tx.execute(
                """
                INSERT INTO ledger_transfers (posting_id, line, debit, credit, currency, amount)
                VALUES (\(posting.id), \(line), \(transfer.debit.name), \(transfer.credit.name), \(transfer.debit.currency), \(transfer.amount))
                """)
        }
    }

    private func apply(_ change: Int64, to account: Account, _ posting: Posting) throws {
        let shard = account.kind.isOfTenant ? 0 : Int(posting.id.low % UInt64(Self.shards))
        try tx.execute(
            """
            INSERT INTO ledger_balances (name, currency, shard, balance) VALUES (\(account.name), \(account.currency), \(shard), 0)
            ON CONFLICT (name, currency, shard) DO NOTHING
            """)
        // What is prepaid may be spent down to nothing; what else there is has no floor.
        let ceiling = account.kind.neverOverdrawn && change > 0 ? 0 : Int64.max
        let changed = try tx.execute(
            """
            UPDATE ledger_balances SET balance = balance + \(change)
            WHERE name = \(account.name) AND currency = \(account.currency) AND shard = \(shard) AND balance + \(change) <= \(ceiling)
            """)
        guard changed == 1 else { throw Posting.overdrawn(account) }
    }

    private func filled(_ heads: [Head]) throws -> [Posting] {
        try heads.map { head in
            let transfers: [Transfer] = try tx.all(
                """
                SELECT d.kind, d.owner, c.kind, c.owner, t.currency, t.amount FROM ledger_transfers t
                JOIN ledger_accounts d ON d.name = t.debit AND d.currency = t.currency
                JOIN ledger_accounts c ON c.name = t.credit AND c.currency = t.currency WHERE t.posting_id = \(head.id) ORDER BY t.line
                """
            ) { row in
                let currency: String = try row.column(4)
                return Transfer(
                    try row.column(5), debit: Account(kind: try row.column(0), owner: try row.column(1), currency: currency),
                    credit: Account(kind: try row.column(2), owner: try row.column(3), currency: currency))
            }
            return try Posting(
                id: head.id, key: head.key, kind: head.kind, subject: head.subject, at: head.at, transfers: transfers, reverses: head.reverses)
        }
    }

    private struct Head {
        var id: PostingID
        var key, kind, subject: String
        var at: Timestamp
        var reverses: PostingID?
    }

    private static func read(_ row: Row) throws -> Head {
        Head(
            id: try row.column(0), key: try row.column(1), kind: try row.column(2), subject: try row.column(3), at: try row.column(4),
            reverses: try row.column(5))
    }

    private static func readSeal(_ row: Row) throws -> LedgerSeal {
        LedgerSeal(day: try row.column(0), postings: try row.column(1), hash: try row.column(2))
    }
}

extension Account.Kind: SQLBindable, SQLReadable {}
