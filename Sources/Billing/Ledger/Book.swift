internal import Kernel

/// The ledger as a value: what the stores do, without a database. Tests hold the two against each other.
struct Book {
    private(set) var postings: [Posting] = []
    private(set) var balances: [Account: Int64] = [:]
    private var places: [String: Int] = [:]
    private var reversed: Set<PostingID> = []

    /// - Returns: the posting that the key stands for, and whether it is new.
    /// - Throws: `key_reused`, `already_reversed`, `insufficient_balance`; nothing has changed then.
    @discardableResult
    mutating func post(_ posting: Posting) throws -> (posting: Posting, isNew: Bool) {
        if let place = places[posting.key] {
            guard postings[place].digest == posting.digest else { throw Posting.conflict }
            return (postings[place], false)
        }
        if let undone = posting.reverses, reversed.contains(undone) { throw Posting.alreadyReversed }
        let changes = posting.changes
        for (account, change) in changes where account.kind.neverOverdrawn && change > 0 {
            guard balance(of: account) + change <= 0 else { throw Posting.overdrawn(account) }
        }
        for (account, change) in changes { balances[account, default: 0] += change }
        places[posting.key] = postings.count
        postings.append(posting)
        if let undone = posting.reverses { reversed.insert(undone) }
        return (posting, true)
    }

    func balance(of account: Account) -> Int64 { balances[account] ?? 0 }

    /// The balances that the postings alone give.
    func replayed() -> [Account: Int64] {
        postings.reduce(into: [:]) { sums, posting in
            for transfer in posting.transfers {
                sums[transfer.debit, default: 0] += transfer.amount
                sums[transfer.credit, default: 0] -= transfer.amount
            }
        }
    }
}
