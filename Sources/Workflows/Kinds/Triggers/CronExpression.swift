internal import Kernel

/// A cron line of five or six fields (an optional second first): `minute hour day-of-month month day-of-week`, with lists, ranges,
/// steps, month and day names, `?`, and 7 for Sunday. Where both days are restricted, either suffices (POSIX crontab).
package struct CronExpression: Sendable, Hashable {
    let seconds: Set<Int>
    let minutes: Set<Int>
    let hours: Set<Int>
    let daysOfMonth: Set<Int>
    let months: Set<Int>
    let daysOfWeek: Set<Int>
    private let restrictsDayOfMonth: Bool
    private let restrictsDayOfWeek: Bool

    /// - Throws: a refusal that names the field at fault.
    package init(_ text: String) throws {
        let text = CronExpression.aliases[text.lowercased()] ?? text
        var fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        if fields.count == 5 { fields.insert("0", at: 0) }
        guard fields.count == 6 else {
            throw Refusal.invalid("expression", "invalid_cron", "'\(text)' must have five or six fields.")
        }
        seconds = try CronExpression.field(fields[0], "second", 0...59)
        minutes = try CronExpression.field(fields[1], "minute", 0...59)
        hours = try CronExpression.field(fields[2], "hour", 0...23)
        daysOfMonth = try CronExpression.field(fields[3], "day of month", 1...31)
        months = try CronExpression.field(fields[4], "month", 1...12, names: months12)
        daysOfWeek = Set(try CronExpression.field(fields[5], "day of week", 0...7, names: days7).map { $0 % 7 })
        restrictsDayOfMonth = !["*", "?"].contains(fields[3])
        restrictsDayOfWeek = !["*", "?"].contains(fields[5])
    }

    /// Whether a date has a slot; `dayOfWeek` counts from Sunday, 0.
    func includes(month: Int, day: Int, dayOfWeek: Int) -> Bool {
        guard months.contains(month) else { return false }
        let byMonth = daysOfMonth.contains(day)
        let byWeek = daysOfWeek.contains(dayOfWeek)
        return restrictsDayOfMonth && restrictsDayOfWeek ? byMonth || byWeek : byMonth && byWeek
    }

    private static func field(_ text: String, _ name: String, _ range: ClosedRange<Int>, names: [String] = []) throws -> Set<Int> {
        func fault() -> Refusal { .invalid("expression", "invalid_cron", "'\(text)' is no \(name) field of a cron line.") }
        func number(_ part: Substring) throws -> Int {
            if let index = names.firstIndex(of: part.lowercased()) { return index + range.lowerBound }
            guard let value = Int(part), range.contains(value) else { throw fault() }
            return value
        }
        var values: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard (1...2).contains(halves.count), let step = halves.count == 2 ? Int(halves[1]) : 1, step > 0 else { throw fault() }
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
            let span: ClosedRange<Int>
            if halves[0] == "*" || halves[0] == "?" {
                span = range
            } else if ends.count == 2 {
                let (low, high) = (try number(ends[0]), try number(ends[1]))
                guard low <= high else { throw fault() }
                span = low...high
            } else {
                let low = try number(halves[0])
                span = low...(halves.count == 2 ? range.upperBound : low)
            }
            values.formUnion(stride(from: span.lowerBound, through: span.upperBound, by: step))
        }
        return values
    }

    private static let aliases = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"
    ]
}

private let months12 = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
private let days7 = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
