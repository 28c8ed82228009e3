/// Excel's number formats as far as they show days and times (ECMA-376, part 1, 18.8.30 and 18.8.31).
struct DateFormat {
    private let code: String

    /// The formats that a file need not spell out.
    private static let builtIn: [Int: String] = [
        14: "m/d/yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
        22: "m/d/yy h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0"
    ]

    /// nil where the format shows a plain number.
    init?(id: Int, code: String?) {
        guard let written = code ?? DateFormat.builtIn[id] else { return nil }
        self.code = String(written.prefix { $0 != ";" })
        guard tokens.contains(where: { if case .part = $0 { true } else { false } }) else { return nil }
    }

    private enum Token {
        /// A letter and how often it stands: `yyyy`.
        case part(Character, Int)
        case elapsed(Character)
        case half
        case text(String)
    }

    private var tokens: [Token] {
        var found: [Token] = []
        var rest = Substring(code)
        while let first = rest.first {
            switch first {
            case "\"":
                rest.removeFirst()
                found.append(.text(String(rest.prefix { $0 != "\"" })))
                rest = rest.drop { $0 != "\"" }.dropFirst()
            case "\\", "_", "*":
                if first == "\\" { found.append(.text(String(rest.dropFirst().prefix(1)))) }
                rest = rest.dropFirst(2)
            case "[":
                let inside = rest.dropFirst().prefix { $0 != "]" }.lowercased()
                if let letter = inside.first, "hms".contains(letter), inside.allSatisfy({ $0 == letter }) { found.append(.elapsed(letter)) }
                rest = rest.drop { $0 != "]" }.dropFirst()
            case "A" where rest.hasPrefix("AM/PM"), "a" where rest.lowercased().hasPrefix("am/pm"):
                found.append(.half)
                rest = rest.dropFirst(5)
            default:
                let letter = Character(first.lowercased())
                guard "ymdhs".contains(letter) else {
                    // "General", "0.00" and "#,##0" are letters and marks of numbers.
                    if rest.lowercased().hasPrefix("general") { return [] }
                    if "0#?%E@".contains(first), !(first == "0" && found.contains { if case .part("s", _) = $0 { true } else { false } }) {
                        return []
                    }
                    if first != "0" { found.append(.text(String(first))) }
                    rest.removeFirst()
                    continue
                }
                let run = rest.prefix { Character($0.lowercased()) == letter }
                found.append(.part(letter, run.count))
                rest = rest.dropFirst(run.count)
            }
        }
        return found
    }

    /// A serial as the format shows it: days since the end of 1899, or of 1903 on old Macs.
    func text(_ serial: Double, since1904: Bool) -> String {
        let seconds = Int((serial * 86_400).rounded())
        let day = seconds.flooredDivision(86_400)
        let second = seconds - day * 86_400
        // The serial 60 is 29 February 1900, which never was: days before it are one further on.
        let epoch = since1904 ? -24_107 : (day < 60 ? -25_568 : -25_569)
        let (year, month, dayOfMonth) = DateFormat.civil(day + epoch)
        let tokens = self.tokens
        let isHalf = tokens.contains { if case .half = $0 { true } else { false } }
        var out = ""
        for (index, token) in tokens.enumerated() {
            switch token {
            case .text(let text): out += text
            case .half: out += second < 43_200 ? "AM" : "PM"
            case .elapsed("h"): out += String(seconds / 3_600)
            case .elapsed("m"): out += String(seconds / 60)
            case .elapsed: out += String(seconds)
            case .part("y", let count): out += count > 2 ? String(year) : DateFormat.two(year % 100)
            case .part("d", let count):
                let name = DateFormat.days[((day + epoch + 4) % 7 + 7) % 7]
                out += count == 1 ? String(dayOfMonth) : count == 2 ? DateFormat.two(dayOfMonth) : count == 3 ? String(name.prefix(3)) : name
            case .part("m", let count) where isMinute(index, tokens):
                out += count == 1 ? String(second / 60 % 60) : DateFormat.two(second / 60 % 60)
            case .part("m", let count):
                let name = DateFormat.months[month - 1]
                switch count {
                case 1: out += String(month)
                case 2: out += DateFormat.two(month)
                case 3: out += String(name.prefix(3))
                case 5: out += String(name.prefix(1))
                default: out += name
                }
            case .part("h", let count):
                let hour = isHalf ? (second / 3_600 + 11) % 12 + 1 : second / 3_600
                out += count == 1 ? String(hour) : DateFormat.two(hour)
            case .part(_, let count): out += count == 1 ? String(second % 60) : DateFormat.two(second % 60)
            }
        }
        return out
    }

    /// `m` after hours or before seconds is minutes.
    private func isMinute(_ index: Int, _ tokens: [Token]) -> Bool {
        func letter(_ token: Token) -> Character? {
            switch token {
            case .part(let letter, _), .elapsed(let letter): letter
            default: nil
            }
        }
        let before = tokens[..<index].last { letter($0) != nil }.flatMap(letter)
        let after = tokens[(index + 1)...].first { letter($0) != nil }.flatMap(letter)
        return before == "h" || after == "s"
    }

    private static func two(_ value: Int) -> String { (value < 10 ? "0" : "") + String(value) }

    /// Year, month and day of a number of days since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.flooredDivision(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}

extension Int {
    /// Rounded down, for times before their epoch too.
    func flooredDivision(_ divisor: Int) -> Int { self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor) }
}
