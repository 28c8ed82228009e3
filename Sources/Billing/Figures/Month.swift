internal import Kernel

/// A calendar month in UTC.
struct Month: Sendable, Hashable, Comparable {
    /// Months since January of the year 0.
    let count: Int64

    init(count: Int64) { self.count = count }

    init(of time: Timestamp) {
        let (year, month, _) = Timestamp.civil(fromDays: time.seconds.flooringDivision(86_400))
        count = year * 12 + month - 1
    }

    /// Reads `2026-03`.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 4, parts[1].count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = Int64(parts[0]), let month = Int64(parts[1]), (1...12).contains(month), year >= 1970
        else { return nil }
        count = year * 12 + month - 1
    }

    /// - Throws: `bad_month`
    static func checked(_ text: String, field: String = "month") throws -> Month {
        guard let month = Month(text) else { throw Refusal.invalid(field, "bad_month", "\(field) is a month, as 2026-03.") }
        return month
    }

    var start: Timestamp { Timestamp(seconds: Timestamp.days(fromCivil: count / 12, count % 12 + 1, 1) * 86_400) }
    var end: Timestamp { (self + 1).start }
    var text: String { String(start.description.prefix(7)) }

    static func < (left: Month, right: Month) -> Bool { left.count < right.count }
    static func + (month: Month, more: Int) -> Month { Month(count: month.count + Int64(more)) }
    static func - (left: Month, right: Month) -> Int { Int(left.count - right.count) }
}
