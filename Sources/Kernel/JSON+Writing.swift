extension JSON {
    /// The compact JSON text in UTF-8; numbers are written as ECMAScript's `JSON.stringify` writes them.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256)
        write(to: &out)
        return out
    }

    /// The compact JSON text.
    package var serialized: String { String(decoding: bytes, as: UTF8.self) }

    /// Appends the compact JSON text in UTF-8.
    package func write(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(true): out.append(contentsOf: "true".utf8)
        case .bool(false): out.append(contentsOf: "false".utf8)
        case .number(let value): JSON.writeNumber(value, to: &out)
        case .string(let value): JSON.writeString(value, to: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            var first = true
            for element in elements {
                if !first { out.append(UInt8(ascii: ",")) }
                first = false
                element.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            var first = true
            for (key, value) in members {
                if !first { out.append(UInt8(ascii: ",")) }
                first = false
                JSON.writeString(key, to: &out)
                out.append(UInt8(ascii: ":"))
                value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// Indented text with two spaces a level, for people.
    package func pretty(indent: Int = 0) -> String {
        let pad = String(repeating: "  ", count: indent + 1)
        let end = String(repeating: "  ", count: indent)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { pad + $0.pretty(indent: indent + 1) }.joined(separator: ",\n") + "\n\(end)]"
        case .object(let members) where !members.isEmpty:
            let lines: [String] = members.map { pad + JSON.string($0.key).serialized + ": " + $0.value.pretty(indent: indent + 1) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(end)}"
        default: return serialized
        }
    }

    /// Appends a JSON string literal; control characters, quotes and backslashes are escaped.
    package static func writeString(_ value: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { source in
            var (start, index) = (0, 0)
            while index < source.count {
                index += JSON.plainPrefix(source, from: index)
                guard index < source.count else { break }
                let byte = source[index]
                index += 1
                if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
                out.append(contentsOf: UnsafeBufferPointer(rebasing: source[start..<(index - 1)]))
                start = index
                switch byte {
                case UInt8(ascii: "\""): out.append(contentsOf: #"\""#.utf8)
                case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
                case 0x0A: out.append(contentsOf: #"\n"#.utf8)
                case 0x0D: out.append(contentsOf: #"\r"#.utf8)
                case 0x09: out.append(contentsOf: #"\t"#.utf8)
                case 0x08: out.append(contentsOf: #"\b"#.utf8)
                case 0x0C: out.append(contentsOf: #"\f"#.utf8)
                default:
                    let digits = Array("0123456789abcdef".utf8)
                    out.append(contentsOf: #"\u00"#.utf8)
                    out.append(digits[Int(byte >> 4)])
                    out.append(digits[Int(byte & 15)])
                }
            }
            out.append(contentsOf: UnsafeBufferPointer(rebasing: source[start...]))
        }
        out.append(UInt8(ascii: "\""))
    }

    /// How many bytes of a string stand for themselves, as far as eight of them at a time tell: no quote, no backslash, no control character, and
    /// nothing that is not ASCII.
    static func plainPrefix(_ source: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let bytes = UnsafeRawBufferPointer(source)
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var index = start
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let (quote, slash) = (word ^ ones &* 0x22, word ^ ones &* 0x5C)
            let found = (quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- ones &* 0x20) & ~word | word
            guard found & highs == 0 else { break }
            index += 8
        }
        return index - start
    }

    /// Appends a number; values that JSON cannot hold (NaN, infinities) become `null`, as in ECMAScript.
    package static func writeNumber(_ value: Double, to out: inout [UInt8]) {
        guard value.isFinite else { return out.append(contentsOf: "null".utf8) }
        out.append(contentsOf: numberText(value).utf8)
    }

    /// Appends a whole number.
    package static func writeInteger(_ value: Int, to out: inout [UInt8]) {
        var rest = value.magnitude
        if rest < 10 {
            if value < 0 { out.append(UInt8(ascii: "-")) }
            return out.append(UInt8(rest) + 48)
        }
        // The digits of the largest number, and a sign.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = digits.count
            repeat {
                first -= 1
                digits[first] = UInt8(truncatingIfNeeded: rest % 10) + 48
                rest /= 10
            } while rest > 0
            if value < 0 {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            out.append(contentsOf: digits[first...])
        }
    }

    /// ECMAScript's `Number::toString` in base 10 (ECMA-262, 6.1.6.1.20).
    package static func numberText(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == 0 { return "0" }
        if value.rounded(.towardZero) == value, abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        let (digits, exponent) = shortestDigits(abs(value))
        let sign = value < 0 ? "-" : ""
        let count = digits.count
        if count <= exponent, exponent <= 21 { return sign + digits + String(repeating: "0", count: exponent - count) }
        if 0 < exponent, exponent <= 21 { return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent) }
        if -6 < exponent, exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
        let power = exponent - 1
        let tail = (power < 0 ? "-" : "+") + String(abs(power))
        return sign + digits.prefix(1) + (count == 1 ? "" : "." + digits.dropFirst()) + "e" + tail
    }

    /// The shortest round-trip digits without leading or trailing zeros, and the position of the decimal point before them.
    private static func shortestDigits(_ value: Double) -> (digits: String, exponent: Int) {
        let text = value.description
        let parts = text.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = mantissa[0]
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var exponent = whole.count + (parts.count > 1 ? Int(parts[1])! : 0)
        var digits = Substring(whole + fraction)
        while digits.first == "0" { digits.removeFirst(); exponent -= 1 }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }
}
