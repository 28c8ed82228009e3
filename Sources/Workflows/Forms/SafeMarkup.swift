internal import Foundation
internal import HTTPSurface
internal import Kernel

/// HTML of a form's author, of which only plain markup is kept: a list of elements without attributes, links to http and https.
/// What is not on the list is shown as text; scripts and styles are left out with what they hold.
enum SafeMarkup {
    private static let kept: Set<String> = [
        "b", "i", "em", "strong", "u", "sub", "sup", "code", "pre", "span", "div", "p", "br", "hr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5",
        "h6",
        "table", "thead", "tbody", "tfoot", "tr", "td", "th", "a", "blockquote"
    ]
    private static let empty: Set<String> = ["br", "hr"]
    private static let swallowed: Set<String> = ["script", "style", "iframe", "object", "template", "svg", "math", "noscript", "title", "textarea"]

    /// Closed elements in the right order, whatever the author left open.
    static func html(_ text: String) -> HTML {
        var out = HTML.empty
        var open: [String] = []
        var rest = Substring(text)
        while let character = rest.first {
            guard character == "<", let tag = Tag(rest) else {
                let plain = rest.prefix { $0 != "<" }
                out = out + HTML(escaping: String(plain.isEmpty ? rest.prefix(1) : plain))
                rest = rest.dropFirst(max(1, plain.count))
                continue
            }
            rest = tag.rest
            if swallowed.contains(tag.name), !tag.isClosing {
                rest = after(closing: tag.name, in: rest)
            } else if kept.contains(tag.name) {
                if tag.isClosing {
                    guard open.contains(tag.name) else { continue }
                    while let last = open.popLast() {
                        out = out + element(last, isClosing: true)
                        if last == tag.name { break }
                    }
                } else {
                    out = out + (tag.name == "a" ? link(tag.href) : element(tag.name, isClosing: false))
                    if !empty.contains(tag.name), open.count < 50 { open.append(tag.name) }
                }
            }
        }
        for name in open.reversed() { out = out + element(name, isClosing: true) }
        return out
    }

    private static func element(_ name: String, isClosing: Bool) -> HTML { isClosing ? "</\(name)>" : "<\(name)>" }

    private static func link(_ href: String?) -> HTML { "<a href=\"\(href: href ?? "#")\" rel=\"noopener noreferrer nofollow\">" }

    private static func after(closing name: String, in text: Substring) -> Substring {
        guard let end = text.range(of: "</\(name)", options: .caseInsensitive) else { return "" }
        return text[end.upperBound...].drop { $0 != ">" }.dropFirst()
    }

    private struct Tag {
        var name: String
        var isClosing: Bool
        var href: String?
        var rest: Substring

        /// nil where `<` begins no tag.
        init?(_ text: Substring) {
            var body = text.dropFirst()
            if body.hasPrefix("!--") {
                name = "!"
                isClosing = false
                guard let end = body.range(of: "-->") else { return nil }
                rest = body[end.upperBound...]
                return
            }
            isClosing = body.first == "/"
            if isClosing { body = body.dropFirst() }
            name = body.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }.lowercased()
            guard !name.isEmpty, let end = body.firstIndex(of: ">") else { return nil }
            let attributes = body[..<end]
            if let match = attributes.firstMatch(of: #/(?i)\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/#) {
                href = (match.output.1 ?? match.output.2 ?? match.output.3).map(String.init)
            }
            rest = body[body.index(after: end)...]
        }
    }
}
