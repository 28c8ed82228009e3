/// Writes an HTML tree as Markdown, in the form that the library node-html-markdown gives it.
struct HtmlMarkdown {
    struct Options: Sendable {
        var bulletMarker = "*"
        var codeFence = "```"
        var fencesCode = true
        var emphasis = "_"
        var strong = "**"
        var ignored: Set<String> = []
        var blocks: Set<String> = []
        var keepsDataImages = false
        var newlinesMaximum = 3
        var refersToLinks = false
        /// Replaces the escaping of special characters: the first occurrence of a text by another, in each text.
        var globalEscape: Replacement?
        var lineStartEscape: Replacement?
        var textReplacements: [Replacement] = []
    }

    struct Replacement: Sendable, Hashable {
        var pattern: String
        var replacement: String

        func applied(to text: String) -> String {
            guard !pattern.isEmpty, let range = text.firstRange(of: pattern) else { return text }
            return text[..<range.lowerBound] + replacement + text[range.upperBound...]
        }
    }

    /// Where a node stands.
    private struct Place {
        var listDepth = -1
        var isVerbatim = false
        /// Marks and blocks around it.
        var depth = 0
    }

    private let document: HtmlDocument
    private let options: Options
    private var links: [String] = []

    init(_ document: HtmlDocument, options: Options) {
        self.document = document
        self.options = options
    }

    mutating func text() -> String {
        var out = MarkdownLines(newlinesMaximum: options.newlinesMaximum)
        visit(document.nodes[0].children, Place(), &out)
        let body = out.text.trimmingNewlines
        if links.isEmpty { return body }
        return body + "\n\n" + links.enumerated().map { "[\($0 + 1)]: \($1)" }.joined(separator: "\n")
    }

