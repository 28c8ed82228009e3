internal import Kernel

/// ECMAScript's conversions between primitive types, which n8n's nodes rest on.
extension JSON {
    /// `Boolean(value)`
    var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let value): value != 0 && !value.isNaN
        case .string(let value): !value.isEmpty
        case .array, .object: true
        }
    }

    /// `String(value)`
    var coercedText: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): JSON.numberText(value)
        case .string(let value): value
        case .array(let elements): elements.map { $0.isNull ? "" : $0.coercedText }.joined(separator: ",")
        case .object: "[object Object]"
        }
    }

    /// A string as itself, everything else as its JSON text.
    var displayText: String { if case .string(let value) = self { value } else { serialized } }

    /// `Number(value)`; NaN where it is none.
    var coercedNumber: Double {
        switch self {
        case .null: return 0
        case .bool(let value): return value ? 1 : 0
        case .number(let value): return value
        case .string(let value): return JSON.number(from: value)
        case .array(let elements):
            if elements.isEmpty { return 0 }
            return elements.count == 1 ? JSON.number(from: coercedText) : .nan
        case .object: return .nan
        }
    }

    /// The name ECMAScript programmers know the type by.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The numeric value of a text (ECMA-262, StringToNumber): decimal, hexadecimal, octal, binary, `Infinity`; blank is 0.
    private static func number(from text: String) -> Double {
        let trimmed = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        let body = String(trimmed)
        if body.isEmpty { return 0 }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where body.lowercased().hasPrefix(prefix) {
            return Int(body.dropFirst(2), radix: radix).map(Double.init) ?? .nan
        }
        switch body {
        case "Infinity", "+Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: break
        }
        guard body.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }) else { return .nan }
        let padded = body.hasPrefix(".") ? "0" + body : body
        return Double(padded.hasSuffix(".") ? String(padded.dropLast()) : padded) ?? .nan
    }
}

extension Double {
    /// The whole number towards zero, or the end of the range beyond it; nil for what is no number. A conversion by `Int` stops the process where
    /// no integer is as large.
    func whole(in range: ClosedRange<Int>) -> Int? {
        guard !isNaN else { return nil }
        return Int(Swift.min(Swift.max(self, Double(range.lowerBound)), Double(range.upperBound)))
    }
}
