extension JSON {
    /// Why a text is no JSON, with the byte offset of the fault.
    package struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        package let offset: Int
        package let reason: String
        package var description: String { "\(reason) at byte \(offset)" }
    }

    /// Parses one RFC 8259 value. A repeated member keeps its first place and its last value, as in ECMAScript.
    /// - Throws: `ParseError`, also for nesting deeper than `Limits.jsonDepth` and for invalid UTF-8.
    package init(parsing bytes: some Collection<UInt8>) throws {
        let parsed: JSON? = try bytes.withContiguousStorageIfAvailable { try JSON.parse($0) }
        self = try parsed ?? Array(bytes).withUnsafeBufferPointer { try JSON.parse($0) }
    }

    package init(parsing text: String) throws {
        var text = text
        self = try text.withUTF8 { try JSON.parse($0) }
    }

    private static func parse(_ source: UnsafeBufferPointer<UInt8>) throws -> JSON {
        var parser = Parser(source: source)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == source.count else { throw parser.fault("unexpected text after the value") }
        return value
    }

    private struct Parser {
        let source: UnsafeBufferPointer<UInt8>
        var index = 0

        init(source: UnsafeBufferPointer<UInt8>) { self.source = source }

        func fault(_ reason: String) -> ParseError { ParseError(offset: index, reason: reason) }

        mutating func skipSpace() {
            while index < source.count {
                switch source[index] {
                case 0x20, 0x0A, 0x0D, 0x09: index += 1
                default: return
                }
            }
        }

        mutating func value(depth: Int) throws -> JSON {
            guard depth < Limits.jsonDepth else { throw fault("nested deeper than \(Limits.jsonDepth)") }
            guard index < source.count else { throw fault("unexpected end") }
            switch source[index] {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try literal("true", .bool(true))
            case UInt8(ascii: "f"): return try literal("false", .bool(false))
            case UInt8(ascii: "n"): return try literal("null", .null)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
            default: throw fault("unexpected character")
            }
        }

        mutating func literal(_ text: StaticString, _ value: JSON) throws -> JSON {
            let count = text.utf8CodeUnitCount
            guard index + count <= source.count else { throw fault("unexpected end") }
            for offset in 0..<count where source[index + offset] != text.utf8Start[offset] {
                throw fault("unexpected character")
            }
            index += count
            return value
        }

        mutating func object(depth: Int) throws -> JSON {
            index += 1
            var members = JSONObject()
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            while true {
                skipSpace()
                guard index < source.count, source[index] == UInt8(ascii: "\"") else { throw fault("a member name is missing") }
                let key = try string()
                skipSpace()
                guard take(UInt8(ascii: ":")) else { throw fault("':' is missing") }
                skipSpace()
                members[key] = try value(depth: depth + 1)
                skipSpace()
                if take(UInt8(ascii: ",")) { continue }
                if take(UInt8(ascii: "}")) { return .object(members) }
                throw fault("',' or '}' is missing")
            }
        }

        mutating func array(depth: Int) throws -> JSON {
            index += 1
            var elements: [JSON] = []
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            while true {
                skipSpace()
                elements.append(try value(depth: depth + 1))
                skipSpace()
                if take(UInt8(ascii: ",")) { continue }
                if take(UInt8(ascii: "]")) { return .array(elements) }
                throw fault("',' or ']' is missing")
            }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard index < source.count, source[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func string() throws -> String {
            index += 1
            let start = index
            while index < source.count {
                let byte = source[index]
                if byte == UInt8(ascii: "\"") {
                    let text = try utf8(source[start..<index])
                    index += 1
                    return text
                }
                if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
                guard byte >= 0x20 else { throw fault("a control character in a string") }
                index += 1
            }
            throw fault("a string without end")
        }

        func utf8(_ slice: Slice<UnsafeBufferPointer<UInt8>>) throws -> String {
            guard let text = String(validating: slice, as: UTF8.self) else { throw fault("invalid UTF-8") }
            return text
        }

        mutating func escapedString(from start: Int) throws -> String {
            var out = Array(source[start..<index])
            while index < source.count {
                let byte = source[index]
                index += 1
                if byte == UInt8(ascii: "\"") {
                    guard let text = String(validating: out, as: UTF8.self) else { throw fault("invalid UTF-8") }
                    return text
                }
                guard byte >= 0x20 else { throw fault("a control character in a string") }
                guard byte == UInt8(ascii: "\\") else { out.append(byte); continue }
                guard index < source.count else { break }
                let escape = source[index]
                index += 1
                switch escape {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(escape)
                case UInt8(ascii: "n"): out.append(0x0A)
                case UInt8(ascii: "r"): out.append(0x0D)
                case UInt8(ascii: "t"): out.append(0x09)
                case UInt8(ascii: "b"): out.append(0x08)
                case UInt8(ascii: "f"): out.append(0x0C)
                case UInt8(ascii: "u"): out.append(contentsOf: String(Character(try unicodeEscape())).utf8)
                default: throw fault("an unknown escape")
                }
            }
            throw fault("a string without end")
        }

        /// A lone surrogate becomes U+FFFD: Swift strings cannot hold it.
        mutating func unicodeEscape() throws -> Unicode.Scalar {
            let unit = try hexUnit()
            guard (0xD800...0xDFFF).contains(unit) else { return Unicode.Scalar(unit)! }
            if unit < 0xDC00, index + 1 < source.count, source[index] == UInt8(ascii: "\\"), source[index + 1] == UInt8(ascii: "u") {
                let mark = index
                index += 2
                let low = try hexUnit()
                if (0xDC00...0xDFFF).contains(low) { return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))! }
                index = mark
            }
            return "\u{FFFD}"
        }

        mutating func hexUnit() throws -> UInt32 {
            guard index + 4 <= source.count else { throw fault("an incomplete escape") }
            var unit: UInt32 = 0
            for _ in 0..<4 {
                guard let digit = Character(Unicode.Scalar(source[index])).hexDigitValue, source[index] < 0x80 else {
                    throw fault("an incomplete escape")
                }
                unit = unit << 4 + UInt32(digit)
                index += 1
            }
            return unit
        }

        mutating func number() throws -> JSON {
            let start = index
            var integer: Int64 = 0
            let negative = take(UInt8(ascii: "-"))
            let digitsStart = index
            while index < source.count, case let digit = source[index] &- 48, digit < 10 {
                if index - digitsStart < 17 { integer = integer * 10 + Int64(digit) }
                index += 1
            }
            let digits = index - digitsStart
            guard digits > 0, digits == 1 || source[digitsStart] != UInt8(ascii: "0") else { throw fault("a malformed number") }
            let plain = index >= source.count || (source[index] != UInt8(ascii: ".") && source[index] | 0x20 != UInt8(ascii: "e"))
            if plain, digits < 16 { return .number(negative ? -Double(integer) : Double(integer)) }
            if take(UInt8(ascii: ".")) { try digitsRun() }
            if index < source.count, source[index] | 0x20 == UInt8(ascii: "e") {
                index += 1
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                try digitsRun()
            }
            guard let value = Double(String(decoding: source[start..<index], as: UTF8.self)) else { throw fault("a malformed number") }
            return .number(value)
        }

        mutating func digitsRun() throws {
            let start = index
            while index < source.count, source[index] &- 48 < 10 { index += 1 }
            guard index > start else { throw fault("a malformed number") }
        }
    }
}
