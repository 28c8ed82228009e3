internal import Kernel
internal import Persistence

/// What a tenant earned and was paid in a time, from the ledger: `opening + the sum of the lines = closing`, in each currency.
struct EarningStatement: Sendable, Hashable {
    struct Line: Sendable, Hashable {
        var at: Timestamp
        /// The posting's: `sale_share`, `commission`, `payout`, …
        var kind: String
        var subject: String
        var currency: String
        /// Above zero where it was earned.
        var amount: Int64
    }

    var opening: [String: Int64] = [:]
    var lines: [Line] = []
    var closing: [String: Int64] = [:]

    static let linesMaximum = 20_000

    var csv: String {
        let head = opening.sorted { $0.key < $1.key }.map { ",opening,,\($0.key),\(decimal($0.value, $0.key))" }
        let body = lines.map { "\($0.at),\($0.kind),\($0.subject),\($0.currency),\(decimal($0.amount, $0.currency))" }
        let foot = closing.sorted { $0.key < $1.key }.map { ",closing,,\($0.key),\(decimal($0.value, $0.key))" }
        return (["at,kind,subject,currency,amount"] + head + body + foot).joined(separator: "\r\n") + "\r\n"
    }

    private func decimal(_ units: Int64, _ currency: String) -> String { Money(minorUnits: units, currency: currency).decimalText }
}

extension Billing {
    /// - Throws: `too_large` beyond `EarningStatement.linesMaximum` lines.
    func statement(of owner: TenantID, from start: Timestamp, to end: Timestamp) async throws -> EarningStatement {
        try await database.readPlatform { tx in
            let store = LedgerStore(tx: tx)
            let kinds: Set<Account.Kind> = [.seller, .affiliate, .hold]
            var statement = EarningStatement()
            for (account, balance) in try store.balances(of: owner.description) where kinds.contains(account.kind) {
                statement.closing[account.currency, default: 0] -= balance
            }
            var cursor: PostingID?
            // From now back to the start: what came after the end is taken from the balance first.
            while true {
                let part = try store.postings(of: owner.description, before: cursor, limit: Ledger.part)
                for posting in part {
                    for (currency, amount) in posting.earned(by: owner, kinds) where amount != 0 {
                        if posting.at >= end {
                            statement.closing[currency, default: 0] -= amount
                        } else if posting.at >= start {
                            statement.lines.append(
                                .init(at: posting.at, kind: posting.kind, subject: posting.subject, currency: currency, amount: amount))
                        }
                    }
                }
                guard statement.lines.count <= EarningStatement.linesMaximum else {
                    throw Refusal(
                        .tooLarge, "too_large", "The statement has more than \(EarningStatement.linesMaximum) lines; ask for a shorter time.")
                }
                guard part.count == Ledger.part, let last = part.last, last.at >= start else { break }
                cursor = last.id
            }
            statement.lines.reverse()
            statement.opening = statement.closing
            for line in statement.lines { statement.opening[line.currency, default: 0] -= line.amount }
            return statement
        }
    }
}

extension Posting {
    /// What it brought an owner, by currency; what only waits for a dispute brings nothing.
    fileprivate func earned(by owner: TenantID, _ kinds: Set<Account.Kind>) -> [String: Int64] {
        changes.reduce(into: [:]) { sums, change in
            if change.key.owner == owner.description, kinds.contains(change.key.kind) { sums[change.key.currency, default: 0] -= change.value }
        }
    }
}
