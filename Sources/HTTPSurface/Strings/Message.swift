/// A text with places to fill in, in a part of ICU's MessageFormat: `{name}`, `{count, plural, =0 {…} one {# run} other {# runs}}`,
/// `{kind, select, a {…} other {…}}`; `'{'` and `'}'` are plain braces, `''` an apostrophe.
struct Message: Sendable, Hashable {
    indirect enum Part: Sendable, Hashable {
        case text(String)
        case argument(String)
        /// The number of the plural around it.
        case number
        case plural(String, [String: [Part]])
        case select(String, [String: [Part]])
    }

    struct SyntaxError: Error, CustomStringConvertible {
        let text: String
        let reason: String
        var description: String { "\(reason) in \"\(text)\"" }
    }

    let parts: [Part]

    init(_ text: String) throws {
        var reader = Reader(text: text, rest: text[...])
        parts = try reader.parts(inPlural: false, nested: false)
    }

    init(parts: [Part]) { self.parts = parts }

    private struct Reader {
        let text: String
        var rest: Substring

        func fault(_ reason: String) -> SyntaxError { SyntaxError(text: text, reason: reason) }

        mutating func parts(inPlural: Bool, nested: Bool) throws -> [Part] {
            var parts: [Part] = []
            var plain = ""
            func flush() { if !plain.isEmpty { parts.append(.text(plain)); plain = "" } }
            while let next = rest.first {
                if next == "}" {
                    guard nested else { throw fault("a brace too many") }
                    break
                }
                rest.removeFirst()
                switch next {
                case "'": plain += quoted()
                case "{":
                    flush()
                    parts.append(try placeholder())
                case "#" where inPlural:
                    flush()
                    parts.append(.number)
                default: plain.append(next)
                }
            }
            flush()
            return parts
        }

        /// After an apostrophe: another one, or a quoted brace; else it stands for itself.
        private mutating func quoted() -> String {
            if rest.first == "'" {
                rest.removeFirst()
                return "'"
            }
            guard let brace = rest.first, "{}#".contains(brace), rest.dropFirst().first == "'" else { return "'" }
            rest.removeFirst(2)
            return String(brace)
        }

        private mutating func placeholder() throws -> Part {
            let name = word()
            guard !name.isEmpty else { throw fault("a name is missing") }
            switch take() {
            case "}": return .argument(name)
            case ",": break
            default: throw fault("a brace is not closed")
            }
            let kind = word()
            guard kind == "plural" || kind == "select", take() == "," else { throw fault("an unknown form") }
            var cases: [String: [Part]] = [:]
            while true {
                let selector = word()
                if selector.isEmpty {
                    guard take() == "}" else { throw fault("a brace is not closed") }
                    break
                }
                guard take() == "{" else { throw fault("a case without text") }
                cases[selector] = try parts(inPlural: kind == "plural", nested: true)
                guard take() == "}" else { throw fault("a brace is not closed") }
            }
            guard cases["other"] != nil else { throw fault("the case other is missing") }
            return kind == "plural" ? .plural(name, cases) : .select(name, cases)
        }

        private mutating func word() -> String {
            rest = rest.drop(while: \.isWhitespace)
            let word = rest.prefix { !$0.isWhitespace && !"{},".contains($0) }
            rest = rest.dropFirst(word.count).drop(while: \.isWhitespace)
            return String(word)
        }

        private mutating func take() -> Character? { rest.popFirst() }
    }
}

extension Message {
    /// The text for a language; an argument that is not given shows its name in braces.
    func format(_ arguments: [String: String], language: String, marks: FigureMarks = FigureMarks()) -> String {
        Message.format(parts, arguments, language, marks, number: "")
    }

    private static func format(_ parts: [Part], _ arguments: [String: String], _ language: String, _ marks: FigureMarks, number: String) -> String {
        var out = ""
        for part in parts {
            switch part {
            case .text(let text): out += text
            case .argument(let name): out += arguments[name] ?? "{\(name)}"
            case .number: out += number
            case .plural(let name, let cases):
                let value = arguments[name] ?? "0"
                let chosen = cases["=\(value)"] ?? cases[PluralRules.category(of: value, language: language)] ?? cases["other"] ?? []
                out += format(chosen, arguments, language, marks, number: marks.text(value))
            case .select(let name, let cases):
                out += format(cases[arguments[name] ?? ""] ?? cases["other"] ?? [], arguments, language, marks, number: number)
            }
        }
        return out
    }

    /// The same message in the pseudo-locale: accented, about a third longer, in brackets, so that a screen shows at a glance what is
    /// not translated and what does not fit.
    var pseudo: Message { Message(parts: [.text("[")] + parts.map(Message.pseudo) + [.text("]")]) }

    private static func pseudo(_ part: Part) -> Part {
        switch part {
        case .text(let text): .text(accented(text))
        case .plural(let name, let cases): .plural(name, cases.mapValues { $0.map(pseudo) })
        case .select(let name, let cases): .select(name, cases.mapValues { $0.map(pseudo) })
        case .argument, .number: part
        }
    }

    private static func accented(_ text: String) -> String {
        let plain = Array("aAcCeEiInNoOuUyY")
        let accents = Array("áÁçÇéÉíÍñÑóÓúÚýÝ")
        return String(
            text.flatMap { letter -> [Character] in
                guard let index = plain.firstIndex(of: letter) else { return [letter] }
                return "aeiou".contains(letter) ? [accents[index], accents[index]] : [accents[index]]
            })
    }
}

/// Which plural form a number takes (Unicode CLDR plural rules, whole numbers).
enum PluralRules {
    static func category(of value: String, language: String) -> String {
        guard let number = Int(value)?.magnitude else { return "other" }
        let (ten, hundred) = (number % 10, number % 100)
        switch language.prefix(2) {
        case "ja", "zh", "ko", "vi", "th", "id": return "other"
        case "fr", "pt": return number < 2 ? "one" : "other"
        case "ru", "uk":
            if ten == 1, hundred != 11 { return "one" }
            return (2...4).contains(ten) && !(12...14).contains(hundred) ? "few" : "many"
        case "pl":
            if number == 1 { return "one" }
            return (2...4).contains(ten) && !(12...14).contains(hundred) ? "few" : "many"
        case "cs", "sk": return number == 1 ? "one" : (2...4).contains(number) ? "few" : "other"
        case "ar":
            if number < 3 { return ["zero", "one", "two"][Int(number)] }
            return (3...10).contains(hundred) ? "few" : hundred >= 11 ? "many" : "other"
        default: return number == 1 ? "one" : "other"
        }
    }
}
