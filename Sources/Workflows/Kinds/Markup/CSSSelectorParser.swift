internal import Foundation

/// Reads selectors. A value that is consumed from the front.
struct CSSSelectorParser {
    private typealias Simple = CSSSelector.Simple
    private let text: String
    private var rest: Substring
    private var partCount = 0

    init(_ text: String) {
        self.text = text
        rest = text[...]
        skipSpace()
    }

    var isAtEnd: Bool { rest.isEmpty }

    func fault(_ reason: String) -> StepFailure {
        let place = text.distance(from: text.startIndex, to: rest.startIndex)
        return StepFailure.invalid("cssSelector", "The selector '\(text)' is not understood at character \(place + 1): \(reason).")
    }

    // MARK: Lists and compounds

    mutating func list(isRelative: Bool) throws -> CSSSelector {
        var alternatives = [try complex(isRelative: isRelative)]
        while take(",") {
            skipSpace()
            alternatives.append(try complex(isRelative: isRelative))
        }
        return CSSSelector(alternatives: alternatives)
    }

    private mutating func complex(isRelative: Bool) throws -> CSSSelector.Complex {
        var parts: [(combinator: CSSSelector.Combinator, compound: [Simple])] = []
        let first = isRelative ? combinator() ?? .descendant : .descendant
        parts.append((first, try compound()))
        while let next = combinator() {
            if isAtEnd || rest.first == "," || rest.first == ")" {
                guard next == .descendant else { throw fault("a selector must follow") }
                break
            }
            parts.append((next, try compound()))
        }
        return CSSSelector.Complex(parts: parts)
    }

    /// Spaces, `>`, `+` or `~`; nil where there is none.
    private mutating func combinator() -> CSSSelector.Combinator? {
        let before = rest
        skipSpace()
        for (sign, combinator) in [(">", CSSSelector.Combinator.child), ("+", .next), ("~", .later)] where take(sign) {
            skipSpace()
            return combinator
        }
        return rest.startIndex == before.startIndex ? nil : .descendant
    }

    private mutating func compound() throws -> [Simple] {
        var simples: [Simple] = []
        while let character = rest.first {
            partCount += 1
            guard partCount <= MarkupLimits.selectorParts else { throw fault("it is too long") }
            switch character {
            case "*":
                rest.removeFirst()
                simples.append(.any)
            case "#":
                rest.removeFirst()
                simples.append(.id(try name()))
            case ".":
                rest.removeFirst()
                simples.append(.className(try name()))
            case "[": simples.append(try attribute())
            case ":": simples.append(try pseudo())
            case let character where CSSSelectorParser.isName(character) || character == "\\":
                guard simples.isEmpty else { throw fault("a name must stand first") }
                simples.append(.tag(try name().lowercased()))
            default:
                guard !simples.isEmpty else { throw fault("a selector must stand here") }
                return simples
            }
        }
        guard !simples.isEmpty else { throw fault("a selector must stand here") }
        return simples
    }

    // MARK: Attributes

    private mutating func attribute() throws -> Simple {
        rest.removeFirst()
        skipSpace()
        let name = try name().lowercased()
        skipSpace()
        if take("]") { return .attribute(name: name, test: .present, ignoresCase: false) }
        guard let sign = ["=", "!=", "~=", "|=", "^=", "$=", "*="].first(where: { take($0) }) else { throw fault("'=' must stand here") }
        skipSpace()
        let value = try rest.first == "\"" || rest.first == "'" ? quoted() : self.unquoted()
        skipSpace()
        let ignoresCase = take("i") || take("I")
        if !ignoresCase { _ = take("s") }
        skipSpace()
        guard take("]") else { throw fault("']' must stand here") }
        let test: CSSSelector.AttributeTest =
            switch sign {
            case "=": .equals(value)
            case "!=": .notEquals(value)
            case "~=": .word(value)
            case "|=": .dashed(value)
            case "^=": .prefix(value)
            case "$=": .suffix(value)
            default: .contains(value)
            }
        return .attribute(name: name, test: test, ignoresCase: ignoresCase)
    }

    private mutating func unquoted() throws -> String {
        let value = rest.prefix { $0 != "]" && !$0.isWhitespace }
        guard !value.isEmpty else { throw fault("a value must stand here") }
        rest = rest[value.endIndex...]
        return String(value)
    }

