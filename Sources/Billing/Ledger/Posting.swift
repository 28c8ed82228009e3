internal import Crypto
package import Kernel

package enum PostingTag {}
package typealias PostingID = ID<PostingTag>

/// One side of a transfer: what is held or owed, of whom, in one currency. Its balance is debits less credits: what we have is above zero,
/// what we owe or have earned is below.
package struct Account: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// What a tenant owes us.
        case receivable
        /// A tenant's prepaid credit.
        case wallet
        /// What a seller has earned and not been paid; below what it may be while a debt of theirs is netted.
        case seller
        /// What an affiliate has earned.
        case affiliate
        /// A seller's money that waits for a dispute.
        case hold
        /// Money at a bank or a provider.
        case cash
        /// Money that came without a reference we know.
        case unmatched
        case revenue, tax
        case providerFees = "provider_fees"
        /// What we have given up asking for.
        case badDebt = "bad_debt"

        /// Whether each tenant has one of its own.
        var isOfTenant: Bool {
            switch self {
            case .receivable, .wallet, .seller, .affiliate, .hold: true
            case .cash, .unmatched, .revenue, .tax, .providerFees, .badDebt: false
            }
        }

        /// Prepaid money cannot be spent twice.
        var neverOverdrawn: Bool { self == .wallet || self == .hold }
    }

    package let kind: Kind
    /// A tenant's id, or what tells the platform's own apart: `bank`, `stripe`, `DE`.
    package let owner: String
    package let currency: String

    package init(_ kind: Kind, of tenant: TenantID, _ currency: String) {
        precondition(kind.isOfTenant, "\(kind) is the platform's own")
        self.init(kind: kind, owner: tenant.description, currency: currency)
    }

    package init(_ kind: Kind, _ owner: String, _ currency: String) {
        precondition(!kind.isOfTenant, "\(kind) belongs to a tenant")
        self.init(kind: kind, owner: owner, currency: currency)
    }

    /// The platform's only one of its kind in a currency.
    package init(_ kind: Kind, currency: String) { self.init(kind, "platform", currency) }

    init(kind: Kind, owner: String, currency: String) {
        self.kind = kind
        self.owner = owner
        self.currency = currency
    }

    /// `wallet:0192…`; unique together with the currency.
    package var name: String { "\(kind.rawValue):\(owner)" }
    package var description: String { "\(name):\(currency)" }
    package static func < (left: Account, right: Account) -> Bool { (left.name, left.currency) < (right.name, right.currency) }
}

/// An amount that leaves one account and enters another: both sides are one value, so that nothing can be out of balance, here or in the table.
package struct Transfer: Sendable, Hashable {
    package let debit: Account
    package let credit: Account
    /// At least 1.
    package let amount: Int64

    package init(_ amount: Int64, debit: Account, credit: Account) {
        self.debit = debit
        self.credit = credit
        self.amount = amount
    }
}

/// What is written into the ledger at once, under a key that makes it happen once.
package struct Posting: Sendable, Hashable {
    package var id: PostingID
    /// `invoice:<id>`, `stripe:evt_…`: the same key with the same transfers is the same posting; with others it is a conflict.
    package var key: String
    package var kind: String
    /// What it is about, `invoice:<id>`.
    package var subject: String
    package var at: Timestamp
    package var transfers: [Transfer]
    /// The posting that this one undoes.
    package var reverses: PostingID?

    static let transfersMaximum = 100
    static let keyLengthMaximum = 200

    /// - Parameter transfers: those of nothing are left out; a negative amount flows the other way.
    /// - Throws: `bad_posting` where it is empty, too long, mixes currencies in a transfer, passes the bounds of an amount, or moves money from
    ///   one tenant to another past the platform's accounts.
    package init(
        id: PostingID, key: String, kind: String, subject: String, at: Timestamp, transfers: [Transfer], reverses: PostingID? = nil
    ) throws {
        let moved = transfers.filter { $0.amount != 0 }.map {
            $0.amount > 0 ? $0 : Transfer(-$0.amount, debit: $0.credit, credit: $0.debit)
        }
        guard (1...Self.transfersMaximum).contains(moved.count), (1...Self.keyLengthMaximum).contains(key.utf8.count) else {
            throw Self.refusal("A posting has 1 to \(Self.transfersMaximum) transfers and a key.")
        }
        for transfer in moved {
            guard transfer.debit.currency == transfer.credit.currency, transfer.debit != transfer.credit else {
                throw Self.refusal("A transfer joins two accounts of one currency.")
            }
            guard transfer.amount <= AmountBounds.minorUnitsMaximum else { throw Self.refusal("An amount is too large.") }
            if transfer.debit.kind.isOfTenant, transfer.credit.kind.isOfTenant, transfer.debit.owner != transfer.credit.owner {
                throw Self.refusal("Money of one tenant reaches another only by way of the platform.")
            }
        }
        self.id = id
        self.key = key
        self.kind = kind
        self.subject = subject
        self.at = at
        self.transfers = moved
        self.reverses = reverses
    }

    private static func refusal(_ text: String) -> Refusal { Refusal(.invalid, "bad_posting", text) }

    /// The posting that undoes this one.
    package func reversal(id: PostingID, key: String, at: Timestamp) throws -> Posting {
        try Posting(
            id: id, key: key, kind: "reversal", subject: subject, at: at,
            transfers: transfers.map { Transfer($0.amount, debit: $0.credit, credit: $0.debit) }, reverses: self.id)
    }

    /// What a repeated key must agree with: all but the id and the time.
    var digest: String {
        let lines = transfers.map { "\($0.debit) \($0.credit) \($0.amount)" }
        let text = ([kind, subject, reverses?.description ?? ""] + lines).joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).hexText
    }

    /// What each account's balance changes by.
    var changes: [Account: Int64] {
        var changes: [Account: Int64] = [:]
        for transfer in transfers {
            changes[transfer.debit, default: 0] += transfer.amount
            changes[transfer.credit, default: 0] -= transfer.amount
        }
        return changes
    }

    static let conflict = Refusal(.conflict, "key_reused", "This key stands for another posting.", field: "key")
    static let alreadyReversed = Refusal(.conflict, "already_reversed", "This posting is reversed already.")
    static func overdrawn(_ account: Account) -> Refusal {
        Refusal(
            .conflict, "insufficient_balance", "The balance of \(account.kind.rawValue) does not cover this.", arguments: ["account": account.name])
    }
}
