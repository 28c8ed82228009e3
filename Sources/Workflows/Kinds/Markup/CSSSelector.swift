internal import Foundation

/// A list of CSS selectors (Selectors Level 4, as far as a document at rest can have them), with the extensions that jQuery and
/// cheerio added: `:contains()`, `:first`, `:last`, `:eq()`, `:gt()`, `:lt()`, `:even`, `:odd`, and names of form controls.
struct CSSSelector: Sendable, Hashable {
    /// `ul.menu > li`: compounds from left to right, each with how it hangs on the one before.
    struct Complex: Sendable, Hashable {
        var parts: [(combinator: Combinator, compound: [Simple])]

        static func == (left: Complex, right: Complex) -> Bool {
            left.parts.map(\.combinator) == right.parts.map(\.combinator) && left.parts.map(\.compound) == right.parts.map(\.compound)
        }

        func hash(into hasher: inout Hasher) { hasher.combine(parts.map(\.compound)) }
    }

    enum Combinator: Sendable, Hashable { case descendant, child, next, later }

    indirect enum Simple: Sendable, Hashable {
        case any
        case tag(String)
        case id(String)
        case className(String)
        case attribute(name: String, test: AttributeTest, ignoresCase: Bool)
        /// Of the siblings counted from the start or end, all or those of the same name, the places `step * n + offset`.
        case nth(step: Int, offset: Int, fromEnd: Bool, sameName: Bool)
        case onlyChild(sameName: Bool)
        case matches(CSSSelector)
        case not(CSSSelector)
        /// Relative selectors: each begins with a combinator.
        case has(CSSSelector)
        case contains(String, ignoresCase: Bool)
        case state(String)
        /// A place in the list of all that the rest matches: `first`, `last`, `eq`, `gt`, `lt`, `even`, `odd`.
        case place(String, Int)
    }

    enum AttributeTest: Sendable, Hashable {
        case present
        case equals(String), notEquals(String), word(String), dashed(String), prefix(String), suffix(String), contains(String)
    }

    var alternatives: [Complex]

    init(alternatives: [Complex]) { self.alternatives = alternatives }

    /// - Throws: `invalid_parameter` where the text is no selector.
    init(_ text: String) throws {
        var parser = CSSSelectorParser(text)
        self = try parser.list(isRelative: false)
        guard parser.isAtEnd else { throw parser.fault("it cannot be read from here on") }
    }
}
