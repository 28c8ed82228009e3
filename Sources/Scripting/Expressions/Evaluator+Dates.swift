internal import Kernel

/// JavaScript's `Date` as far as it does not look at the machine's time zone (ECMA-262, 21.4).
extension Evaluator {
    func newDate(_ arguments: [Value]) throws -> Value {
        switch arguments.count {
        case 0: return .date(Double(facts.now.milliseconds))
        case 1:
            switch arguments[0] {
            case .string(let text): return .date(try Evaluator.parsedDate(text))
            case .undefined: return .date(.nan)
            case .dateTime(let value): return .date(value.milliseconds)
            default: return .date(Evaluator.clipped(try arguments[0].numeric()))
            }
        default: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 21.4.1.31 TimeClip.
    private static func clipped(_ milliseconds: Double) -> Double { abs(milliseconds) <= 8.64e15 ? milliseconds.rounded(.towardZero) + 0 : .nan }

    /// The date-time string format (ECMA-262, 21.4.1.32). A date alone is UTC; a time without offset is local, which is left
    /// to the sandbox together with every other text.
    static func parsedDate(_ text: String) throws -> Double {
        let bytes = Array(text.utf8)
        let isDateOnly =
            [4, 7, 10].contains(bytes.count) && bytes.enumerated().allSatisfy { $0 == 4 || $0 == 7 ? $1 == UInt8(ascii: "-") : Lexer.isDigit($1) }
        let hasOffset =
            bytes.count >= 17 && bytes[10] == UInt8(ascii: "T") && bytes[13] == UInt8(ascii: ":") && !bytes.contains(UInt8(ascii: ","))
            && (bytes.last == UInt8(ascii: "Z") || (bytes[bytes.count - 3] == UInt8(ascii: ":") && [43, 45].contains(bytes[bytes.count - 6])))
        guard isDateOnly || hasOffset, let value = DateTime.parse(iso: text, zone: .utc, now: 0), value.isValid else { throw Interruption.sandbox }
        return value.milliseconds
    }

    func dateCall(_ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "now": return .number(Double(facts.now.milliseconds))
        case "parse":
            guard case .string(let text)? = arguments.first else { throw Interruption.sandbox }
            return .number(try Evaluator.parsedDate(text))
        default: throw Interruption.sandbox
        }
    }

    func dateMethod(_ milliseconds: Double, _ name: String, _ arguments: [Value]) throws -> Value {
        if ["getTime", "valueOf"].contains(name) { return .number(milliseconds) }
        guard !milliseconds.isNaN else {
            if name == "toISOString" { throw Interruption.thrown("Invalid time value") }
            throw Interruption.sandbox
        }
        let date = DateTime(milliseconds: milliseconds, zone: .utc)
        switch name {
        case "toISOString", "toJSON": return .string(date.iso())
        case "getUTCFullYear": return .number(Double(date.year))
        case "getUTCMonth": return .number(Double(date.month - 1))
        case "getUTCDate": return .number(Double(date.day))
        case "getUTCDay": return .number(Double(date.weekday % 7))
        case "getUTCHours": return .number(Double(date.hour))
        case "getUTCMinutes": return .number(Double(date.minute))
        case "getUTCSeconds": return .number(Double(date.second))
        case "getUTCMilliseconds": return .number(Double(date.millisecond))
        default: throw Interruption.sandbox
        }
    }
}
