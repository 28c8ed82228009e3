internal import OrderedCollections

extension Parser {
    mutating func primary() throws -> Syntax {
        let token = current
        switch token {
        case .number(let value):
            try advance()
            return .number(value)
        case .string(let value):
            try advance()
            return .string(value)
        case .backtick: return try template()
        case .identifier(let name):
            if name == "new" { return try construction() }
            try advance()
            return try identifier(name)
        case .punctuator("("):
            try advance()
            let value = try assignment()
            try expect(")")
            // The parentheses mean something around these: they end an optional chain, or let `??` stand beside `||`.
            switch value {
            case .member, .and, .or, .coalesce: return .chain(value)
            default: return value
            }
        case .punctuator("["):
            try advance()
            return .array(try elements(until: "]"))
        case .punctuator("{"): return try object()
        case .punctuator("/"), .punctuator("/="): return try pattern()
        default: throw Lexer.Unsupported()
        }
    }

    private func identifier(_ name: String) throws -> Syntax {
        for (depth, names) in functions.reversed().enumerated() {
            if let slot = names.lastIndex(of: name) { return .local(depth: depth, slot: slot) }
        }
        switch name {
        case "undefined": return .undefined
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "NaN": return .number(.nan)
        case "Infinity": return .number(.infinity)
        default:
            if let root = Root(rawValue: name) { return .root(root) }
            if name.hasPrefix("$") { return .extra(name) }
            throw Lexer.Unsupported()
        }
    }

    private mutating func construction() throws -> Syntax {
        try advance()
        guard case .identifier(let name) = current, let root = Root(rawValue: name), root == .date else { throw Lexer.Unsupported() }
        try advance()
        guard takes("(") else { return .construct(root, []) }
        try advance()
        return .construct(root, try elements(until: ")"))
    }

    private mutating func template() throws -> Syntax {
        var texts: [String] = []
        var values: [Syntax] = []
        while true {
            let (text, isSubstitution) = try lexer.templateText()
            texts.append(text)
            guard isSubstitution else { break }
            try advance()
            values.append(try assignment())
            guard takes("}") else { throw Lexer.Unsupported() }
        }
        try advance()
        return values.isEmpty ? .string(texts[0]) : .template(texts, values)
    }

    private mutating func object() throws -> Syntax {
        try advance()
        var properties: [Syntax.Property] = []
        while !takes("}") {
            properties.append(try property())
            guard try skip(",") else { break }
        }
        try expect("}")
        return .object(properties)
    }

    private mutating func property() throws -> Syntax.Property {
        if try skip("...") { return Syntax.Property(key: .spread, value: try assignment()) }
        if try skip("[") {
            let key = try assignment()
            try expect("]")
            try expect(":")
            return Syntax.Property(key: .computed(key), value: try assignment())
        }
        let token = current
        try advance()
        let name: String
        switch token {
        case .identifier(let text):
            name = text
            if takes(",") || takes("}") { return Syntax.Property(key: .name(text), value: try identifier(text)) }
        case .string(let text): name = text
        case .number(let value): name = Value.numberText(value)
        default: throw Lexer.Unsupported()
        }
        guard name != "__proto__" else { throw Lexer.Unsupported() }
        try expect(":")
        return Syntax.Property(key: .name(name), value: try assignment())
    }

    /// Only patterns that match one fixed text are evaluated natively.
    private mutating func pattern() throws -> Syntax {
        let (source, flags) = try lexer.pattern()
        guard flags == "" || flags == "g" || flags == "gm" else { throw Lexer.Unsupported() }
        var text = ""
        var characters = source.unicodeScalars.makeIterator()
        while let character = characters.next() {
            switch character {
            case "\\":
                switch characters.next() {
                case "n": text += "\n"
                case "r": text += "\r"
                case "t": text += "\t"
                case .some(let escaped) where ".*+?^${}()|[]\\/-\"'`,:;<>=!@#%&_ ".unicodeScalars.contains(escaped): text.unicodeScalars.append(escaped)
                default: throw Lexer.Unsupported()
                }
            case ".", "*", "+", "?", "^", "$", "{", "}", "(", ")", "|", "[", "]": throw Lexer.Unsupported()
            default: text.unicodeScalars.append(character)
            }
        }
        guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.value < 0x1_0000 }) else { throw Lexer.Unsupported() }
        try advance()
        return .literalPattern(text, global: flags.contains("g"))
    }

    // MARK: Arrow functions

    /// `x => …`, `(a, [b, c]) => …` with an expression, or a block that only returns one; nil where no arrow follows.
    mutating func arrowFunction() throws -> Syntax? {
        let before = self
        guard let (names, patterns) = try? parameters(), takes("=>") else {
            self = before
            return nil
        }
        try advance()
        functions.append(names)
        defer { functions.removeLast() }
        guard takes("{") else { return .arrow(Syntax.Arrow(parameters: patterns, slots: names.count, body: try assignment())) }
        try advance()
        guard current == .identifier("return") else { throw Lexer.Unsupported() }
        try advance()
        // A line break after `return` ends the statement (ECMA-262, 12.10).
        guard !lexer.hasLineBreak else { throw Lexer.Unsupported() }
        let body = try assignment()
        _ = try skip(";")
        try expect("}")
        return .arrow(Syntax.Arrow(parameters: patterns, slots: names.count, body: body))
    }

    private mutating func parameters() throws -> (names: [String], patterns: [Syntax.Pattern]) {
        var names: [String] = []
        if case .identifier(let name) = current {
            guard !Parser.reserved.contains(name) else { throw Lexer.Unsupported() }
            try advance()
            return ([name], [.slot(0)])
        }
        try expect("(")
        var patterns: [Syntax.Pattern] = []
        while !takes(")") {
            if try skip("[") {
                var slots: [Int?] = []
                while !takes("]") {
                    if takes(",") { slots.append(nil) } else { slots.append(try bind(&names)) }
                    guard try skip(",") else { break }
                }
                try expect("]")
                patterns.append(.array(slots))
            } else if try skip("{") {
                patterns.append(.object(try objectPattern(&names)))
            } else {
                patterns.append(.slot(try bind(&names)))
            }
            guard try skip(",") else { break }
        }
        try expect(")")
        return (names, patterns)
    }

    private mutating func objectPattern(_ names: inout [String]) throws -> [(key: String, slot: Int)] {
        var members: [(key: String, slot: Int)] = []
        while !takes("}") {
            guard case .identifier(let key) = current else { throw Lexer.Unsupported() }
            let after = self
            try advance()
            if try skip(":") {
                members.append((key, try bind(&names)))
            } else {
                self = after
                members.append((key, try bind(&names)))
            }
            guard try skip(",") else { break }
        }
        try expect("}")
        return members
    }

    private mutating func bind(_ names: inout [String]) throws -> Int {
        guard case .identifier(let name) = current, !Parser.reserved.contains(name) else { throw Lexer.Unsupported() }
        try advance()
        names.append(name)
        return names.count - 1
    }

    private static let reserved: Set<String> = [
        "function", "class", "new", "typeof", "void", "delete", "this", "async", "await", "yield", "import", "super", "let", "const", "var",
        "return", "if", "for", "while", "do", "switch", "throw", "try", "true", "false", "null", "undefined", "in", "instanceof",
    ]
}
