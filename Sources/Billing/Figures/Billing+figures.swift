internal import Kernel
internal import Persistence
internal import Tenancy

/// All that the figures of some months are made of, read at once, so that they agree.
struct FigureReport: Sendable {
    var currency: String
    var months: [MonthFigures]
    var cohorts: [Cohort]
    var targets: [FigureTarget]
    /// Recurring revenue at the end of each whole month, from the first that had any.
    var history: [Int64]
    /// Why there is no forecast is what it throws.
    func forecast() throws -> Forecast { try Forecast(history.map { Double($0) }) }
}

/// The rows behind a month's figures.
struct MonthDetail: Sendable {
    var figures: MonthFigures
    var collections: [Collection]
    var spend: [Spend]
}

extension Billing {
    static let figureMonths = 1...60
    /// What is looked back at for a forecast.
    private static let historyMaximum = 60

    func revenue(from start: Timestamp, to end: Timestamp, _ currency: String) async throws -> RevenueMovement {
        try await database.readPlatform { tx in
            RevenueMovement(try RevenueStore(tx: tx).changes(before: end, currency), from: start, to: end)
        }
    }

    /// Of so many months up to the present one, which counts as far as it has come.
    func figures(months count: Int, _ currency: String) async throws -> FigureReport {
        // What happens at this very moment counts.
        let now = clock.now() + .microseconds(1)
        let last = Month(of: clock.now())
        let months = (0..<count).map { last + ($0 - count + 1) }
        let first = months[0]
        return try await database.readPlatform { tx in
            let changes = try RevenueStore(tx: tx).changes(before: now, currency)
            let collections = try CollectionStore(tx: tx).collections(from: first.start, to: now, currency)
            let inputs = FigureInputStore(tx: tx)
            let spend = try inputs.spend(from: first, to: last, currency).reduce(into: [:]) { $0[$1.month, default: 0] += $1.amount }
            let began = try CollectionStore(tx: tx).firstPayments(before: now, currency)
            return FigureReport(
                currency: currency, months: MonthFigures.rows(months, changes, collections, spend: spend),
                cohorts: Cohort.all(months, first: began, changes, collections),
                targets: try inputs.targets(from: first, to: last + Forecast.stepsMaximum, currency),
                history: Self.history(changes, before: last))
        }
    }

    /// The present month is not over, and says nothing yet.
    private static func history(_ changes: [RevenueChange], before present: Month) -> [Int64] {
        guard let began = changes.filter({ $0.monthly > 0 }).map(\.at).min() else { return [] }
        let first = max(Month(of: began), present + -historyMaximum)
        guard first < present else { return [] }
        return (0..<(present - first)).map { RevenueMovement(changes, from: (first + $0).start, to: (first + $0).end).end }
    }

    func detail(of month: Month, _ currency: String) async throws -> MonthDetail {
        try await database.readPlatform { tx in
            let changes = try RevenueStore(tx: tx).changes(before: month.end, currency)
            let collections = try CollectionStore(tx: tx).collections(from: month.start, to: month.end, currency)
            let spend = try FigureInputStore(tx: tx).spend(from: month, to: month, currency)
            let sum = [month: spend.reduce(0) { $0 + $1.amount }]
            return MonthDetail(
                figures: MonthFigures.rows([month], changes, collections, spend: sum)[0], collections: collections, spend: spend)
        }
    }

    /// All or none; each in the place of what was known of its month, source and currency.
    func enter(_ lines: [Spend], by principal: Principal) async throws {
        try await database.write(in: Tenancy.platformLog) { tx in
            let store = FigureInputStore(tx: tx.platform)
            for line in lines { try store.set(line) }
            try tx.audit(principal, "acquisition_spend.update", "acquisition_spend:\(lines.count)")
        }
    }

    func spend(from first: Month, to last: Month, _ currency: String) async throws -> [Spend] {
        try await database.readPlatform { tx in try FigureInputStore(tx: tx).spend(from: first, to: last, currency) }
    }

    func aim(_ target: FigureTarget, by principal: Principal) async throws {
        try await database.write(in: Tenancy.platformLog) { tx in
            try FigureInputStore(tx: tx.platform).set(target)
            try tx.audit(principal, "figure_target.update", "figure_target:\(target.month.text)", ["value": .string("\(target.value)")])
        }
    }

    func satisfaction(from start: Timestamp, to end: Timestamp) async throws -> SatisfactionTally {
        try await database.readPlatform { tx in SatisfactionTally(try SatisfactionStore(tx: tx).scores(from: start, to: end)) }
    }

    func satisfactionAnswers(before cursor: SatisfactionID?, limit: Int) async throws -> [SatisfactionAnswer] {
        try await database.readPlatform { tx in try SatisfactionStore(tx: tx).page(before: cursor, limit: limit) }
    }
}
