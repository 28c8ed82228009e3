extension DateTime {
    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
    ]
    static let weekdayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// `2024-01-02T03:04:05.678+01:00`, with `Z` in UTC itself.
    func iso(suppressMilliseconds: Bool = false, suppressSeconds: Bool = false, offset includesOffset: Bool = true) -> String {
        isoDate() + "T" + isoTime(suppressMilliseconds: suppressMilliseconds, suppressSeconds: suppressSeconds, offset: includesOffset)
    }

    func isoDate() -> String {
        // Years outside 0…9999 take a sign and six digits (ECMA-262, 21.4.1.32.1).
        let years = year > 9_999 || year < 0 ? (year < 0 ? "-" : "+") + Zone.pad(abs(year), 6) : Zone.pad(year, 4)
        return years + "-" + Zone.pad(month, 2) + "-" + Zone.pad(day, 2)
    }

    func isoTime(suppressMilliseconds: Bool = false, suppressSeconds: Bool = false, offset includesOffset: Bool = true) -> String {
        var out = Zone.pad(hour, 2) + ":" + Zone.pad(minute, 2)
        if !suppressSeconds || second != 0 || millisecond != 0 {
            out += ":" + Zone.pad(second, 2)
            if !suppressMilliseconds || millisecond != 0 { out += "." + Zone.pad(millisecond, 3) }
        }
        guard includesOffset else { return out }
        return out + (zone.isFixed && offset == 0 ? "Z" : Zone.short(Int(offset)))
    }

    /// Formats by Luxon's tokens in English; nil for tokens that need the machine's locale data.
    func formatted(_ format: String) -> String? {
        guard isValid else { return "Invalid DateTime" }
        var out = ""
        for part in FormatToken.parse(format) {
            if part.isLiteral {
                out += part.text
            } else {
                guard let text = formatted(token: part.text) else { return nil }
                out += text
            }
        }
        return out
    }

    private func formatted(token: String) -> String? {
        switch token.first {
        case "S", "u", "s", "m", "h", "H", "X", "x": timeToken(token)
        case "Z", "z", "a": zoneToken(token)
        case "D", "t", "T", "f", "F": nil
        default: dateToken(token)
        }
    }

    private func timeToken(_ token: String) -> String {
        let twelve = hour % 12 == 0 ? 12 : hour % 12
        return switch token {
        case "S": String(millisecond)
        case "u", "SSS": Zone.pad(millisecond, 3)
        case "uu": Zone.pad(millisecond / 10, 2)
        case "uuu": String(millisecond / 100)
        case "s": String(second)
        case "ss": Zone.pad(second, 2)
        case "m": String(minute)
        case "mm": Zone.pad(minute, 2)
        case "h": String(twelve)
        case "hh": Zone.pad(twelve, 2)
        case "H": String(hour)
        case "HH": Zone.pad(hour, 2)
        case "X": String(Int((milliseconds / 1_000).rounded(.down)))
        case "x": String(Int(milliseconds))
        default: token
        }
    }

    private func zoneToken(_ token: String) -> String? {
        switch token {
        case "Z": Zone.narrow(Int(offset))
        case "ZZ": Zone.short(Int(offset))
        case "ZZZ": Zone.short(Int(offset), colon: false)
        case "z": zone.name
        case "a": hour < 12 ? "AM" : "PM"
        case "ZZZZ", "ZZZZZ": nil
        default: token
        }
    }

    private func dateToken(_ token: String) -> String? {
        let monthName = DateTime.monthNames[month - 1]
        let weekdayName = DateTime.weekdayNames[weekday - 1]
        switch token {
        case "d": return String(day)
        case "dd": return Zone.pad(day, 2)
        case "c", "E": return String(weekday)
        case "ccc", "EEE": return String(weekdayName.prefix(3))
        case "cccc", "EEEE": return weekdayName
        case "ccccc", "EEEEE": return String(weekdayName.prefix(1))
        case "L", "M": return String(month)
        case "LL", "MM": return Zone.pad(month, 2)
        case "LLL", "MMM": return String(monthName.prefix(3))
        case "LLLL", "MMMM": return monthName
        case "LLLLL", "MMMMM": return String(monthName.prefix(1))
        case "y": return String(year)
        case "yy": return Zone.pad(((year % 100) + 100) % 100, 2)
        case "yyyy": return Zone.pad(year, 4)
        case "yyyyyy": return Zone.pad(year, 6)
        case "G": return year > 0 ? "AD" : "BC"
        case "GG": return year > 0 ? "Anno Domini" : "Before Christ"
        case "GGGGG": return year > 0 ? "A" : "B"
        case "kk": return Zone.pad(week.year % 100, 2)
        case "kkkk": return Zone.pad(week.year, 4)
        case "W": return String(week.number)
        case "WW": return Zone.pad(week.number, 2)
        case "o": return String(ordinal)
        case "ooo": return Zone.pad(ordinal, 3)
        case "q": return String(quarter)
        case "qq": return Zone.pad(quarter, 2)
        case "n", "nn", "ii", "iiii": return nil
        default: return token
        }
    }
}

/// A piece of a Luxon format: a run of one letter, or text between single quotes.
struct FormatToken {
    var text: String
    var isLiteral: Bool

    static func parse(_ format: String) -> [FormatToken] {
        var out: [FormatToken] = []
        var run = ""
        var isQuoted = false
        func flush() {
            guard !run.isEmpty else { return }
            out.append(FormatToken(text: run, isLiteral: isQuoted || !isLetter(run)))
            run = ""
        }
        for character in format {
            if character == "'" {
                flush()
                isQuoted.toggle()
            } else if isQuoted || character == run.last {
                run.append(character)
            } else {
                flush()
                run.append(character)
            }
        }
        flush()
        return out
    }

    private static func isLetter(_ run: String) -> Bool {
        guard let first = run.utf8.first else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20) && first < 0x80
    }
}
