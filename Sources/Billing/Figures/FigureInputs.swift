internal import Kernel
internal import Persistence

/// What was spent on winning customers in a month, by where: entered or imported by an operator.
struct Spend: Sendable, Hashable {
    var month: Month
    /// `ads`, `fairs`, …
    var source: String
    var currency: String
    var amount: Int64

    static let sourceLengths = 1...60
    static let linesMaximum = 2_000

    /// - Throws: `bad_month`, `out_of_range`, `unknown_currency`
    init(month: String, source: String, currency: String, amount: Int64) throws {
        guard Self.sourceLengths.contains(source.utf8.count), !source.contains(where: \.isNewline) else {
            throw Refusal.invalid("source", "out_of_range", "source has \(Self.sourceLengths.lowerBound) to \(Self.sourceLengths.upperBound) bytes.")
        }
        self.month = try Month.checked(month)
        self.source = source
        self.currency = try AmountBounds.checkedCurrency(currency)
        self.amount = try AmountBounds.checked(amount, field: "amount")
    }

    init(known month: Month, _ source: String, _ currency: String, _ amount: Int64) {
        (self.month, self.source, self.currency, self.amount) = (month, source, currency, amount)
    }

    /// Reads a CSV whose first line names `month`, `source` and `amount` (`1234.50`), and `currency` where it is not USD; fields are divided by commas
    /// or semicolons.
    /// - Throws: `bad_csv`, with the line.
    static func read(_ text: String) throws -> [Spend] {
        var lines = text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).map(String.init)
        if lines.first?.hasPrefix("\u{feff}") == true { lines[0].removeFirst() }
        func fault(_ line: Int, _ what: String) -> Refusal { Refusal.invalid("content", "bad_csv", "Line \(line): \(what)") }
        guard let head = lines.first, lines.count <= linesMaximum + 1 else { throw fault(1, "there are 1 to \(linesMaximum) lines below a head.") }
        let divider: Character = head.contains(";") ? ";" : ","
        func fields(_ line: String) -> [String] {
            line.split(separator: divider, omittingEmptySubsequences: false).map { field in
                String(field).trimmed.unquoted
            }
        }
        let names = fields(head).map { $0.lowercased() }
        guard let month = names.firstIndex(of: "month"), let source = names.firstIndex(of: "source"), let amount = names.firstIndex(of: "amount")
        else { throw fault(1, "the head names month, source and amount.") }
        let currency = names.firstIndex(of: "currency")
        return try lines.dropFirst().enumerated().map { index, line in
            let values = fields(line)
            guard values.count == names.count else { throw fault(index + 2, "it has \(values.count) fields, the head \(names.count).") }
            let unit = currency.map { values[$0] } ?? "USD"
            guard let money = Money(decimal: values[amount], currency: unit) else { throw fault(index + 2, "\(values[amount]) is no amount.") }
            do {
                return try Spend(month: values[month], source: values[source], currency: unit, amount: money.minorUnits)
            } catch let refusal as Refusal { throw fault(index + 2, refusal.faults.first?.message ?? refusal.message) }
        }
    }
}

/// What an operator wants a figure to be in a month.
struct FigureTarget: Sendable, Hashable {
    enum Figure: String, Sendable, Hashable, CaseIterable {
        case recurring, collected, customers
        var isMoney: Bool { self != .customers }
    }

    var month: Month
    var figure: Figure
    var currency: String
    /// In minor units, or customers.
    var value: Int64
}

enum FigureTables {
    static let spend = Table(
        "acquisition_spend", .platform, primaryKey: ["month", "source", "currency"],
        columns: [Column("month", .text), Column("source", .text), Column("currency", .text), Column("amount", .integer)],
        checks: [.atLeast(column: "amount", 0)])

    static let targets = Table(
        "figure_targets", .platform, primaryKey: ["month", "figure", "currency"],
        columns: [Column("month", .text), Column("figure", .text), Column("currency", .text), Column("value", .integer)],
        checks: [
            .oneOf(column: "figure", values: FigureTarget.Figure.allCases.map(\.rawValue)), .atLeast(column: "value", 0)
        ])

    static let all = [spend, targets, SatisfactionStore.table]
}

struct FigureInputStore {
    let tx: PlatformTransaction

    /// In the place of what was known of the same month, source and currency; nothing takes it away.
    func set(_ spend: Spend) throws {
        let month = spend.month.text
        try tx.execute(
            "DELETE FROM acquisition_spend WHERE month = \(month) AND source = \(spend.source) AND currency = \(spend.currency)")
        guard spend.amount > 0 else { return }
        try tx.execute(
            """
            INSERT INTO acquisition_spend (month, source, currency, amount) VALUES (\(month), \(spend.source), \(spend.currency), \(spend.amount))
            """)
    }

    /// By month, then source.
    func spend(from first: Month, to last: Month, _ currency: String) throws -> [Spend] {
        try tx.all(
            """
            SELECT month, source, amount FROM acquisition_spend WHERE month >= \(first.text) AND month <= \(last.text) AND currency = \(currency)
            ORDER BY month, source
            """
        ) { Spend(known: try Month.checked(try $0.column(0)), try $0.column(1), currency, try $0.column(2)) }
    }

    /// Nothing takes it away.
    func set(_ target: FigureTarget) throws {
        let (month, figure) = (target.month.text, target.figure.rawValue)
        try tx.execute("DELETE FROM figure_targets WHERE month = \(month) AND figure = \(figure) AND currency = \(target.currency)")
        guard target.value > 0 else { return }
        try tx.execute(
            "INSERT INTO figure_targets (month, figure, currency, value) VALUES (\(month), \(figure), \(target.currency), \(target.value))")
    }

    func targets(from first: Month, to last: Month, _ currency: String) throws -> [FigureTarget] {
        try tx.all(
            """
            SELECT month, figure, value FROM figure_targets WHERE month >= \(first.text) AND month <= \(last.text) AND currency = \(currency)
            ORDER BY month, figure
            """
        ) { row in
            FigureTarget(
                month: try Month.checked(try row.column(0)), figure: FigureTarget.Figure(rawValue: try row.column(1)) ?? .recurring,
                currency: currency, value: try row.column(2))
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
    fileprivate var unquoted: String { count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self }
}
