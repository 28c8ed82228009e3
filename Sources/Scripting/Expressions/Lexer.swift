/// Cuts ECMAScript source into tokens on demand; the parser says where a slash starts a regular expression.
struct Lexer {
    enum Token: Equatable {
        case number(Double)
        case string(String)
        case identifier(String)
        case punctuator(String)
        /// The start of a template literal; the parser reads on with `templateText`.
        case backtick
        case end
    }

    /// The source is no ECMAScript, or uses what is not read natively.
    struct Unsupported: Error {}

    let source: [UInt8]
    private(set) var index = 0
    private(set) var tokenStart = 0
    /// Whether the last token stands on a later line than the one before.
    var hasLineBreak: Bool { source[triviaStart..<tokenStart].contains { $0 == 0x0A || $0 == 0x0D || $0 == 0xE2 } }
    private var triviaStart = 0

    init(_ text: some StringProtocol) { source = Array(text.utf8) }

    private func byte(_ offset: Int = 0) -> UInt8 { index + offset < source.count ? source[index + offset] : 0 }

    mutating func next() throws -> Token {
        triviaStart = index
        try skipTrivia()
        tokenStart = index
        guard index < source.count else { return .end }
        let first = byte()
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: ".") where Lexer.isDigit(byte(1)): return try number()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string(quote: first))
        case UInt8(ascii: "`"):
            index += 1
            return .backtick
        case _ where Lexer.isNameByte(first): return name()
        default: return try punctuator()
        }
    }

    private mutating func skipTrivia() throws {
        while index < source.count {
            switch byte() {
            case 0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D: index += 1
            case 0xC2 where byte(1) == 0xA0: index += 2
            case 0xEF where byte(1) == 0xBB && byte(2) == 0xBF: index += 3
            case 0xE2 where byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9): index += 3
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while index < source.count, byte() != 0x0A, byte() != 0x0D { index += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                index += 2
                while index < source.count, !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) { index += 1 }
                guard index < source.count else { throw Unsupported() }
                index += 2
            default: return
            }
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    /// Letters, digits, `$`, `_` and all of Unicode beyond ASCII (a superset of ID_Continue).
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 48...57, UInt8(ascii: "$"), UInt8(ascii: "_"): true
        default: byte >= 0x80
        }
    }

    private mutating func name() -> Token {
        while index < source.count, Lexer.isNameByte(byte()) { index += 1 }
        return .identifier(String(decoding: source[tokenStart..<index], as: UTF8.self))
    }

    private mutating func number() throws -> Token {
        if byte() == 48 {
            let radix: Int? =
                switch byte(1) | 0x20 {
                case UInt8(ascii: "x"): 16
                case UInt8(ascii: "o"): 8
                case UInt8(ascii: "b"): 2
                default: nil
                }
            if let radix {
                index += 2
                let start = index
                while Lexer.isNameByte(byte()), index < source.count { index += 1 }
                guard let value = Int(String(decoding: source[start..<index], as: UTF8.self), radix: radix), value <= 1 << 53 else { throw Unsupported() }
                return .number(Double(value))
            }
            if Lexer.isDigit(byte(1)) { throw Unsupported() }
        }
        skipDigits()
        if byte() == UInt8(ascii: ".") {
            index += 1
            skipDigits()
        }
        if byte() | 0x20 == UInt8(ascii: "e") {
            index += 1
            if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-") { index += 1 }
            guard Lexer.isDigit(byte()) else { throw Unsupported() }
            skipDigits()
        }
        guard index >= source.count || !Lexer.isNameByte(byte()) else { throw Unsupported() }
        var text = String(decoding: source[tokenStart..<index], as: UTF8.self)
        if text.hasPrefix(".") { text = "0" + text }
        if text.hasSuffix(".") { text += "0" }
        text = text.replacing(".e", with: ".0e").replacing(".E", with: ".0e")
        guard let value = Double(text) else { throw Unsupported() }
        return .number(value)
    }

    private mutating func skipDigits() {
        while index < source.count, Lexer.isDigit(byte()) { index += 1 }
    }

    private static let punctuators: [String] = [
        ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.",
        "**", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "{", "}", "(", ")", "[", "]", ".", ";", ",", "<", ">",
        "+", "-", "*", "/", "%", "&", "|", "^", "!", "~", "?", ":", "=",
    ]

    private mutating func punctuator() throws -> Token {
        for candidate in Lexer.punctuators where source[index...].starts(with: candidate.utf8) {
            if candidate == "?.", Lexer.isDigit(byte(2)) { continue }
            index += candidate.utf8.count
            return .punctuator(candidate)
        }
        throw Unsupported()
    }

    private mutating func string(quote: UInt8) throws -> String {
        index += 1
        var out: [UInt8] = []
        while index < source.count {
            let current = byte()
            index += 1
            if current == quote { return String(decoding: out, as: UTF8.self) }
            switch current {
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0x0A, 0x0D: throw Unsupported()
            default: out.append(current)
            }
        }
        throw Unsupported()
    }

    /// Reads what follows a backslash (ECMA-262, 12.9.4).
    private mutating func escape(into out: inout [UInt8]) throws {
        let current = byte()
        guard index < source.count else { throw Unsupported() }
        index += 1
        switch current {
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "v"): out.append(0x0B)
        case UInt8(ascii: "f"): out.append(0x0C)
        case 0x0A: break
        case 0x0D: if byte() == 0x0A { index += 1 }
        case UInt8(ascii: "0") where !Lexer.isDigit(byte()): out.append(0)
        case 48...57: throw Unsupported()
        case UInt8(ascii: "x"): try append(hexadecimal(2), to: &out)
        case UInt8(ascii: "u"): try append(unicodeEscape(), to: &out)
        default: out.append(current)
        }
    }

    private func append(_ code: UInt32, to out: inout [UInt8]) throws {
        guard let scalar = Unicode.Scalar(code) else { throw Unsupported() }
        out.append(contentsOf: String(scalar).utf8)
    }

    private mutating func hexadecimal(_ count: Int) throws -> UInt32 {
        guard index + count <= source.count,
            let value = UInt32(String(decoding: source[index..<index + count], as: UTF8.self), radix: 16), byte() != UInt8(ascii: "+")
        else { throw Unsupported() }
        index += count
        return value
    }

    /// A lone surrogate is left to the sandbox: Swift strings cannot hold one.
    private mutating func unicodeEscape() throws -> UInt32 {
        if byte() == UInt8(ascii: "{") {
            guard let close = source[index...].firstIndex(of: UInt8(ascii: "}")), close - index <= 9 else { throw Unsupported() }
            index += 1
            let value = try hexadecimal(close - index)
            index += 1
            return value
        }
        let unit = try hexadecimal(4)
        guard (0xD800...0xDBFF).contains(unit) else { return unit }
        guard byte() == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "u") else { throw Unsupported() }
        index += 2
        let low = try hexadecimal(4)
        guard (0xDC00...0xDFFF).contains(low) else { throw Unsupported() }
        return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }

    /// Reads the text of a template literal up to `${` (true) or the closing backtick (false).
    mutating func templateText() throws -> (text: String, isSubstitution: Bool) {
        var out: [UInt8] = []
        while index < source.count {
            let current = byte()
            index += 1
            switch current {
            case UInt8(ascii: "`"): return (String(decoding: out, as: UTF8.self), false)
            case UInt8(ascii: "$") where byte() == UInt8(ascii: "{"):
                index += 1
                return (String(decoding: out, as: UTF8.self), true)
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0x0D:
                out.append(0x0A)
                if byte() == 0x0A { index += 1 }
            default: out.append(current)
            }
        }
        throw Unsupported()
    }

    /// Reads the regular expression whose first slash was the last token.
    mutating func pattern() throws -> (source: String, flags: String) {
        index = tokenStart + 1
        let start = index
        var isInClass = false
        while index < source.count {
            switch byte() {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case 0x0A, 0x0D: throw Unsupported()
            case UInt8(ascii: "/") where !isInClass:
                let body = String(decoding: source[start..<index], as: UTF8.self)
                index += 1
                let flags = index
                while index < source.count, Lexer.isNameByte(byte()) { index += 1 }
                return (body, String(decoding: source[flags..<index], as: UTF8.self))
            default: break
            }
            index += 1
        }
        throw Unsupported()
    }
}
