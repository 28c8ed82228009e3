internal import Kernel

extension DateTime {
    /// Reads the calendar forms of ISO 8601 (`2024`, `2024-01`, `2024-01-02`, `20240102`, with `T03:04:05.678` and `Z` or
    /// an offset). A text with an offset is shown in `zone` unless it keeps its own; one without is read there, with the
    /// zone's offset at `now` tried first where the clock shows a time twice, as Luxon does. Nil where the text is none of these,
    /// which does not say that Luxon would refuse it.
    static func parse(iso text: String, zone: Zone, now: Double, keepsOffset: Bool = false) -> DateTime? {
        var reader = Reader(text)
        guard let date = reader.date() else { return nil }
        var time = (hour: 0, minute: 0, second: 0, millisecond: 0)
        var offset: Int?
        if reader.take("T") || reader.take("t") {
            guard date.isComplete, let read = reader.time() else { return nil }
            time = read
            if let read = reader.offset() { offset = read }
        }
        guard reader.isAtEnd else { return nil }
        guard (1...12).contains(date.month), (1...days(inMonth: date.month, ofYear: date.year)).contains(date.day), time.minute < 60,
            time.second < 60,
            time.hour < 24 || (time.hour == 24 && time.minute == 0 && time.second == 0 && time.millisecond == 0)
        else { return .invalid(zone) }
        let local = localMilliseconds(
            year: date.year, month: date.month, day: date.day, hour: time.hour, minute: time.minute, second: time.second,
            millisecond: time.millisecond)
        guard let offset else {
            return DateTime(milliseconds: moment(ofLocal: local, guess: zone.offset(at: now), zone: zone), zone: zone)
        }
        let moment = local - Double(offset) * 60_000
        return DateTime(milliseconds: moment, zone: keepsOffset ? (offset == 0 ? .utc : .fixed(minutes: offset)) : zone)
    }

    /// Reads a text by a format of number tokens and English month names; nil where a token is not read natively or
    /// the text does not fit.
    static func parse(_ text: String, format: String, zone: Zone, now: Double) -> DateTime? {
        var reader = Reader(text)
        var fields = (year: Int?.none, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0)
        var isAfternoon: Bool?
        for token in FormatToken.parse(format) {
            if token.isLiteral {
                guard reader.take(token.text) else { return nil }
                continue
            }
            var value: Int?
            switch token.text {
            case "yyyy": value = reader.digits(4...4)
            case "MM", "LL", "dd", "HH", "hh", "mm", "ss": value = reader.digits(2...2)
            case "M", "L", "d", "H", "h", "m", "s": value = reader.digits(1...2)
            case "SSS": value = reader.digits(3...3)
            case "MMM", "LLL": value = reader.name(of: monthNames.map { String($0.prefix(3)) })
            case "MMMM", "LLLL": value = reader.name(of: monthNames)
            case "a": value = reader.name(of: ["AM", "PM"]).map { $0 - 1 }
            default: return nil
            }
            guard let value else { return nil }
            switch token.text.first {
            case "y": fields.year = value
            case "M", "L": fields.month = value
            case "d": fields.day = value
            case "H", "h": fields.hour = value
            case "m": fields.minute = value
            case "s": fields.second = value
            case "S": fields.millisecond = value
            default: isAfternoon = value == 1
            }
        }
        guard reader.isAtEnd, let year = fields.year else { return nil }
        if let isAfternoon { fields.hour = fields.hour % 12 + (isAfternoon ? 12 : 0) }
        guard (1...12).contains(fields.month), (1...days(inMonth: fields.month, ofYear: year)).contains(fields.day), fields.hour < 24,
            fields.minute < 60,
            fields.second < 60
        else { return nil }
        let local = localMilliseconds(
            year: year, month: fields.month, day: fields.day, hour: fields.hour, minute: fields.minute, second: fields.second,
            millisecond: fields.millisecond)
        return DateTime(milliseconds: moment(ofLocal: local, guess: zone.offset(at: now), zone: zone), zone: zone)
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0
        init(_ text: String) { bytes = Array(text.utf8) }

        var isAtEnd: Bool { index == bytes.count }

        mutating func take(_ text: String) -> Bool {
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        mutating func digits(_ count: ClosedRange<Int>) -> Int? {
            let run = bytes[index...].prefix(count.upperBound).prefix(while: Lexer.isDigit)
            guard run.count >= count.lowerBound else { return nil }
            index += run.count
            return run.reduce(0) { $0 * 10 + Int($1 - 48) }
        }

        /// Which of the names stands here, from 1; in any case.
        mutating func name(of names: [String]) -> Int? {
            for (position, name) in names.enumerated().sorted(by: { $0.element.count > $1.element.count }) {
                let piece = bytes[index...].prefix(name.utf8.count)
                if String(decoding: piece, as: UTF8.self).lowercased() == name.lowercased() {
                    index += piece.count
                    return position + 1
                }
            }
            return nil
        }

        mutating func date() -> (year: Int, month: Int, day: Int, isComplete: Bool)? {
            guard let year = digits(4...4) else { return nil }
            if take("-") {
                guard let month = digits(2...2), index >= bytes.count || !Lexer.isDigit(bytes[index]) else { return nil }
                guard take("-") else { return (year, month, 1, false) }
                guard let day = digits(2...2), index >= bytes.count || !Lexer.isDigit(bytes[index]) else { return nil }
                return (year, month, day, true)
            }
            guard !isAtEnd else { return (year, 1, 1, false) }
            guard let month = digits(2...2), let day = digits(2...2) else { return nil }
            return (year, month, day, true)
        }

        mutating func time() -> (hour: Int, minute: Int, second: Int, millisecond: Int)? {
            guard let hour = digits(2...2) else { return nil }
            guard take(":") else { return (hour, 0, 0, 0) }
            guard let minute = digits(2...2) else { return nil }
            guard take(":") else { return (hour, minute, 0, 0) }
            guard let second = digits(2...2) else { return nil }
            guard take(".") || take(",") else { return (hour, minute, second, 0) }
            let fraction = bytes[index...].prefix(while: Lexer.isDigit)
            guard (1...30).contains(fraction.count) else { return nil }
            index += fraction.count
            let padded = fraction.prefix(3) + Array(repeating: UInt8(48), count: max(0, 3 - fraction.count))
            return (hour, minute, second, padded.reduce(0) { $0 * 10 + Int($1 - 48) })
        }

        /// `Z`, `+02`, `+0200`, `+02:00` in minutes.
        mutating func offset() -> Int? {
            if take("Z") || take("z") { return 0 }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") else { return nil }
            let sign = bytes[index] == UInt8(ascii: "-") ? -1 : 1
            let mark = index
            index += 1
            guard let hours = digits(2...2) else {
                index = mark
                return nil
            }
            guard take(":") || (index < bytes.count && Lexer.isDigit(bytes[index])) else { return sign * hours * 60 }
            guard let minutes = digits(2...2) else {
                index = mark
                return nil
            }
            return sign * (hours * 60 + minutes)
        }
    }
}