    private static let blockNames: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption",
        "figure", "footer", "form", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "main", "menu", "nav", "p",
        "pre", "section", "table"
    ]
    private static let ignoredNames: Set<String> = [
        "area", "base", "col", "command", "embed", "head", "input", "keygen", "link", "meta", "param", "script", "source", "style", "track", "wbr"
    ]

    private mutating func visit(_ nodes: [Int], _ place: Place, _ out: inout MarkdownLines) {
        for node in nodes {
            switch document.nodes[node].content {
            case .text(let text): out.add(text: escaped(text, place, atLineStart: out.isAtLineStart), isVerbatim: place.isVerbatim)
            case .element(let name, _):
                if HtmlMarkdown.ignoredNames.contains(name) || options.ignored.contains(name) { continue }
                element(node, name, place, &out)
            default: break
            }
        }
    }

    private mutating func element(_ node: Int, _ name: String, _ place: Place, _ out: inout MarkdownLines) {
        if place.depth >= MarkupLimits.nestedBlocks { return visit(document.nodes[node].children, place, &out) }
        let isBlock = HtmlMarkdown.blockNames.contains(name) || options.blocks.contains(name)
        if isBlock { out.breakLine(2) }
        switch name {
        case "br": out.add(raw: place.isVerbatim ? "\n" : "  \n")
        case "hr": out.add(raw: "---")
        case "h1", "h2", "h3", "h4", "h5", "h6":
            let content = inside(node, place).trimmingNewlines
            if !content.isEmpty { out.add(raw: String(repeating: "#", count: Int(name.dropFirst()) ?? 1) + " " + content.oneLine) }
        case "strong", "b": surround(node, options.strong, place, &out)
        case "em", "i": surround(node, options.emphasis, place, &out)
        case "del", "s", "strike": surround(node, "~~", place, &out)
        case "ul", "ol": list(node, isOrdered: name == "ol", place, &out)
        case "li": item(node, mark: options.bulletMarker, place, &out)
        case "blockquote": quote(node, place, &out)
        case "pre": codeBlock(node, &out)
        case "code": code(node, &out)
        case "a": anchor(node, place, &out)
        case "img": image(node, &out)
        case "table": table(node, place, &out)
        default: visit(document.nodes[node].children, place, &out)
        }
        if isBlock { out.breakLine(2) }
    }

    private mutating func inside(_ node: Int, _ place: Place) -> String {
        var place = place
        place.depth += 1
        var out = MarkdownLines(newlinesMaximum: options.newlinesMaximum)
        visit(document.nodes[node].children, place, &out)
        return out.text
    }

    // MARK: Text

    private func escaped(_ text: String, _ place: Place, atLineStart: Bool) -> String {
        if place.isVerbatim { return text }
        var text = text
        for replacement in options.textReplacements { text = replacement.applied(to: text) }
        if let own = options.globalEscape {
            text = own.applied(to: text)
        } else {
            text = String(text.flatMap { "\\`*_~[]".contains($0) ? ["\\", $0] : [$0] })
        }
        if let own = options.lineStartEscape { return own.applied(to: text) }
        return atLineStart ? HtmlMarkdown.escapingStart(of: text) : text
    }

    /// What would begin a list, a quotation, a heading or a line under a heading gets a backslash.
    private static func escapingStart(of text: String) -> String {
        let space = text.prefix { $0.isWhitespace }
        let rest = text[space.endIndex...]
        guard let first = rest.first else { return text }
        if "=>-".contains(first) || first == "+" && rest.dropFirst().first?.isWhitespace == true { return space + "\\" + rest }
        let signs = rest.prefix { $0 == "#" }
        if (1...6).contains(signs.count), rest[signs.endIndex...].first?.isWhitespace == true { return space + "\\" + rest }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let after = rest[digits.endIndex...]
        if !digits.isEmpty, after.hasPrefix("."), after.dropFirst().first?.isWhitespace == true { return space + digits + "\\" + after }
        return text
    }

    /// White space at the ends stays outside of the marks.
    private mutating func surround(_ node: Int, _ mark: String, _ place: Place, _ out: inout MarkdownLines) {
        var content = MarkdownLines(newlinesMaximum: options.newlinesMaximum, keepsLeadingSpace: !out.isAtLineStart)
        var place = place
        place.depth += 1
        visit(document.nodes[node].children, place, &content)
        let text = content.text
        let core = text[...].trimmingSpace
        if core.isEmpty { return out.add(text: text, isVerbatim: false) }
        let leading = text.prefix { $0.isWhitespace }
        let trailing = text.reversed().prefix { $0.isWhitespace }
        if !leading.isEmpty { out.add(text: " ", isVerbatim: false) }
        out.add(raw: mark + core + mark)
        if !trailing.isEmpty { out.add(text: " ", isVerbatim: false) }
    }

    // MARK: Blocks

    private mutating func list(_ node: Int, isOrdered: Bool, _ place: Place, _ out: inout MarkdownLines) {
        var place = place
        let isNested = place.listDepth >= 0
        place.listDepth += 1
        out.breakLine(isNested ? 1 : 2)
        var number = document.attribute("start", of: node).flatMap { Int($0) } ?? 1
        for child in document.nodes[node].children {
            guard document.name(child) == "li" else {
                visit([child], place, &out)
                continue
            }
            item(child, mark: isOrdered ? "\(number)." : options.bulletMarker, place, &out)
            number += 1
        }
        out.breakLine(isNested ? 1 : 2)
    }

    private mutating func item(_ node: Int, mark: String, _ place: Place, _ out: inout MarkdownLines) {
        let indent = String(repeating: "   ", count: max(place.listDepth, 0))
        let content = inside(node, place)[...].trimmingSpace
        if content.isEmpty { return }
        out.breakLine(1)
        let lines = content.split(separator: "\n").map { $0.last == " " ? $0.dropLast(while: { $0 == " " }) : $0 }
        let others = lines.dropFirst().map { "  \n" + ($0.hasPrefix(" ") ? "" : indent) + $0 }
        out.add(raw: indent + mark + " " + lines[0] + others.joined())
        out.breakLine(1)
    }

    private mutating func quote(_ node: Int, _ place: Place, _ out: inout MarkdownLines) {
        let content = inside(node, place)[...].trimmingSpace
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
        out.add(raw: lines.map { $0.hasPrefix(">") ? ">" + $0 : "> " + $0 }.joined(separator: "\n"))
    }

    private func codeBlock(_ node: Int, _ out: inout MarkdownLines) {
        let children = document.nodes[node].children
        let code = children.count == 1 && document.name(children[0]) == "code" ? children[0] : node
        var text = verbatim(code)
        if text.hasSuffix("\n") { text.removeLast() }
        guard options.fencesCode else {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return out.add(raw: lines.map { "    " + $0 }.joined(separator: "\n"))
        }
        let classes = (document.attribute("class", of: code) ?? "").split(separator: " ")
        let language = classes.first { $0.hasPrefix("language-") }.map { String($0.dropFirst("language-".count)) } ?? ""
        out.add(raw: options.codeFence + language + "\n" + text + "\n" + options.codeFence)
    }

    private func verbatim(_ node: Int) -> String {
        document.nodes[node].children.map { child in
            switch document.nodes[child].content {
            case .text(let text): text
            case .element("br", _): "\n"
            case .element: verbatim(child)
            default: ""
            }
        }.joined()
    }

    /// Between as many back quotes as it takes to tell them from those inside.
    private func code(_ node: Int, _ out: inout MarkdownLines) {
        let text = verbatim(node)
        if text.isEmpty { return }
        let longest = text.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let mark = String(repeating: "`", count: longest + 1)
        let padding = longest > 0 ? " " : ""
        out.add(raw: mark + padding + text + padding + mark)
    }

    private mutating func anchor(_ node: Int, _ place: Place, _ out: inout MarkdownLines) {
        guard let address = document.attribute("href", of: node), !address.isEmpty else {
            return visit(document.nodes[node].children, place, &out)
        }
        let encoded: [Character: String] = ["(": "%28", ")": "%29", "_": "%5F", "*": "%2A"]
        let target = address.map { encoded[$0] ?? String($0) }.joined()
        let title = document.attribute("title", of: node) ?? ""
        if document.text(of: node) == address, title.isEmpty { return out.add(raw: "<\(target)>") }
        let content = inside(node, place).oneLine
        guard options.refersToLinks else {
            return out.add(raw: "[\(content)](\(target)\(title.isEmpty ? "" : " \"\(title)\""))")
        }
        let number = links.firstIndex(of: target) ?? links.count
        if number == links.count { links.append(target) }
        out.add(raw: "[\(content)][\(number + 1)]")
    }

    private func image(_ node: Int, _ out: inout MarkdownLines) {
        let source = document.attribute("src", of: node) ?? ""
        if source.isEmpty || !options.keepsDataImages && source.lowercased().hasPrefix("data:") { return }
        let title = document.attribute("title", of: node) ?? ""
        out.add(raw: "![\(document.attribute("alt", of: node) ?? "")](\(source)\(title.isEmpty ? "" : " \"\(title)\""))")
    }

    /// The first row is the head, as Markdown's tables need one.
    private mutating func table(_ node: Int, _ place: Place, _ out: inout MarkdownLines) {
        var rows: [[String]] = []
        for row in document.descendants(of: node) where document.name(row) == "tr" {
            let cells = document.childElements(of: row).filter { ["td", "th"].contains(document.name($0) ?? "") }
            rows.append(cells.map { inside($0, place).oneLine.replacing("|", with: "\\|") })
        }
        let width = rows.map(\.count).max() ?? 0
        if width == 0 { return }
        func line(_ cells: [String]) -> String {
            "| " + (cells + Array(repeating: "", count: width - cells.count)).joined(separator: " | ") + " |"
        }
        let head = [line(rows[0]), "| " + Array(repeating: "---", count: width).joined(separator: " | ") + " |"]
        out.add(raw: (head + rows.dropFirst().map(line)).joined(separator: "\n"))
    }
}

extension Substring {
    fileprivate func dropLast(while isDropped: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, isDropped(last) { rest.removeLast() }
        return rest
    }
}

extension String {
    /// Without white space at both ends.
    var trimmingNewlines: String { String(self[...].trimmingSpace) }

    /// Its lines in one, divided by spaces.
    fileprivate var oneLine: String {
        split(whereSeparator: \.isNewline).map { String($0.trimmingSpace) }.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
