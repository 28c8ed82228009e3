internal import Kernel

/// Parses one ECMAScript expression (ECMA-262, 13) by operator precedence; what is not evaluated natively is `Lexer.Unsupported`.
struct Parser {
    var lexer: Lexer
    var current: Lexer.Token = .end
    /// Names of the parameters of the arrow functions around the current place, innermost last.
    var functions: [[String]] = []
    private var depth = 0

    static func parse(_ source: some StringProtocol) throws -> Syntax {
        var parser = Parser(lexer: Lexer(source))
        try parser.advance()
        let result = try parser.assignment()
        if parser.takes(";") { try parser.advance() }
        guard parser.current == .end else { throw Lexer.Unsupported() }
        return result
    }

    private init(lexer: Lexer) { self.lexer = lexer }

    mutating func advance() throws { current = try lexer.next() }
    func takes(_ text: String) -> Bool { current == .punctuator(text) }

    mutating func expect(_ text: String) throws {
        guard takes(text) else { throw Lexer.Unsupported() }
        try advance()
    }

    mutating func skip(_ text: String) throws -> Bool {
        guard takes(text) else { return false }
        try advance()
        return true
    }

    mutating func assignment() throws -> Syntax {
        depth += 1
        defer { depth -= 1 }
        guard depth < Limits.expressionDepth else { throw Lexer.Unsupported() }
        if let arrow = try arrowFunction() { return arrow }
        let test = try binary(minimum: 0)
        guard try skip("?") else { return test }
        let yes = try assignment()
        try expect(":")
        return .conditional(test, yes, try assignment())
    }

    private static let precedences: [String: Int] = [
        "??": 1, "||": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7, "===": 7, "!==": 7, "<": 8, ">": 8, "<=": 8, ">=": 8, "in": 8,
        "<<": 9, ">>": 9, ">>>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "**": 12,
    ]

    private static let operators: [String: Syntax.BinaryOperator] = [
        "|": .or, "^": .xor, "&": .and, "==": .equal, "!=": .notEqual, "===": .same, "!==": .notSame, "<": .less, ">": .greater,
        "<=": .lessOrEqual, ">=": .greaterOrEqual, "in": .contained, "<<": .shiftLeft, ">>": .shiftRight, ">>>": .shiftRightUnsigned,
        "+": .add, "-": .subtract, "*": .multiply, "/": .divide, "%": .remainder, "**": .power,
    ]

    private func binaryOperator() -> (name: String, precedence: Int)? {
        switch current {
        case .punctuator(let name), .identifier(let name): Parser.precedences[name].map { (name, $0) }
        default: nil
        }
    }

    private mutating func binary(minimum: Int) throws -> Syntax {
        depth += 1
        defer { depth -= 1 }
        guard depth < Limits.expressionDepth else { throw Lexer.Unsupported() }
        var left = try unary()
        while let (name, precedence) = binaryOperator(), precedence > minimum {
            try advance()
            let right = try binary(minimum: name == "**" ? precedence - 1 : precedence)
            // ECMA-262, 13.13: `??` may not be mixed with `||` and `&&` without parentheses.
            if Parser.mixesLogical(name, left) || Parser.mixesLogical(name, right) { throw Lexer.Unsupported() }
            switch name {
            case "??": left = .coalesce(left, right)
            case "||": left = .or(left, right)
            case "&&": left = .and(left, right)
            default: left = .binary(Parser.operators[name]!, left, right)
            }
        }
        return left
    }

    private static func mixesLogical(_ name: String, _ operand: Syntax) -> Bool {
        switch operand {
        case .and, .or: name == "??"
        case .coalesce: name == "||" || name == "&&"
        default: false
        }
    }

    private mutating func unary() throws -> Syntax {
        let sign: Syntax.UnaryOperator? =
            switch current {
            case .punctuator("!"): .not
            case .punctuator("-"): .minus
            case .punctuator("+"): .plus
            case .punctuator("~"): .complement
            case .identifier("typeof"): .typeof
            case .identifier("void"): .void
            default: nil
            }
        guard let sign else { return try postfix() }
        depth += 1
        defer { depth -= 1 }
        guard depth < Limits.expressionDepth else { throw Lexer.Unsupported() }
        try advance()
        let operand = try unary()
        if takes("**") { throw Lexer.Unsupported() }
        return .unary(sign, operand)
    }

    /// Members, indices and calls after a primary expression.
    private mutating func postfix() throws -> Syntax {
        var value = try primary()
        var isChain = false
        while true {
            switch current {
            case .punctuator("."):
                try advance()
                value = .member(value, try memberName(), optional: false)
            case .punctuator("?."):
                isChain = true
                try advance()
                if takes("(") {
                    value = try call(value, isOptional: true)
                } else if try skip("[") {
                    value = .index(value, try assignment(), optional: true)
                    try expect("]")
                } else {
                    value = .member(value, try memberName(), optional: true)
                }
            case .punctuator("["):
                try advance()
                let key = try assignment()
                try expect("]")
                if case .string(let name) = key { value = .member(value, name, optional: false) } else { value = .index(value, key, optional: false) }
            case .punctuator("("):
                value = try call(value, isOptional: false)
            case .backtick, .punctuator("++"), .punctuator("--"): throw Lexer.Unsupported()
            default: return isChain ? .chain(value) : value
            }
        }
    }

    private mutating func memberName() throws -> String {
        guard case .identifier(let name) = current else { throw Lexer.Unsupported() }
        try advance()
        return name
    }

    private mutating func call(_ callee: Syntax, isOptional: Bool) throws -> Syntax {
        try advance()
        let arguments = try elements(until: ")")
        switch callee {
        case .member(let object, let name, let isOptionalMember):
            return .method(
                Syntax.Method(
                    object: object, name: name, arguments: arguments, isExtended: Syntax.extensionNames.contains(name),
                    isOptionalMember: isOptionalMember, isOptionalCall: isOptional))
        case .extra("$if"):
            guard (2...3).contains(arguments.count), arguments.allSatisfy({ !$0.isSpread }) else { throw Lexer.Unsupported() }
            return .conditional(arguments[0].value, arguments[1].value, arguments.count == 3 ? arguments[2].value : .bool(false))
        default: return .call(callee, arguments, optional: isOptional)
        }
    }

    /// Comma-separated values with spreads, up to and over the closing mark.
    mutating func elements(until close: String) throws -> [Syntax.Element] {
        var out: [Syntax.Element] = []
        while !takes(close) {
            let isSpread = try skip("...")
            if takes(",") { throw Lexer.Unsupported() }
            out.append(Syntax.Element(value: try assignment(), isSpread: isSpread))
            guard try skip(",") else { break }
        }
        try expect(close)
        return out
    }
}