    private mutating func quoted() throws -> String {
        let quote = rest.removeFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == quote { return value }
            if character == "\\", let escaped = rest.popFirst() { value.append(escaped) } else { value.append(character) }
        }
        throw fault("the quote is not closed")
    }

    // MARK: Pseudo-classes

    private mutating func pseudo() throws -> Simple {
        rest.removeFirst()
        if take(":") { throw fault("pseudo-elements match nothing here") }
        let name = try name().lowercased()
        guard take("(") else { return try plain(name) }
        skipSpace()
        let simple = try function(name)
        skipSpace()
        guard take(")") else { throw fault("')' must stand here") }
        return simple
    }

    private func plain(_ name: String) throws -> Simple {
        switch name {
        case "first-child": return .nth(step: 0, offset: 1, fromEnd: false, sameName: false)
        case "last-child": return .nth(step: 0, offset: 1, fromEnd: true, sameName: false)
        case "first-of-type": return .nth(step: 0, offset: 1, fromEnd: false, sameName: true)
        case "last-of-type": return .nth(step: 0, offset: 1, fromEnd: true, sameName: true)
        case "only-child": return .onlyChild(sameName: false)
        case "only-of-type": return .onlyChild(sameName: true)
        case "first", "last", "even", "odd": return .place(name, 0)
        case let name where CSSSelector.states.contains(name): return .state(name)
        default: throw fault("':\(name)' is unknown")
        }
    }

    private mutating func function(_ name: String) throws -> Simple {
        switch name {
        case "not": return .not(try list(isRelative: false))
        case "is", "matches", "where", "any": return .matches(try list(isRelative: false))
        case "has": return .has(try list(isRelative: true))
        case "contains", "icontains":
            let value = try rest.first == "\"" || rest.first == "'" ? quoted() : String(takeUntilClosing())
            return .contains(value, ignoresCase: name == "icontains")
        case "nth-child": return try nth(fromEnd: false, sameName: false)
        case "nth-last-child": return try nth(fromEnd: true, sameName: false)
        case "nth-of-type": return try nth(fromEnd: false, sameName: true)
        case "nth-last-of-type": return try nth(fromEnd: true, sameName: true)
        case "eq", "nth", "gt", "lt":
            guard let place = Int(takeUntilClosing().trimmingCharacters(in: .whitespaces)) else { throw fault("a number must stand here") }
            return .place(name == "nth" ? "eq" : name, place)
        default: throw fault("':\(name)()' is unknown")
        }
    }

    /// No document has as many elements; places are counted from it without care for overflow.
    private static let placeMaximum = 1 << 30

    /// `even`, `odd`, `3`, `2n+1`, `-n + 3`
    private mutating func nth(fromEnd: Bool, sameName: Bool) throws -> Simple {
        let formula = takeUntilClosing().lowercased().filter { !$0.isWhitespace }
        func bounded(_ number: Int) -> Int { min(max(number, -Self.placeMaximum), Self.placeMaximum) }
        func simple(_ step: Int, _ offset: Int) -> Simple {
            .nth(step: bounded(step), offset: bounded(offset), fromEnd: fromEnd, sameName: sameName)
        }
        if formula == "even" { return simple(2, 0) }
        if formula == "odd" { return simple(2, 1) }
        guard let n = formula.firstIndex(of: "n") else {
            guard let offset = Int(formula) else { throw fault("'\(formula)' is no position") }
            return simple(0, offset)
        }
        let before = String(formula[..<n])
        let after = String(formula[formula.index(after: n)...])
        let step: Int? = before.isEmpty || before == "+" ? 1 : before == "-" ? -1 : Int(before)
        guard let step, let offset = after.isEmpty ? 0 : Int(after) else { throw fault("'\(formula)' is no position") }
        return simple(step, offset)
    }

    // MARK: Characters

    private static func isName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "-" || character == "_" || !character.isASCII
    }

    private mutating func name() throws -> String {
        var name = ""
        while let character = rest.first {
            if CSSSelectorParser.isName(character) {
                name.append(rest.removeFirst())
            } else if character == "\\" {
                rest.removeFirst()
                name += escaped()
            } else {
                break
            }
        }
        guard !name.isEmpty else { throw fault("a name must stand here") }
        return name
    }

    /// After a backslash: up to six hexadecimal digits and a space, or any character (CSS Syntax Level 3, 4.3.7).
    private mutating func escaped() -> String {
        let digits = rest.prefix(6).prefix { $0.isHexDigit }
        guard !digits.isEmpty, let value = UInt32(digits, radix: 16) else { return rest.popFirst().map(String.init) ?? "" }
        rest = rest[digits.endIndex...]
        if rest.first?.isWhitespace == true { rest.removeFirst() }
        return Unicode.Scalar(value).map { String(Character($0)) } ?? "\u{FFFD}"
    }

    private mutating func takeUntilClosing() -> Substring {
        let taken = rest.prefix { $0 != ")" }
        rest = rest[taken.endIndex...]
        return taken
    }

    private mutating func take(_ prefix: String) -> Bool {
        guard rest.hasPrefix(prefix) else { return false }
        rest.removeFirst(prefix.count)
        return true
    }

    private mutating func skipSpace() { rest = rest.drop { $0.isWhitespace } }
}
