internal import OrderedCollections

/// A length of time in calendar units, as Luxon's `Duration`: a month stays a month until it meets a date.
struct CalendarDuration: Sendable {
    enum Unit: Int, Sendable, CaseIterable, Comparable {
        case years, quarters, months, weeks, days, hours, minutes, seconds, milliseconds

        /// Luxon's names, singular or plural, in any case; nil for others.
        init?(_ name: String) {
            switch name.lowercased() {
            case "year", "years": self = .years
            case "quarter", "quarters": self = .quarters
            case "month", "months": self = .months
            case "week", "weeks": self = .weeks
            case "day", "days": self = .days
            case "hour", "hours": self = .hours
            case "minute", "minutes": self = .minutes
            case "second", "seconds": self = .seconds
            case "millisecond", "milliseconds": self = .milliseconds
            default: return nil
            }
        }

        static func < (left: Unit, right: Unit) -> Bool { left.rawValue < right.rawValue }

        var name: String { "\(self)" }

        /// Milliseconds in Luxon's "casual" conversion: a year of 365 days, a quarter of 91, a month of 30.
        var casualMilliseconds: Double {
            switch self {
            case .years: 365 * 86_400_000
            case .quarters: 91 * 86_400_000
            case .months: 30 * 86_400_000
            case .weeks: 7 * 86_400_000
            case .days: 86_400_000
            case .hours: 3_600_000
            case .minutes: 60_000
            case .seconds: 1_000
            case .milliseconds: 1
            }
        }

        /// How many of the smaller unit make one of this in Luxon's casual matrix.
        func count(of smaller: Unit) -> Double {
            switch (self, smaller) {
            case (.years, .quarters): 4
            case (.years, .months): 12
            case (.years, .weeks): 52
            case (.quarters, .months): 3
            case (.quarters, .weeks): 13
            case (.months, .weeks): 4
            default: casualMilliseconds / smaller.casualMilliseconds
            }
        }
    }

    /// Only the units that were given, largest first.
    private(set) var values: [(unit: Unit, count: Double)]

    init(_ values: [Unit: Double] = [:]) {
        self.values = values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    subscript(_ unit: Unit) -> Double { values.first { $0.unit == unit }?.count ?? 0 }

    var negated: CalendarDuration {
        var out = self
        out.values = values.map { ($0.unit, $0.count == 0 ? 0 : -$0.count) }
        return out
    }

    var milliseconds: Double { value(in: .milliseconds) }

    /// The whole length in one unit (`Duration.as`), in the order of operations that Luxon has, so that rounding agrees.
    func value(in unit: Unit) -> Double {
        var accumulated: [(unit: Unit, count: Double)] = []
        var total = 0.0
        for candidate in Unit.allCases {
            let given = values.first { $0.unit == candidate }?.count
            if candidate == unit {
                var own = 0.0
                for (larger, count) in accumulated { own += larger.count(of: unit) * count }
                own += given ?? 0
                let whole = own.rounded(.towardZero)
                total = whole
                accumulated = [(unit, (own * 1_000 - whole * 1_000) / 1_000)]
            } else if let given {
                accumulated.append((candidate, given))
            }
        }
        for (other, count) in accumulated where count != 0 {
            total += other == unit ? count : count / unit.count(of: other)
        }
        return total
    }
}
