extension JSON {
    /// Appends a JSON text as it is, without the space between its tokens: what parsing and writing it would give, in one pass and with no value made.
    /// A member that is repeated stays so; whoever reads it takes the last.
    /// - Returns: false, with nothing appended, where the text is no JSON, and where it would be written otherwise: numbers such as `1.0`, and
    ///   escapes that need not be.
    package static func appendCompact(_ text: [UInt8], to out: inout [UInt8]) -> Bool {
        let mark = out.count
        let isDone = text.withUnsafeBufferPointer { source in
            var compactor = Compactor(source: source)
            return compactor.run(&out)
        }
        if !isDone { out.removeSubrange(mark...) }
        return isDone
    }

    private struct Compactor {
        let source: UnsafeBufferPointer<UInt8>
        var index = 0
        /// What has been looked at and not yet appended begins here.
        var start = 0
        var isASCII = true

        init(source: UnsafeBufferPointer<UInt8>) { self.source = source }

        mutating func run(_ out: inout [UInt8]) -> Bool {
            skipSpace(&out)
            guard value(depth: 0, &out) else { return false }
            skipSpace(&out)
            guard index == source.count else { return false }
            append(&out)
            return isASCII || String(validating: source, as: UTF8.self) != nil
        }

        mutating func append(_ out: inout [UInt8]) {
            if start < index { out.append(contentsOf: UnsafeBufferPointer(rebasing: source[start..<index])) }
            start = index
        }

        mutating func skipSpace(_ out: inout [UInt8]) {
            guard index < source.count, source[index] <= 0x20 else { return }
            append(&out)
            while index < source.count, [0x20, 0x0A, 0x0D, 0x09].contains(source[index]) { index += 1 }
            start = index
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard index < source.count, source[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func value(depth: Int, _ out: inout [UInt8]) -> Bool {
            guard depth < Limits.jsonDepth, index < source.count else { return false }
            switch source[index] {
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "{"): return elements(named: true, until: UInt8(ascii: "}"), depth: depth, &out)
            case UInt8(ascii: "["): return elements(named: false, until: UInt8(ascii: "]"), depth: depth, &out)
            case UInt8(ascii: "t"): return literal("true")
            case UInt8(ascii: "f"): return literal("false")
            case UInt8(ascii: "n"): return literal("null")
            default: return number()
            }
        }

        mutating func literal(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard index + count <= source.count else { return false }
            for offset in 0..<count where source[index + offset] != text.utf8Start[offset] { return false }
            index += count
            return true
        }

        mutating func elements(named: Bool, until end: UInt8, depth: Int, _ out: inout [UInt8]) -> Bool {
            index += 1
            skipSpace(&out)
            if take(end) { return true }
            while true {
                skipSpace(&out)
                if named {
                    guard index < source.count, source[index] == UInt8(ascii: "\""), string() else { return false }
                    skipSpace(&out)
                    guard take(UInt8(ascii: ":")) else { return false }
                    skipSpace(&out)
                }
                guard value(depth: depth + 1, &out) else { return false }
                skipSpace(&out)
                if take(UInt8(ascii: ",")) { continue }
                return take(end)
            }
        }

        mutating func string() -> Bool {
            index += 1
            while index < source.count {
                index += JSON.plainPrefix(source, from: index)
                guard index < source.count else { break }
                let byte = source[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case 0x00..<0x20: return false
                case 0x80...: isASCII = false
                case UInt8(ascii: "\\"):
                    guard index < source.count, Self.escapes.contains(source[index]) else { return false }
                    index += 1
                default: break
                }
            }
            return false
        }

        private static let escapes = Array("\"\\nrtbf".utf8)

        /// Up to 15 digits are their own shortest form, unless they end in a zero or are less than a millionth.
        mutating func number() -> Bool {
            let isNegative = take(UInt8(ascii: "-"))
            let first = index
            let whole = digits()
            guard whole == 1 || (whole > 1 && source[first] != UInt8(ascii: "0")) else { return false }
            let isZero = whole == 1 && source[first] == UInt8(ascii: "0")
            if take(UInt8(ascii: ".")) {
                let begin = index
                let fraction = digits()
                guard fraction > 0, whole + fraction <= 15, source[index - 1] != UInt8(ascii: "0") else { return false }
                if isZero, source[begin..<index].prefix(while: { $0 == UInt8(ascii: "0") }).count > 5 { return false }
            } else if whole > 15 || (isZero && isNegative) {
                return false
            }
            return index == source.count || source[index] | 0x20 != UInt8(ascii: "e")
        }

        mutating func digits() -> Int {
            let begin = index
            while index < source.count, source[index] &- 48 < 10 { index += 1 }
            return index - begin
        }
    }
}
