internal import Kernel
internal import Persistence

/// Money at the bank that no invoice was found for. It is in the bank's account once: as this, or as somebody's payment.
struct UnmatchedMoney {
    let tx: PlatformTransaction

    private static let bank = "bank"

    private func key(_ line: StatementLine) -> String { "unmatched:\(Self.bank):\(line.id)" }
    private var ledger: LedgerStore { LedgerStore(tx: tx) }

    /// The line by the name under which an earlier version noted it, where that did.
    func asNoted(_ line: StatementLine) throws -> StatementLine {
        guard let former = line.former else { return line }
        var known = line
        known.id = former.id
        let names = ["payment:\(Self.bank):\(former.id)", key(known)]
        for name in names {
            guard let posting = try ledger.posting(key: name), posting.at >= former.bookedAt else { continue }
            if posting.changes[Account(.cash, Self.bank, line.currency)] == line.amount { return known }
        }
        return line
    }

    /// Whether it is somebody's payment already.
    /// - Throws: `key_reused` where the bank's reference stands for another amount.
    func isNoted(_ line: StatementLine) throws -> Bool {
        guard let payment = try ledger.posting(key: "payment:\(Self.bank):\(line.id)") else { return false }
        guard payment.changes[Account(.cash, Self.bank, line.currency)] == line.amount else { throw Posting.conflict }
        return true
    }

    /// - Returns: whether it is new.
    /// - Throws: `key_reused` where the bank's reference stands for another amount.
    func enter(_ line: StatementLine) throws -> Bool {
        if try isNoted(line) { return false }
        let cash = Account(.cash, Self.bank, line.currency)
        return try ledger.post(
            Posting(
                id: tx.ids.next(), key: key(line), kind: "unmatched", subject: "\(Self.bank):\(line.id)", at: tx.clock.now(),
                transfers: [Transfer(line.amount, debit: cash, credit: Account(.unmatched, currency: line.currency))])
        ).isNew
    }

    /// It is a payment now. Told twice it changes nothing.
    /// - Throws: `key_reused` where the bank's reference stands for another amount.
    func leave(_ line: StatementLine) throws {
        guard let entered = try ledger.posting(key: key(line)) else { return }
        guard entered.changes[Account(.cash, Self.bank, line.currency)] == line.amount else { throw Posting.conflict }
        try ledger.post(try entered.reversal(id: tx.ids.next(), key: "matched:\(Self.bank):\(line.id)", at: tx.clock.now()))
    }
}
