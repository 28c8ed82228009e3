internal import Foundation
internal import Kernel

/// Number.prototype, Number and Math (ECMA-262, 21.1 and 21.3).
extension Evaluator {
    func numberMethod(_ value: Double, _ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "toFixed": return .string(try Evaluator.fixed(value, try Evaluator.integer(arguments.first)))
        case "valueOf": return .number(value)
        case "toString":
            guard let first = arguments.first, !first.isNullish else { return .string(JSON.numberText(value)) }
            let radix = try Evaluator.integer(first)
            guard radix >= 2, radix <= 36 else { throw Interruption.thrown("toString() radix must be between 2 and 36") }
            if radix == 10 { return .string(JSON.numberText(value)) }
            guard value.rounded() == value, abs(value) <= 9_007_199_254_740_992 else { throw Interruption.sandbox }
            return .string(String(Int64(value), radix: Int(radix)))
        default: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 21.1.3.3 Number.prototype.toFixed: exact ties go away from zero, where C's printf goes to even.
    static func fixed(_ value: Double, _ digits: Double) throws -> String {
        guard digits >= 0, digits <= 100 else { throw Interruption.thrown("toFixed() digits argument must be between 0 and 100") }
        guard value.isFinite, abs(value) < 1e21 else { return JSON.numberText(value) }
        let count = Int(digits)
        let magnitude = abs(value)
        // A tie needs the value to be a whole multiple of 2^-(digits + 1); then one digit more is its exact expansion.
        let scaled = magnitude * pow(2, Double(count + 1))
        var text: String
        if scaled.rounded() == scaled, String(format: "%.\(count + 1)f", magnitude).last == "5" {
            text = roundedUp(String(format: "%.\(count + 1)f", magnitude))
        } else {
            text = String(format: "%.\(count)f", magnitude)
        }
        if text.hasSuffix(".") { text.removeLast() }
        return value < 0 && text.contains(where: { $0 != "0" && $0 != "." }) || (value < 0 && value != 0) ? "-" + text : text
    }

    /// Drops the last digit of a decimal text and adds one to the digit before.
    private static func roundedUp(_ text: String) -> String {
        var digits = Array(text.utf8.dropLast())
        var index = digits.count - 1
        while index >= 0 {
            if digits[index] == UInt8(ascii: ".") {
                index -= 1
                continue
            }
            if digits[index] < UInt8(ascii: "9") {
                digits[index] += 1
                return String(decoding: digits, as: UTF8.self)
            }
            digits[index] = UInt8(ascii: "0")
            index -= 1
        }
        return "1" + String(decoding: digits, as: UTF8.self)
    }

    func mathConstant(_ name: String) throws -> Value {
        switch name {
        case "PI": .number(.pi)
        case "E": .number(M_E)
        case "LN2": .number(M_LN2)
        case "LN10": .number(M_LN10)
        case "SQRT2": .number(2.0.squareRoot())
        default: throw Interruption.sandbox
        }
    }

    func mathCall(_ name: String, _ arguments: [Value]) throws -> Value {
        let numbers = try arguments.map { try $0.numeric() }
        let first = numbers.first ?? .nan
        switch name {
        case "min": return .number(numbers.contains { $0.isNaN } ? .nan : numbers.min() ?? .infinity)
        case "max": return .number(numbers.contains { $0.isNaN } ? .nan : numbers.max() ?? -.infinity)
        case "floor": return .number(first.rounded(.down))
        case "ceil": return .number(first.rounded(.up))
        case "trunc": return .number(first.rounded(.towardZero))
        case "round": return .number(Evaluator.rounded(first))
        case "abs": return .number(abs(first))
        case "sign": return .number(first.isNaN || first == 0 ? first : first < 0 ? -1 : 1)
        case "sqrt": return .number(first.squareRoot())
        case "pow": return .number(try Evaluator.power(first, numbers.count > 1 ? numbers[1] : .nan))
        default: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 21.3.2.28: halves go up.
    static func rounded(_ value: Double) -> Double {
        let down = value.rounded(.down)
        return value - down >= 0.5 ? down + 1 : down
    }

    func numberConstant(_ name: String) throws -> Value {
        switch name {
        case "MAX_SAFE_INTEGER": .number(9_007_199_254_740_991)
        case "MIN_SAFE_INTEGER": .number(-9_007_199_254_740_991)
        case "EPSILON": .number(.ulpOfOne)
        case "NaN": .number(.nan)
        case "POSITIVE_INFINITY": .number(.infinity)
        case "NEGATIVE_INFINITY": .number(-.infinity)
        default: throw Interruption.sandbox
        }
    }

    func numberCall(_ name: String, _ arguments: [Value]) throws -> Value {
        let number: Double? = if case .number(let value)? = arguments.first { value } else { nil }
        switch name {
        case "isInteger": return .bool(number.map { $0.isFinite && $0.rounded() == $0 } ?? false)
        case "isSafeInteger": return .bool(number.map { $0.isFinite && $0.rounded() == $0 && abs($0) <= 9_007_199_254_740_991 } ?? false)
        case "isFinite": return .bool(number?.isFinite ?? false)
        case "isNaN": return .bool(number?.isNaN ?? false)
        case "parseInt": return try standardCall(.parseInt, arguments)
        case "parseFloat": return try standardCall(.parseFloat, arguments)
        default: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 19.2.5 parseInt.
    static func parsedInteger(_ text: String, radix: Double) -> Double {
        var digits = text.trimmingECMASpace()[...]
        var sign = 1.0
        if let first = digits.utf8.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            if first == UInt8(ascii: "-") { sign = -1 }
            digits = digits.dropFirst()
        }
        var base = Int(int32(radix))
        if base == 0 { base = 10 } else if base < 2 || base > 36 { return .nan }
        if base == 16 || (base == 10 && int32(radix) == 0), digits.utf8.count >= 2,
            digits.utf8.starts(with: "0x".utf8) || digits.utf8.starts(with: "0X".utf8)
        {
            digits = digits.dropFirst(2)
            base = 16
        }
        let valid = digits.utf8.prefix { byte in
            switch byte {
            case 48...57: Int(byte) - 48 < base
            case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 87 < base
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 55 < base
            default: false
            }
        }
        guard !valid.isEmpty else { return .nan }
        if base == 10 { return sign * Value.decimal(valid) }
        return sign * valid.reduce(0.0) { $0 * Double(base) + Double(Int(String(UnicodeScalar($1)), radix: base) ?? 0) }
    }

    /// ECMA-262, 19.2.4 parseFloat.
    static func parsedFloat(_ text: String) -> Double {
        let trimmed = text.trimmingECMASpace(end: false)
        for (name, value) in [("Infinity", Double.infinity), ("+Infinity", .infinity), ("-Infinity", -.infinity)]
        where trimmed.utf8.starts(with: name.utf8) {
            return value
        }
        let length = Value.decimalLength(trimmed.utf8)
        return length == 0 ? .nan : Value.decimal(trimmed.utf8.prefix(length))
    }
}
