internal import Kernel

/// The fields of a moment in a zone, in English.
struct MomentFields: Sendable {
    private let values: JSON

    init(_ moment: LuxonMoment, zone: String, _ step: StepContext, _ item: Int) async throws {
        let names = [
            "year", "quarter", "month", "day", "hour", "minute", "second", "millisecond", "weekday", "ordinal", "weekNumber", "weekYear", "offset",
            "monthLong", "weekdayLong", "zoneName"
        ]
        var wanted = JSONObject(names.map { ($0, JSON.string("={{ \(moment.source).setZone($shownZone).\($0) }}")) })
        wanted["milliseconds"] = .string("={{ \(moment.source).toMillis() }}")
        values = try await step.services.evaluate(.object(wanted), item: item, roots: moment.roots.merging(with: ["$shownZone": .string(zone)]))
        guard values["year"]?.double?.isFinite == true else { throw StepFailure.invalid("value", "The date or its format is invalid.", item: item) }
    }

    func number(_ name: String) -> Int { Int(values[name]?.double ?? 0) }
    func text(_ name: String) -> String { values[name]?.text ?? "" }
}

/// A format of Moment.js: `YYYY-MM-DD[T]HH:mm`.
struct MomentFormat: Sendable {
    private enum Part: Sendable {
        case token(String)
        case literal(String)
    }

    private let parts: [Part]

    private static let tokens: [String] = [
        "YYYY", "YY", "Y", "Qo", "Q", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDDo", "DDD", "DD", "Do", "D", "dddd", "ddd", "dd", "do", "d",
        "GGGG", "GG", "gggg", "gg", "WW", "Wo", "W", "ww", "wo", "w", "E", "e", "HH", "H", "hh", "h", "kk", "k", "mm", "m", "ss", "s", "SSS", "SS",
        "S", "A", "a", "X", "x", "ZZ", "Z", "zz", "z", "LTS", "LT", "LLLL", "LLL", "LL", "L"
    ]
    private static let longForms: [String: String] = [
        "LT": "h:mm A", "LTS": "h:mm:ss A", "L": "MM/DD/YYYY", "LL": "MMMM D, YYYY", "LLL": "MMMM D, YYYY h:mm A",
        "LLLL": "dddd, MMMM D, YYYY h:mm A"
    ]

    init(_ format: String) {
        var parts: [Part] = []
        var rest = format[...]
        while let first = rest.first {
            if first == "[", let end = rest.firstIndex(of: "]") {
                parts.append(.literal(String(rest[rest.index(after: rest.startIndex)..<end])))
                rest = rest[rest.index(after: end)...]
            } else if let token = MomentFormat.tokens.first(where: { rest.hasPrefix($0) }) {
                rest.removeFirst(token.count)
                parts += MomentFormat.longForms[token].map { MomentFormat($0).parts } ?? [.token(token)]
            } else {
                parts.append(.literal(String(rest.removeFirst())))
            }
        }
        self.parts = parts
    }

    func text(of fields: MomentFields) -> String {
        parts.map { part in
            switch part {
            case .literal(let text): text
            case .token(let token): MomentFormat.text(token, fields)
            }
        }.joined()
    }

    private static func text(_ token: String, _ fields: MomentFields) -> String {
        dateText(token, fields) ?? weekText(token, fields) ?? timeText(token, fields) ?? token
    }

    private static func dateText(_ token: String, _ fields: MomentFields) -> String? {
        let (year, month, day) = (fields.number("year"), fields.number("month"), fields.number("day"))
        switch token {
        case "YYYY": return padded(year, 4)
        case "YY": return padded(year % 100)
        case "Y": return String(year)
        case "Q": return String(fields.number("quarter"))
        case "Qo": return ordinal(fields.number("quarter"))
        case "MMMM": return fields.text("monthLong")
        case "MMM": return String(fields.text("monthLong").prefix(3))
        case "MM": return padded(month)
        case "Mo": return ordinal(month)
        case "M": return String(month)
        case "DDDD": return padded(fields.number("ordinal"), 3)
        case "DDDo": return ordinal(fields.number("ordinal"))
        case "DDD": return String(fields.number("ordinal"))
        case "DD": return padded(day)
        case "Do": return ordinal(day)
        case "D": return String(day)
        default: return nil
        }
    }

