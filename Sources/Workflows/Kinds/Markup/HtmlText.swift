/// Reads a part of an HTML tree as plain text for people, as the library html-to-text does with its settings left alone: lines of
/// at most 80 characters, headings in capitals, addresses of links in brackets, lists with marks.
struct HtmlText {
    private let document: HtmlDocument
    /// Elements to leave out.
    private let skipped: Set<Int>
    private var builder = TextBlocks()

    /// - Parameter skip: selectors, divided by commas, of elements to leave out.
    init(_ document: HtmlDocument, skip: String = "") throws {
        self.document = document
        let names = skip.split(separator: ",").map { $0.trimmingSpace }.filter { !$0.isEmpty }
        skipped = Set(try names.flatMap { try CSSSelector(String($0)).elements(in: document) })
    }

    /// The text inside a node: of the body alone where there is one.
    mutating func text(inside node: Int) -> String {
        let body = document.descendants(of: node).first { document.name($0) == "body" }
        if let body { walk([body]) } else { walk(document.nodes[node].children) }
        return builder.text
    }

    private mutating func walk(_ nodes: [Int]) {
        for node in nodes {
            switch document.nodes[node].content {
            case .text(let text): builder.add(text)
            case .element(let name, _):
                if name == "script" || name == "style" || skipped.contains(node) { continue }
                format(node, name)
            default: break
            }
        }
    }

    private mutating func walkChildren(_ node: Int) { walk(document.nodes[node].children) }

    private mutating func format(_ node: Int, _ name: String) {
        if builder.depth >= MarkupLimits.nestedBlocks { return walkChildren(node) }
        switch name {
        case "article", "aside", "div", "footer", "form", "header", "main", "nav", "section": block(node, leading: 1, trailing: 1)
        case "p", "table": block(node, leading: 2, trailing: 2)
        case "h1", "h2", "h3", "h4", "h5", "h6":
            builder.openBlock(leadingBreaks: name <= "h3" ? 3 : 2)
            builder.capitals += 1
            walkChildren(node)
            builder.capitals -= 1
            builder.closeBlock(trailingBreaks: 2)
        case "br": builder.addLineBreak()
        case "wbr": builder.addWordBreak()
        case "hr":
            builder.openBlock(leadingBreaks: 2)
            builder.add(String(repeating: "-", count: TextBlocks.lineLength))
            builder.closeBlock(trailingBreaks: 2)
        case "pre":
            builder.openBlock(leadingBreaks: 2, isPreformatted: true)
            walkChildren(node)
            builder.closeBlock(trailingBreaks: 2)
        case "blockquote":
            builder.openBlock(leadingBreaks: 2, reservedLength: 2)
            walkChildren(node)
            builder.closeBlock(trailingBreaks: 2) { text in
                let trimmed = text.drop { $0 == "\n" }.reversed().drop { $0 == "\n" }.reversed()
                return String(trimmed).prefixingLines(with: "> ", alsoFirst: true)
            }
        case "img": image(node)
        case "a": anchor(node)
        case "ul": list(node) { _ in " * " }
        case "ol":
            let start = document.attribute("start", of: node).flatMap { Int($0) } ?? 1
            list(node) { " \(start + $0). " }
        default: walkChildren(node)
        }
    }

    private mutating func block(_ node: Int, leading: Int, trailing: Int) {
        builder.openBlock(leadingBreaks: leading)
        walkChildren(node)
        builder.closeBlock(trailingBreaks: trailing)
    }

    private mutating func image(_ node: Int) {
        let source = document.attribute("src", of: node) ?? ""
        let alternative = document.attribute("alt", of: node) ?? ""
        let text = source.isEmpty ? alternative : alternative.isEmpty ? "[\(source)]" : "\(alternative) [\(source)]"
        builder.add(text, isVerbatim: true)
    }

    private mutating func anchor(_ node: Int) {
        var address = document.attribute("href", of: node) ?? ""
        if address.hasPrefix("mailto:") { address.removeFirst("mailto:".count) }
        if address.isEmpty || address.hasPrefix("#") { return walkChildren(node) }
        let before = builder.wordCount
        walkChildren(node)
        builder.add((builder.wordCount == before ? "" : " ") + "[\(address)]", isVerbatim: true)
    }

    private mutating func list(_ node: Int, prefix: (Int) -> String) {
        let isNested = document.name(document.nodes[node].parent) == "li"
        var number = 0
        var entries: [(node: Int, prefix: String)] = []
        for child in document.nodes[node].children {
            if case .text(let text) = document.nodes[child].content, text.allSatisfy(\.isWhitespace) { continue }
            guard document.name(child) == "li" else {
                entries.append((child, ""))
                continue
            }
            let mark = prefix(number)
            entries.append((child, isNested ? String(mark.drop { $0 == " " }) : mark))
            number += 1
        }
        if entries.isEmpty { return }
        let widest = entries.map(\.prefix.count).max() ?? 0
        builder.openList(leadingBreaks: isNested ? 1 : 2)
        for entry in entries {
            builder.openListItem(prefix: entry.prefix, width: widest)
            walk([entry.node])
            builder.closeListItem()
        }
        builder.closeList(trailingBreaks: isNested ? 1 : 2)
    }
}

extension Substring {
    /// Without white space at both ends.
    var trimmingSpace: Substring {
        var rest = self.drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
