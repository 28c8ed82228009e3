internal import Kernel

extension Expressions {
    /// Why a text that begins with `=` cannot be evaluated; nil where nothing shows. What is parsed natively is right; of the rest
    /// only faults that no JavaScript can have are named: an unclosed bracket or string, an operator without its operand, values side
    /// by side.
    package static func syntaxFault(in text: String) -> String? {
        guard isExpression(text) else { return nil }
        guard text.utf8.count <= Limits.expressionText else { return "An expression may have at most \(Limits.expressionText) bytes." }
        for case .block(let block) in Template(text).parts where block.syntax == nil {
            var check = SyntaxCheck(block.source)
            if let fault = check.fault() { return "\(fault): {{ \(block.source.trimmingECMASpace().prefix(80)) }}" }
        }
        return nil
    }
}

/// Reads JavaScript as tokens, as far as strings, comments, templates and regular expressions must be told apart.
struct SyntaxCheck {
    /// What stood before, as far as it decides what may follow.
    private enum Before: Equatable {
        case nothing, word, keyword, value, opening, closing, punctuator(UInt8)
        case increment
    }

    private let bytes: [UInt8]
    private var index = 0
    private var brackets: [UInt8] = []
    private var before = Before.nothing
    private var isAfterBreak = false

    init(_ source: String) { bytes = Array(source.utf8) }

    private static let keywords: Set<String> = [
        "typeof", "new", "in", "instanceof", "of", "void", "delete", "return", "const", "let", "var", "if", "else", "for", "while", "do", "function",
        "async", "await", "throw", "case", "default", "try", "catch", "finally", "switch", "break", "continue", "class", "extends", "yield", "get",
        "set", "static", "import", "from", "as", "debugger", "with"
    ]
    private static let pairs: [UInt8: UInt8] = [
        UInt8(ascii: ")"): UInt8(ascii: "("), UInt8(ascii: "]"): UInt8(ascii: "["), UInt8(ascii: "}"): UInt8(ascii: "{")
    ]

    mutating func fault() -> String? {
        while index < bytes.count {
            if let fault = step() { return fault }
        }
        if let open = brackets.last { return open == UInt8(ascii: "`") ? "A template is not closed" : "A '\(character(open))' is not closed" }
        switch before {
        case .punctuator(let byte) where byte != UInt8(ascii: ";"): return "Something is missing after '\(character(byte))'"
        default: return nil
        }
    }

    private func character(_ byte: UInt8) -> Character { Character(Unicode.Scalar(byte)) }
    private func peek(_ distance: Int = 1) -> UInt8? { index + distance < bytes.count ? bytes[index + distance] : nil }

    private mutating func step() -> String? {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            isAfterBreak = true
            index += 1
            return nil
        case 0...0x20:
            index += 1
            return nil
        case UInt8(ascii: "/") where peek() == UInt8(ascii: "/") || peek() == UInt8(ascii: "*"): return comment()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return operand(.value) ?? string(byte)
        case UInt8(ascii: "`"):
            index += 1
            brackets.append(byte)
            return template()
        case UInt8(ascii: "/") where startsPattern: return pattern()
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
            brackets.append(byte)
            return move(.opening)
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): return close(byte)
        case UInt8(ascii: "$"), UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...0xFF:
            return word()
        case UInt8(ascii: "+") where peek() == byte, UInt8(ascii: "-") where peek() == byte:
            index += 1
            return move(.increment)
        default: return punctuator(byte)
        }
    }

    private mutating func move(_ next: Before) -> String? {
        index += 1
        before = next
        isAfterBreak = false
        return nil
    }

    /// A value may not follow a value in the same line.
    private mutating func operand(_ next: Before) -> String? {
        if before == .word || before == .value, !isAfterBreak { return "Two values stand side by side" }
        before = next
        isAfterBreak = false
        return nil
    }

    private mutating func comment() -> String? {
        let isLine = peek() == UInt8(ascii: "/")
        index += 2
        while index < bytes.count {
            if isLine, bytes[index] == UInt8(ascii: "\n") { return nil }
            if !isLine, bytes[index] == UInt8(ascii: "*"), peek() == UInt8(ascii: "/") {
                index += 2
                return nil
            }
            index += 1
        }
        return isLine ? nil : "A comment is not closed"
    }

    private mutating func string(_ quote: UInt8) -> String? {
        index += 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\n"): return "A string is not closed in its line"
            case quote:
                index += 1
                return nil
            default: index += 1
            }
        }
        return "A string is not closed"
    }

    /// Text of a template, up to its end or the next `${`.
    private mutating func template() -> String? {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "`"):
                brackets.removeLast()
                return move(.closing)
            case UInt8(ascii: "$") where peek() == UInt8(ascii: "{"):
                index += 1
                brackets.append(UInt8(ascii: "{"))
                return move(.opening)
            default: index += 1
            }
        }
        return "A template is not closed"
    }

    private var startsPattern: Bool {
        switch before {
        case .nothing, .keyword, .opening, .punctuator: true
        case .word, .value, .closing, .increment: false
        }
    }

    private mutating func pattern() -> String? {
        var isInClass = false
        index += 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case UInt8(ascii: "\n"): return "A regular expression is not closed"
            case UInt8(ascii: "/") where !isInClass:
                index += 1
                while index < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[index]) { index += 1 }
                before = .value
                isAfterBreak = false
                return nil
            default: break
            }
            index += 1
        }
        return "A regular expression is not closed"
    }

    private mutating func close(_ byte: UInt8) -> String? {
        guard let open = brackets.last, open == SyntaxCheck.pairs[byte] else { return "A '\(character(byte))' closes nothing" }
        if case .punctuator(let last) = before, last != UInt8(ascii: ";"), last != UInt8(ascii: ","), last != UInt8(ascii: ":") {
            return "Something is missing before '\(character(byte))'"
        }
        brackets.removeLast()
        if byte == UInt8(ascii: "}"), brackets.last == UInt8(ascii: "`") {
            index += 1
            return template()
        }
        return move(.closing)
    }

    private mutating func word() -> String? {
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "$"), UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...0xFF:
                index += 1
                continue
            default: break
            }
            break
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        // Spaces beyond ASCII are no letters.
        if text.allSatisfy(\.isWhitespace) { return nil }
        let isMember = before == .punctuator(UInt8(ascii: "."))
        guard !isMember, SyntaxCheck.keywords.contains(text) else { return operand(.word) }
        before = .keyword
        isAfterBreak = false
        return nil
    }

    private mutating func punctuator(_ byte: UInt8) -> String? {
        let binary = "*%<>&|^?:,=".utf8
        switch before {
        case .nothing where binary.contains(byte): return "Something is missing before '\(character(byte))'"
        case .opening where "*%&|^?".utf8.contains(byte): return "Something is missing before '\(character(byte))'"
        case .punctuator(UInt8(ascii: ".")) where byte != UInt8(ascii: ".") && byte != UInt8(ascii: "["): return "A name is missing after '.'"
        default: return move(.punctuator(byte))
        }
    }
}
