internal import Crypto
package import Kernel
package import Persistence

/// A day's postings, under a hash that begins with the day's before: who changes a row changes every later day.
package struct LedgerSeal: Sendable, Hashable {
    /// `2026-01-31`, in UTC.
    package var day: String
    package var postings: Int
    package var hash: String
}

/// The verbs of the ledger that look at all of it.
package struct Ledger: Sendable {
    let database: any Database
    let clock: Clock

    /// Longer than a transaction takes from its time to its commit: a day is sealed when none can still come.
    static let sealGrace: Duration = .seconds(3_600)
    static let part = 500
    /// Days sealed in one call.
    static let daysMaximum = 3_700

    package init(database: any Database, clock: Clock) {
        self.database = database
        self.clock = clock
    }

    /// Seals the days that are over.
    /// - Returns: how many.
    @discardableResult
    package func seal() async throws -> Int {
        let now = clock.now()
        for count in 0..<Self.daysMaximum {
            let isSealed = try await database.writePlatform { tx in
                let store = LedgerStore(tx: tx)
                let last = try store.lastSeal()
                guard let day = try Self.next(after: last, store), Self.start(of: day + 1) + Self.sealGrace <= now else { return false }
                try store.insert(try Self.seal(of: day, after: last?.hash ?? "", store))
                return true
            }
            if !isSealed { return count }
        }
        return Self.daysMaximum
    }

    /// What is wrong with the ledger, in words; empty where the balances are those that its transfers give and every seal holds.
    package func faults() async throws -> [String] {
        try await database.readPlatform { tx in
            let store = LedgerStore(tx: tx)
            var sums: [Account: Int64] = [:]
            var last: Posting?
            while true {
                let part = try store.postings(from: .init(microseconds: 0), to: Self.endOfTime, after: last, limit: Self.part)
                for posting in part { sums.merge(posting.changes) { $0 + $1 } }
                guard part.count == Self.part else { break }
                last = part.last
            }
            let balances = try store.balances()
            var faults = Set(sums.keys).union(balances.keys).sorted().filter { (sums[$0] ?? 0) != (balances[$0] ?? 0) }.map {
                "\($0): the balance is \(balances[$0] ?? 0), its transfers give \(sums[$0] ?? 0)"
            }
            for (currency, sum) in Dictionary(grouping: balances, by: \.key.currency).mapValues({ $0.reduce(0) { $0 + $1.value } }) where sum != 0 {
                faults.append("all balances in \(currency) sum to \(sum)")
            }
            return faults + (try Self.brokenSeals(store))
        }
    }

    private static func brokenSeals(_ store: LedgerStore) throws -> [String] {
        var (faults, previous, day): ([String], String, String) = ([], "", "")
        while true {
            let part = try store.seals(after: day, limit: Self.part)
            for found in part {
                guard let number = number(of: found.day) else { return faults + ["\(found.day): no day"] }
                let made = try seal(of: number, after: previous, store)
                if made != found { faults.append("\(found.day): sealed with \(found.postings) postings, found \(made.postings) or other ones") }
                (previous, day) = (found.hash, found.day)
            }
            guard part.count == Self.part else { return faults }
        }
    }

    private static func next(after last: LedgerSeal?, _ store: LedgerStore) throws -> Int64? {
        if let last { return number(of: last.day).map { $0 + 1 } }
        return try store.firstDay().map { $0.seconds.flooringDivision(86_400) }
    }

    static func seal(of day: Int64, after previous: String, _ store: LedgerStore) throws -> LedgerSeal {
        var hash = SHA256()
        hash.update(data: Array(previous.utf8))
        var (count, last): (Int, Posting?) = (0, nil)
        while true {
            let part = try store.postings(from: start(of: day), to: start(of: day + 1), after: last, limit: Self.part)
            for posting in part { hash.update(data: Array("\(posting.id) \(posting.key) \(posting.at.microseconds) \(posting.digest)\n".utf8)) }
            count += part.count
            guard part.count == Self.part else { break }
            last = part.last
        }
        return LedgerSeal(day: name(of: day), postings: count, hash: hash.finalize().hexText)
    }

    private static let endOfTime = Timestamp(seconds: 253_402_300_799)
    private static func start(of day: Int64) -> Timestamp { Timestamp(seconds: day * 86_400) }
    private static func name(of day: Int64) -> String { String(start(of: day).description.prefix(10)) }
    private static func number(of day: String) -> Int64? { Timestamp("\(day)T00:00:00Z").map { $0.seconds / 86_400 } }
}
