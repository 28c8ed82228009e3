internal import Persistence

/// The ledger's tables. A transfer's row holds both sides and one amount, so that the database can hold nothing that is out of balance; its
/// sides reference accounts of the same currency; rows of postings and transfers are written once.
enum LedgerTables {
    static let accounts = Table(
        "ledger_accounts", .platform, primaryKey: ["name", "currency"],
        columns: [Column("name", .text), Column("currency", .text), Column("kind", .text), Column("owner", .text)],
        indexes: [Index("ledger_accounts_owner", on: ["owner"])],
        checks: [.oneOf(column: "kind", values: Account.Kind.allCases.map(\.rawValue))], isAppendOnly: true)

    /// A balance is the sum of its shards: the platform's accounts are in every posting, so that one row each would queue all tenants up.
    static let balances = Table(
        "ledger_balances", .platform, primaryKey: ["name", "currency", "shard"],
        columns: [Column("name", .text), Column("currency", .text), Column("shard", .integer), Column("balance", .integer)],
        foreignKeys: [ForeignKey(["name", "currency"], references: "ledger_accounts", ["name", "currency"])])

    static let postings = Table(
        "ledger_postings", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("key", .text), Column("digest", .text), Column("kind", .text), Column("subject", .text),
            Column("at", .timestamp), Column("reverses", .uuid, optional: true)
        ],
        indexes: [
            Index("ledger_postings_key", on: ["key"], unique: true),
            Index("ledger_postings_reverses", on: ["reverses"], unique: true, where: .isNotNull("reverses")),
            Index("ledger_postings_at", on: ["at", "id"]), Index("ledger_postings_subject", on: ["subject"])
        ],
        foreignKeys: [ForeignKey(["reverses"], references: "ledger_postings", ["id"])], isAppendOnly: true)

    static let transfers = Table(
        "ledger_transfers", .platform, primaryKey: ["posting_id", "line"],
        columns: [
            Column("posting_id", .uuid), Column("line", .integer), Column("debit", .text), Column("credit", .text), Column("currency", .text),
            Column("amount", .integer)
        ],
        indexes: [
            Index("ledger_transfers_debit", on: ["debit", "currency", "posting_id"]),
            Index("ledger_transfers_credit", on: ["credit", "currency", "posting_id"])
        ],
        foreignKeys: [
            ForeignKey(["posting_id"], references: "ledger_postings", ["id"]),
            ForeignKey(["debit", "currency"], references: "ledger_accounts", ["name", "currency"]),
            ForeignKey(["credit", "currency"], references: "ledger_accounts", ["name", "currency"])
        ],
        checks: [.atLeast(column: "amount", 1), .atMost(column: "amount", AmountBounds.minorUnitsMaximum)], isAppendOnly: true)

    /// A day's postings under one hash, which begins with that of the day before.
    static let seals = Table(
        "ledger_seals", .platform, primaryKey: ["day"],
        columns: [Column("day", .text), Column("postings", .integer), Column("hash", .text), Column("at", .timestamp)], isAppendOnly: true)

    static let all = [accounts, balances, postings, transfers, seals]
}