    /// Weeks count by ISO 8601 with capital letters, else from Sunday on with January 1 in week 1, as Moment does in English.
    private static func weekText(_ token: String, _ fields: MomentFields) -> String? {
        let weekday = fields.number("weekday")
        let sundayFirst = weekday % 7
        let name = fields.text("weekdayLong")
        switch token {
        case "dddd": return name
        case "ddd": return String(name.prefix(3))
        case "dd": return String(name.prefix(2))
        case "do": return ordinal(sundayFirst)
        case "d", "e": return String(sundayFirst)
        case "E": return String(weekday)
        case "GGGG": return padded(fields.number("weekYear"), 4)
        case "GG": return padded(fields.number("weekYear") % 100)
        case "WW": return padded(fields.number("weekNumber"))
        case "Wo": return ordinal(fields.number("weekNumber"))
        case "W": return String(fields.number("weekNumber"))
        default: break
        }
        let (week, year) = localWeek(fields, sundayFirst)
        switch token {
        case "gggg": return padded(year, 4)
        case "gg": return padded(year % 100)
        case "ww": return padded(week)
        case "wo": return ordinal(week)
        case "w": return String(week)
        default: return nil
        }
    }

    private static func localWeek(_ fields: MomentFields, _ sundayFirst: Int) -> (week: Int, year: Int) {
        let year = fields.number("year")
        let ordinal = fields.number("ordinal")
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let daysLeft = (isLeap ? 366 : 365) - ordinal
        if daysLeft < 6 - sundayFirst { return (1, year + 1) }
        let firstWeekday = ((sundayFirst - (ordinal - 1)) % 7 + 7) % 7
        return ((ordinal - 1 + firstWeekday) / 7 + 1, year)
    }

    private static func timeText(_ token: String, _ fields: MomentFields) -> String? {
        let hour = fields.number("hour")
        let twelve = (hour + 11) % 12 + 1
        switch token {
        case "HH": return padded(hour)
        case "H": return String(hour)
        case "hh": return padded(twelve)
        case "h": return String(twelve)
        case "kk": return padded(hour == 0 ? 24 : hour)
        case "k": return String(hour == 0 ? 24 : hour)
        case "mm": return padded(fields.number("minute"))
        case "m": return String(fields.number("minute"))
        case "ss": return padded(fields.number("second"))
        case "s": return String(fields.number("second"))
        case "SSS": return padded(fields.number("millisecond"), 3)
        case "SS": return padded(fields.number("millisecond") / 10)
        case "S": return String(fields.number("millisecond") / 100)
        case "A": return hour < 12 ? "AM" : "PM"
        case "a": return hour < 12 ? "am" : "pm"
        case "X": return String(Int((Double(fields.number("milliseconds")) / 1_000).rounded(.down)))
        case "x": return String(fields.number("milliseconds"))
        case "Z": return offset(fields, ":")
        case "ZZ": return offset(fields, "")
        case "z", "zz": return fields.text("zoneName")
        default: return nil
        }
    }

    private static func offset(_ fields: MomentFields, _ colon: String) -> String {
        let minutes = fields.number("offset")
        return (minutes < 0 ? "-" : "+") + padded(abs(minutes) / 60) + colon + padded(abs(minutes) % 60)
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(abs(number))
        return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func ordinal(_ number: Int) -> String {
        if (11...13).contains(number % 100) { return "\(number)th" }
        return "\(number)" + ([1: "st", 2: "nd", 3: "rd"][number % 10] ?? "th")
    }

    /// The same in Luxon's tokens, for reading.
    var luxon: String {
        let names: [String: String] = [
            "YYYY": "yyyy", "YY": "yy", "Y": "y", "DD": "dd", "D": "d", "Do": "d", "DDDD": "ooo", "DDD": "o", "dddd": "cccc", "ddd": "ccc", "A": "a",
            "Z": "ZZ", "ZZ": "ZZZ", "Q": "q", "GGGG": "kkkk", "SS": "uu", "S": "uuu", "WW": "WW", "W": "W"
        ]
        return parts.map { part in
            switch part {
            case .token(let token): names[token] ?? token
            case .literal(let text): text.contains(where: \.isLetter) ? "'\(text)'" : text
            }
        }.joined()
    }
}
