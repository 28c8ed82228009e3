internal import Foundation

/// Words that a name is searched for by, in whatever case and without accents: each must be somewhere in it.
package struct NameMatch: Sendable {
    private let words: [String]

    package init(_ written: String) { words = Self.folded(written).split(whereSeparator: \.isWhitespace).map(String.init) }

    package var isEmpty: Bool { words.isEmpty }

    /// - Returns: 0 where the name begins with the first word, 1 where a word of it does, 2 where it is inside or in the other text; nil
    ///   where a word is in neither.
    package func rank(of name: String, or other: String = "") -> Int? {
        guard let first = words.first else { return 0 }
        let name = Self.folded(name)
        let both = name + " " + Self.folded(other)
        guard words.allSatisfy({ both.contains($0) }) else { return nil }
        if name.hasPrefix(first) { return 0 }
        return name.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).contains { $0.hasPrefix(first) } ? 1 : 2
    }

    private static func folded(_ text: String) -> String {
        text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
    }
}
