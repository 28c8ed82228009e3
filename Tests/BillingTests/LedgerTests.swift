import Kernel
import Persistence
import TestKit
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(4))) struct LedgerTests {
    static func withLedger(_ engine: DatabaseEngine, _ body: (DatabaseLease) async throws -> Void) async throws {
        try await withDatabase(engine, tables: LedgerTables.all, migrations: [Migration("t.1", LedgerTables.all.map { .createTable($0) })], body)
    }

    /// A posting that an amount of a sale, a refund, a payment into or out of a wallet, or nonsense would be.
    static func posting(_ random: inout Seeded, _ tenants: [TenantID], known: [Posting], id: PostingID, at: Timestamp) throws -> Posting {
        if !known.isEmpty, Int.random(in: 0..<6, using: &random) == 0 {
            let old = known.randomElement(using: &random)!
            return Bool.random(using: &random)
                ? try old.reversal(id: id, key: "undo:\(old.key)", at: at)
                : try Posting(id: id, key: old.key, kind: old.kind, subject: old.subject, at: at, transfers: old.transfers, reverses: old.reverses)
        }
        let (tenant, currency) = (tenants.randomElement(using: &random)!, ["USD", "EUR"].randomElement(using: &random)!)
        let (amount, wallet) = (Int64.random(in: 1...5_000, using: &random), Account(.wallet, of: tenant, currency))
        let receivable = Account(.receivable, of: tenant, currency)
        let earned = BasisPoints.percent(70).of(amount)
        let transfers: [Transfer] =
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                [
                    Transfer(amount, debit: receivable, credit: Account(.revenue, currency: currency)),
                    Transfer(amount / 5, debit: receivable, credit: Account(.tax, "DE", currency))
                ]
            case 1: [Transfer(amount, debit: Account(.cash, "bank", currency), credit: wallet)]
            case 2: [Transfer(amount, debit: wallet, credit: receivable)]
            default:
                [
                    Transfer(earned, debit: wallet, credit: Account(.seller, of: tenant, currency)),
                    Transfer(amount - earned, debit: wallet, credit: Account(.revenue, currency: currency))
                ]
            }
        // Few keys, so that some are used again for another posting.
        return try Posting(id: id, key: "k\(Int.random(in: 0..<400, using: &random))", kind: "test", subject: "s", at: at, transfers: transfers)
    }

    static func code(_ work: () throws -> Bool) rethrows -> String {
        do { return try work() ? "new" : "known" } catch let refusal as Refusal { return refusal.code }
    }

    @Test(arguments: Seeds.kept) func `a random history sums to nothing and its balances are those of its replay`(seed: UInt64) throws {
        var (random, book) = (Seeded(seed), Book())
        let ids = IDs(clock: TestClock().clock)
        let tenants: [TenantID] = [ids.next(), ids.next(), ids.next()]
        for _ in 0..<3_000 {
            let before = book.balances
            let posting = try Self.posting(&random, tenants, known: book.postings, id: ids.next(), at: Timestamp(seconds: 0))
            let outcome = try Self.code { try book.post(posting).isNew }
            if outcome != "new" { #expect(book.balances == before) }
        }
        #expect(book.balances == book.replayed().filter { book.balances[$0.key] != nil })
        for currency in ["USD", "EUR"] { #expect(book.balances.filter { $0.key.currency == currency }.reduce(0) { $0 + $1.value } == 0) }
        for (account, balance) in book.balances where account.kind == .wallet { #expect(balance <= 0) }
        #expect(Set(book.postings.map(\.key)).count == book.postings.count)
    }

    @Test(arguments: DatabaseEngine.allCases) func `the database answers a random history as the model does`(engine: DatabaseEngine) async throws {
        try await Self.withLedger(engine) { lease in
            for seed in Seeds.kept.prefix(3) {
                var (random, book) = (Seeded(seed), Book())
                let ids = lease.ids
                let tenants: [TenantID] = [ids.next(), ids.next()]
                for step in 0..<120 {
                    var posting = try Self.posting(&random, tenants, known: book.postings, id: ids.next(), at: lease.clock.now)
                    posting.key = "\(seed):\(posting.key)"
                    let wanted = try Self.code { try book.post(posting).isNew }
                    let final = posting
                    let found: String
                    do {
                        found = try await lease.database.writePlatform { tx in try LedgerStore(tx: tx).post(final).isNew } ? "new" : "known"
                    } catch let refusal as Refusal { found = refusal.code }
                    #expect(found == wanted, "seed \(seed), step \(step)")
                }
                for tenant in tenants {
                    let balances = try await lease.database.readPlatform { tx in try LedgerStore(tx: tx).balances(of: tenant.description) }
                    let wanted = book.balances.filter { $0.key.owner == tenant.description }
                    #expect(balances == wanted)
                }
            }
            #expect(try await Ledger(database: lease.database, clock: lease.clock.clock).faults() == [])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `of fifty at once under one key one is written`(engine: DatabaseEngine) async throws {
        try await Self.withLedger(engine) { lease in
            let (database, ids, tenant) = (lease.database, lease.ids, lease.tenant)
            let (bank, wallet) = (Account(.cash, "bank", "USD"), Account(.wallet, of: tenant, "USD"))
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        for attempt in 0..<20 {
                            do {
                                return try await database.writePlatform { tx in
                                    try LedgerStore(tx: tx).post(
                                        try Posting(
                                            id: ids.next(), key: "once", kind: "top_up", subject: "s", at: tx.clock.now(),
                                            transfers: [Transfer(100, debit: bank, credit: wallet)])
                                    ).isNew
                                }
                            } catch PersistenceError.constraint(.unique, _, _) where attempt < 19 { continue }
                        }
                        return false
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 1)
            let balance = try await database.readPlatform { tx in try LedgerStore(tx: tx).balance(of: wallet) }
            #expect(balance == -100)
            // A hundred cents are spent once by however many try.
            let spent = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        do {
                            return try await database.writePlatform { tx in
                                try LedgerStore(tx: tx).post(
                                    try Posting(
                                        id: ids.next(), key: "spend\(index)", kind: "spend", subject: "s", at: tx.clock.now(),
                                        transfers: [Transfer(60, debit: wallet, credit: Account(.revenue, currency: "USD"))])
                                ).isNew
                            }
                        } catch let refusal as Refusal where refusal.code == "insufficient_balance" { return false }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(spent == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what is written stays, and the database takes nothing out of balance`(engine: DatabaseEngine)
        async throws
    {
        try await Self.withLedger(engine) { lease in
            let posting = try Posting(
                id: lease.ids.next(), key: "a", kind: "t", subject: "s", at: lease.clock.now,
                transfers: [Transfer(5, debit: Account(.cash, "bank", "USD"), credit: Account(.revenue, currency: "USD"))])
            try await lease.database.writePlatform { tx in _ = try LedgerStore(tx: tx).post(posting) }
            let statements: [SQL] = [
                "UPDATE ledger_transfers SET amount = 6", "DELETE FROM ledger_transfers", "UPDATE ledger_postings SET kind = 'x'",
                "DELETE FROM ledger_postings", "DELETE FROM ledger_accounts",
                // Nothing, less than nothing, and two currencies.
                "INSERT INTO ledger_transfers (posting_id, line, debit, credit, currency, amount) VALUES (\(posting.id), 1, 'cash:bank', 'revenue:platform', 'USD', 0)",
                "INSERT INTO ledger_transfers (posting_id, line, debit, credit, currency, amount) VALUES (\(posting.id), 1, 'cash:bank', 'revenue:platform', 'USD', -5)",
                "INSERT INTO ledger_transfers (posting_id, line, debit, credit, currency, amount) VALUES (\(posting.id), 1, 'cash:bank', 'revenue:platform', 'EUR', 5)"
            ]
            for statement in statements {
                await #expect(throws: PersistenceError.self, "\(statement.text)") {
                    try await lease.database.writePlatform { tx in _ = try tx.execute(statement) }
                }
            }
            let kept = try await lease.database.readPlatform { tx in try LedgerStore(tx: tx).posting(posting.id) }
            #expect(kept == posting)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `days are sealed once they are over, and a changed balance or a late posting shows`(
        engine: DatabaseEngine
    ) async throws {
        try await Self.withLedger(engine) { lease in
            let ledger = Ledger(database: lease.database, clock: lease.clock.clock)
            func post(_ key: String, at: Timestamp) async throws {
                let posting = try Posting(
                    id: lease.ids.next(), key: key, kind: "t", subject: "s", at: at,
                    transfers: [Transfer(5, debit: Account(.cash, "bank", "USD"), credit: Account(.revenue, currency: "USD"))])
                try await lease.database.writePlatform { tx in _ = try LedgerStore(tx: tx).post(posting) }
            }
            #expect(try await ledger.seal() == 0)
            let first = lease.clock.now
            try await post("a", at: first)
            #expect(try await ledger.seal() == 0)
            lease.clock.advance(by: .seconds(2 * 86_400 + 3_700))
            try await post("b", at: lease.clock.now)
            #expect(try await ledger.seal() == 2)
            #expect(try await ledger.seal() == 0)
            #expect(try await ledger.faults() == [])
            try await post("late", at: first)
            let late = try await ledger.faults()
            #expect(late.count == 1 && late[0].hasPrefix("2026-01-01"))
            try await lease.database.writePlatform { tx in
                _ = try tx.execute("UPDATE ledger_balances SET balance = balance + 1 WHERE name = 'cash:bank'")
            }
            #expect(try await ledger.faults().count >= 3)
        }
    }

    @Test func `money of one tenant reaches another only by way of the platform`() throws {
        let ids = IDs(clock: TestClock().clock)
        let (ana, ben): (TenantID, TenantID) = (ids.next(), ids.next())
        func make(_ transfers: [Transfer]) throws -> Posting {
            try Posting(id: ids.next(), key: "k", kind: "t", subject: "s", at: Timestamp(seconds: 0), transfers: transfers)
        }
        #expect(throws: Refusal.self) { try make([Transfer(1, debit: Account(.wallet, of: ana, "USD"), credit: Account(.seller, of: ben, "USD"))]) }
        #expect(throws: Refusal.self) { try make([Transfer(1, debit: Account(.wallet, of: ana, "USD"), credit: Account(.wallet, of: ana, "EUR"))]) }
        #expect(throws: Refusal.self) { try make([]) }
        #expect(throws: Refusal.self) { try make([Transfer(.max, debit: Account(.cash, "bank", "USD"), credit: Account(.revenue, currency: "USD"))]) }
        _ = try make([
            Transfer(1, debit: Account(.wallet, of: ana, "USD"), credit: Account(.revenue, currency: "USD")),
            Transfer(1, debit: Account(.revenue, currency: "USD"), credit: Account(.seller, of: ben, "USD"))
        ])
    }
}
