internal import Foundation
internal import Kernel

/// Every text a person sees, by its key `module.noun.meaning` and language, from `Locales/<language>/<module>.json`: flat objects of
/// messages (see `Message`). English is complete; what another language lacks is shown in English. `en-XA` is made from English.
package struct Strings: Sendable {
    package static let pseudoLocale = "en-XA"
    private static let source = "en"

    private let messages: [String: [String: Message]]

    /// No texts at all: keys stand for themselves.
    package static let none = Strings(messages: [:])

    private let marks: [String: FigureMarks]

    private init(messages: [String: [String: Message]]) {
        self.messages = messages
        marks = Strings.marks(in: messages)
    }

    /// - Throws: where the folder cannot be read, a file is no flat JSON object of texts, or a message is malformed.
    package init(directory: String) throws {
        var messages: [String: [String: Message]] = [:]
        for language in try FileManager.default.contentsOfDirectory(atPath: directory) where !language.hasPrefix(".") {
            let folder = "\(directory)/\(language)"
            for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".json") {
                let json = try JSON(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))))
                for (key, value) in json.object ?? [:] { messages[language, default: [:]][key] = try Message(value.text ?? "") }
            }
        }
        messages[Strings.pseudoLocale] = messages[Strings.source]?.mapValues(\.pseudo)
        self.init(messages: messages)
    }

    /// The pseudo-locale writes numbers as English does: its brackets would stand between the digits.
    private static func marks(in messages: [String: [String: Message]]) -> [String: FigureMarks] {
        let english = messages[source] ?? [:]
        return messages.reduce(into: [:]) { all, entry in
            let texts: [String: Message] = entry.key == pseudoLocale ? english : entry.value
            func mark(_ key: String) -> String? { (texts[key] ?? english[key])?.format([:], language: source) }
            all[entry.key] = FigureMarks(group: mark("http.figure.group") ?? "", decimal: mark("http.figure.decimal") ?? ".")
        }
    }

    func marks(of language: String) -> FigureMarks { marks[language] ?? marks[Strings.source] ?? FigureMarks() }

    package var languages: [String] { messages.keys.sorted() }
    package func keys(of language: String) -> Set<String> { Set(messages[language].map { Array($0.keys) } ?? []) }

    /// Nil where neither the language nor English has the key.
    package func text(_ key: String, _ arguments: [String: String] = [:], language: String) -> String? {
        if let message = messages[language]?[key] { return message.format(arguments, language: language, marks: marks(of: language)) }
        return messages[Strings.source]?[key]?.format(arguments, language: Strings.source, marks: marks(of: Strings.source))
    }

    /// The language a request is answered in: the cookie `language`, else the first of `Accept-Language` there is, else English.
    package func language(cookie: String?, accept: String?) -> String {
        if let cookie, let match = languages.first(where: { $0.lowercased() == cookie.lowercased() }) { return match }
        for wanted in accept.map(Negotiation.preferences) ?? [] {
            if let exact = languages.first(where: { $0.lowercased() == wanted }) { return exact }
            let family = wanted.prefix { $0 != "-" }
            if let near = languages.first(where: { $0.lowercased() == family }) { return near }
        }
        return Strings.source
    }
}

/// The texts of one language: `localizer("workflows.list.count", ["count": "3"])`.
package struct Localizer: Sendable {
    package let strings: Strings
    package let language: String

    package init(_ strings: Strings, language: String = "en") {
        self.strings = strings
        self.language = language
    }

    /// A missing key shows itself, so that it is seen and found.
    package func callAsFunction(_ key: String, _ arguments: [String: String] = [:]) -> String {
        strings.text(key, arguments, language: language) ?? key
    }

    /// The texts for the scripts of a page, by key. An argument stands in them as its name in braces, for the script to fill in.
    package func strings(withPrefix prefix: String, arguments: [String] = ["name", "count", "other", "reason"]) -> [String: String] {
        let open = Dictionary(uniqueKeysWithValues: arguments.map { ($0, "{\($0)}") })
        let keys = strings.keys(of: "en").filter { $0.hasPrefix(prefix) }
        return Dictionary(uniqueKeysWithValues: keys.map { ($0, self($0, open)) })
    }

    /// `rtl` for scripts written from right to left.
    package var direction: String { ["ar", "he", "fa", "ur"].contains(String(language.prefix(2))) ? "rtl" : "ltr" }
}
