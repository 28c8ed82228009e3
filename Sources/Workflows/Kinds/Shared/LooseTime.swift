internal import Foundation
internal import Kernel

/// Reads the times that people and other programs write, as n8n's type conversion does.
enum LooseTime {
    /// ISO 8601 (date alone, without zone, week of no zone = `timeZone`), SQL, HTTP and RFC 2822 dates, epoch seconds (up to ten
    /// digits) or milliseconds; nil for everything else.
    static func parse(_ value: JSON, timeZone: String) -> Timestamp? {
        switch value {
        case .number(let number): return epoch(number)
        case .string(let text):
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if trimmed.count >= 9, let number = Double(trimmed), trimmed.allSatisfy(\.isNumber) { return epoch(number) }
            return Timestamp(trimmed) ?? iso(trimmed, timeZone: timeZone) ?? written(trimmed)
        default: return nil
        }
    }

    private static func epoch(_ number: Double) -> Timestamp? {
        guard number.isFinite, abs(number) < 8.64e15 else { return nil }
        let isSeconds = abs(number) < 1e11
        return Timestamp(microseconds: Int64(number * (isSeconds ? 1_000_000 : 1_000)))
    }

    /// `2026-03-01`, `2026-03-01T10:20`, `2026-03-01 10:20:30.5+0100`
    private static func iso(_ text: String, timeZone: String) -> Timestamp? {
        // `\d` is a digit of any script, which is none for those that read numbers.
        guard text.allSatisfy(\.isASCII),
            let match = text.wholeMatch(
                of: /(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s?(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})?/)
        else { return nil }
        let parts = match.output
        func number(_ part: Substring?) -> Int64 { part.flatMap { Int64($0) } ?? 0 }
        let month = number(parts.2)
        let day = parts.3 == nil ? 1 : number(parts.3)
        guard (1...12).contains(month), (1...31).contains(day), number(parts.4) < 25, number(parts.5) < 60, number(parts.6) < 61 else { return nil }
        let days = Timestamp.days(fromCivil: number(parts.1), month, day)
        let local = days * 86_400 + number(parts.4) * 3_600 + number(parts.5) * 60 + number(parts.6)
        let fraction = parts.7.map { Int64((Double("0.\($0)") ?? 0) * 1_000_000) } ?? 0
        let offset = parts.8.map(offsetSeconds) ?? ZoneOffsets(timeZone).offset(ofLocalSeconds: local)
        return Timestamp(microseconds: (local - offset) * 1_000_000 + fraction)
    }

    private static func offsetSeconds(_ text: Substring) -> Int64 {
        guard text.count > 1 else { return 0 }
        let digits = text.dropFirst().filter(\.isNumber)
        let hours = Int64(digits.prefix(2)) ?? 0
        let minutes = Int64(digits.dropFirst(2)) ?? 0
        return (hours * 60 + minutes) * 60 * (text.first == "-" ? -1 : 1)
    }

    /// Month names: HTTP (RFC 9110), RFC 2822, the text of an ECMAScript date and the usual American forms, as `Date.parse` takes them.
    private static func written(_ text: String) -> Timestamp? {
        guard text.allSatisfy(\.isASCII) else { return nil }
        // An ECMAScript date ends with the name of its zone: ` (Coordinated Universal Time)`.
        let text = text.firstRange(of: " (").map { String(text[..<$0.lowerBound]) } ?? text
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.isLenient = false
        for format in [
            "EEE, dd MMM yyyy HH:mm:ss zzz", "EEE, dd MMM yyyy HH:mm:ss Z", "d MMM yyyy HH:mm:ss Z", "EEE MMM dd yyyy HH:mm:ss 'GMT'Z",
            "MMM d, yyyy", "MMMM d, yyyy", "M/d/yyyy", "M/d/yyyy H:mm:ss", "M/d/yyyy H:mm", "M/d/yyyy, h:mm:ss a", "M/d/yyyy h:mm:ss a",
            "M/d/yyyy h:mm a", "yyyy/M/d", "yyyy/M/d H:mm:ss", "yyyy/M/d H:mm"
        ] {
            formatter.dateFormat = format
            guard let date = formatter.date(from: text) else { continue }
            // As far as ECMAScript's times reach; a year may be written with any number of digits.
            return abs(date.timeIntervalSince1970) < 8.64e12 ? Timestamp(seconds: Int64(date.timeIntervalSince1970)) : nil
        }
        return nil
    }
}
