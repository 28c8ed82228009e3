internal import CCmark
internal import Foundation
internal import HTTPSurface
internal import Synchronization

/// Writes Markdown as HTML: read by the library cmark-gfm, written in the form that the library Showdown gives it.
struct MarkdownPage {
    struct Options: Sendable {
        var opensLinksInNewWindow = false
        var linksAddresses = false
        var isWholeDocument = false
        var readsHeaderIDs = false
        var hasGitHubHeaderIDs = false
        var hasRawHeaderIDs = false
        var hasHeaderIDs = true
        var headerPrefix = ""
        var keepsPrefixRaw = false
        /// `https://github.com/{u}`; nil where `@name` is text.
        var mentions: String?
        var hasTaskLists = false
        var firstHeaderLevel = 1
        var needsSpaceInHeaders = false
        var breaksLines = false
        var hasStrikethrough = false
        var hasTables = false
        var hasTableHeaderIDs = false
        var fencesCode = true
    }

    private let options: Options
    private var html = ""
    private var ids: [String: Int] = [:]
    /// Text collected for the alternative text of images.
    private var imageTexts: [String] = []

    init(options: Options) { self.options = options }

    private static let registered = Mutex(false)

    /// - Throws: `markdown_too_large` where the text passes the limit of size.
    mutating func html(of markdown: String) throws -> String {
        try check(markdown)
        MarkdownPage.registered.withLock { isDone in
            if !isDone { cmark_gfm_core_extensions_ensure_registered() }
            isDone = true
        }
        guard let parser = cmark_parser_new(CMARK_OPT_UNSAFE | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE) else { throw MarkdownPage.outOfMemory }
        defer { cmark_parser_free(parser) }
        for (name, isWanted) in [
            ("table", options.hasTables), ("strikethrough", options.hasStrikethrough), ("autolink", options.linksAddresses),
            ("tasklist", options.hasTaskLists)
        ] where isWanted {
            if let found = cmark_find_syntax_extension(name) { cmark_parser_attach_syntax_extension(parser, found) }
        }
        var text = options.needsSpaceInHeaders ? markdown : MarkdownPage.spacingHeaders(markdown)
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cmark_parser_feed(parser, $0.baseAddress, $0.count) }
        }
        guard let root = cmark_parser_finish(parser) else { throw MarkdownPage.outOfMemory }
        defer { cmark_node_free(root) }
        MarkdownTree.walk(root) { node, name, isEntering in visit(node, name, isEntering) }
        let body = html.trimmingNewlines
        return options.isWholeDocument
            ? "<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>\n\(body)\n</body>\n</html>" : body
    }

    private func check(_ markdown: String) throws {
        guard markdown.utf8.count <= MarkupLimits.markdownBytes else {
            throw StepFailure(
                "markdown_too_large", "The Markdown text is larger than \(MarkupLimits.markdownBytes >> 10) KB.", isRetryable: false)
        }
        guard options.hasTables else { return }
        let lines = markdown.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let columns = lines.map { line in line.count { $0 == UInt8(ascii: "|") } }.max() ?? 0
        guard columns * lines.count <= MarkupLimits.tableCells else {
            throw StepFailure("markdown_too_large", "The Markdown text has a table of too many cells.", isRetryable: false)
        }
    }

    private static var outOfMemory: StepFailure { StepFailure("internal", "The Markdown text could not be read.") }

    /// Showdown takes `#Title` for a heading, which CommonMark does not; fenced code is left alone.
    private static func spacingHeaders(_ markdown: String) -> String {
        var fence: Character?
        let lines = markdown.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line -> String in
            let start = line.drop { $0 == " " }
            if let mark = "`~".first(where: { start.hasPrefix(String(repeating: $0, count: 3)) }) {
                if fence == nil { fence = mark } else if fence == mark { fence = nil }
                return String(line)
            }
            let signs = line.prefix { $0 == "#" }
            guard fence == nil, (1...6).contains(signs.count), let next = line[signs.endIndex...].first, !next.isWhitespace else {
                return String(line)
            }
            return signs + " " + line[signs.endIndex...]
        }
        return lines.joined(separator: "\n")
    }

    private mutating func visit(_ node: OpaquePointer, _ name: String, _ isEntering: Bool) {
        if !imageTexts.isEmpty, name != "image" {
            if isEntering { imageTexts[imageTexts.count - 1] += MarkdownTree.literal(node) }
        } else if isEntering {
            enter(node, name)
        } else {
            leave(node, name)
        }
    }

    // MARK: Entering and leaving nodes

    private mutating func enter(_ node: OpaquePointer, _ name: String) {
        switch name {
        case "block_quote": openQuote()
        case "list": openList(node)
        case "item": open("<li>")
        case "tasklist":
            let isChecked = cmark_gfm_extensions_get_tasklist_item_checked(node)
            let style = "margin: 0px 0.35em 0.25em -1.6em; vertical-align: middle;"
            let box = "<input type=\"checkbox\" disabled style=\"\(style)\"\(isChecked ? " checked" : "")>"
            open("<li class=\"task-list-item\" style=\"list-style-type: none;\">\(box) ")
        case "heading": openHeading(node)
        case "paragraph": if !MarkdownTree.isTight(node) { open("<p>") }
        case "thematic_break": open("<hr />\n")
        case "code_block": codeBlock(node)
        case "html_block": open(MarkdownTree.literal(node))
        case "html_inline": html += MarkdownTree.literal(node)
        case "text": text(node)
        case "softbreak": html += options.breaksLines ? "<br />\n" : "\n"
        case "linebreak": html += "<br />\n"
        case "code": html += "<code>\(MarkdownPage.escaped(MarkdownTree.literal(node)))</code>"
        case "emph": html += "<em>"
        case "strong": html += "<strong>"
        case "strikethrough": html += "<del>"
        case "link": openLink(node)
        case "image": imageTexts.append("")
        default: enterTable(node, name)
        }
    }

    private mutating func leave(_ node: OpaquePointer, _ name: String) {
        switch name {
        case "block_quote": closeQuote()
        case "list": closeList(node)
        case "item", "tasklist": html += cmark_node_next(node) == nil && MarkdownPage.isNested(node) ? "</li>" : "</li>\n"
        case "heading": closeHeading(node)
        case "paragraph": if !MarkdownTree.isTight(node) { html += "</p>\n" }
        case "emph": html += "</em>"
        case "strong": html += "</strong>"
        case "strikethrough": html += "</del>"
        case "link": html += "</a>"
        case "image": image(node)
        default: leaveTable(name)
        }
    }

    /// A block begins on a line of its own.
    private mutating func open(_ tag: String) {
        if !html.isEmpty, html.last != "\n", !html.hasSuffix("<li>") || !tag.hasPrefix("<p>") { html += "\n" }
        html += tag
    }

    private mutating func close(_ tag: String) {
        if html.last != "\n" { html += "\n" }
        html += tag
    }

    // MARK: Quotations and lists

    /// Where the insides of the open quotations begin in `html`.
    private var quotes: [String] = []

    /// The insides are written apart, since each of their lines is indented.
    private mutating func openQuote() {
        open("<blockquote>\n")
        quotes.append(html)
        html = ""
    }

    private mutating func closeQuote() {
        let before = quotes.popLast() ?? ""
        var isCode = false
        let lines = html.trimmingNewlines.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let isInside = isCode
            if line.contains("<pre>") { isCode = true }
            if line.contains("</pre>") { isCode = false }
            return (isInside ? "" : "  ") + line
        }
        html = before + lines.joined(separator: "\n") + "\n</blockquote>\n"
    }

    /// Whether a list, or an item of it, stands in another list's item.
    private static func isNested(_ node: OpaquePointer) -> Bool {
        let isList = cmark_node_get_type(node) == CMARK_NODE_LIST
        guard let list = isList ? node : cmark_node_parent(node), let parent = cmark_node_parent(list) else { return false }
        return cmark_node_get_type(parent) == CMARK_NODE_ITEM
    }

    /// A list in an item follows its text in the same line.
    private mutating func openList(_ node: OpaquePointer) {
        let tag = MarkdownPage.isOrdered(node) ? MarkdownPage.orderedTag(node) : "<ul>\n"
        if MarkdownPage.isNested(node), html.last != "\n" { html += tag } else { open(tag) }
    }

    private mutating func closeList(_ node: OpaquePointer) {
        let tag = MarkdownPage.isOrdered(node) ? "</ol>" : "</ul>"
        if MarkdownPage.isNested(node) { html += tag } else { close(tag + "\n") }
    }

    private static func isOrdered(_ list: OpaquePointer) -> Bool { cmark_node_get_list_type(list) == CMARK_ORDERED_LIST }

    private static func orderedTag(_ list: OpaquePointer) -> String {
        let start = cmark_node_get_list_start(list)
        return start == 1 ? "<ol>\n" : "<ol start=\"\(start)\">\n"
    }

    // MARK: Headings

    private mutating func openHeading(_ node: OpaquePointer) {
        open("")
        let level = min(6, Int(cmark_node_get_heading_level(node)) + options.firstHeaderLevel - 1)
        guard options.hasHeaderIDs else {
            html += "<h\(level)>"
            return
        }
        let id = id(of: MarkdownPage.plainText(node))
        html += "<h\(level) id=\"\(id)\">"
    }

    private mutating func closeHeading(_ node: OpaquePointer) {
        if options.readsHeaderIDs, let braces = html.range(of: #"\s*\{[^{}]+\}\s*$"#, options: .regularExpression) { html.removeSubrange(braces) }
        let level = min(6, Int(cmark_node_get_heading_level(node)) + options.firstHeaderLevel - 1)
        html += "</h\(level)>\n"
    }

    private static func plainText(_ node: OpaquePointer) -> String {
        var text = ""
        MarkdownTree.walk(node) { current, _, isEntering in if isEntering { text += MarkdownTree.literal(current) } }
        return text
    }

    /// A heading's id; a repeated one gets a number.
    private mutating func id(of heading: String) -> String {
        var title = heading
        if options.readsHeaderIDs, let match = heading.firstMatch(of: /\s*\{([^{}]+)\}\s*$/) { title = String(match.1) }
        let prefix = options.headerPrefix
        var id = MarkdownPage.id(options.keepsPrefixRaw ? title : prefix + title, options)
        if options.keepsPrefixRaw { id = prefix + id }
        let count = ids[id, default: 0]
        ids[id] = count + 1
        return count == 0 ? id : "\(id)-\(count)"
    }

    private static func id(_ title: String, _ options: Options) -> String {
        if options.hasGitHubHeaderIDs {
            let dropped = Set("&+$,/:;=?@\"#{}|^¨~[]`\\*)(%.!'<>")
            return String(title.map { $0 == " " ? "-" : $0 }.filter { !dropped.contains($0) }).lowercased()
        }
        if options.hasRawHeaderIDs { return String(title.map { " \"'".contains($0) ? "-" : $0 }).lowercased() }
        return title.filter { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }.lowercased()
    }

    // MARK: Inline parts

    private mutating func text(_ node: OpaquePointer) {
        let text = MarkdownPage.escaped(MarkdownTree.literal(node))
        guard let mentions = options.mentions else {
            html += text
            return
        }
        html += text.replacing(#/(^|\s)@([a-z\d]+(?:[a-z\d.-]+?[a-z\d]+)*)/#.ignoresCase()) { match in
            let address = mentions.replacing("{u}", with: String(match.2))
            return "\(match.1)<a href=\"\(address)\">@\(match.2)</a>"
        }
    }

    private mutating func openLink(_ node: OpaquePointer) {
        let address = cmark_node_get_url(node).map { String(cString: $0) } ?? ""
        html += "<a href=\"\(MarkdownPage.escaped(address, inAttribute: true))\""
        if let title = MarkdownPage.title(of: node) { html += " title=\"\(title)\"" }
        if options.opensLinksInNewWindow { html += " rel=\"noopener noreferrer\" target=\"_blank\"" }
        html += ">"
    }

    private mutating func image(_ node: OpaquePointer) {
        let alternative = imageTexts.popLast() ?? ""
        let address = cmark_node_get_url(node).map { String(cString: $0) } ?? ""
        let tag = "<img src=\"\(MarkdownPage.escaped(address, inAttribute: true))\" alt=\"\(MarkdownPage.escaped(alternative, inAttribute: true))\""
        let title = MarkdownPage.title(of: node).map { " title=\"\($0)\"" } ?? ""
        if imageTexts.isEmpty { html += tag + title + " />" } else { imageTexts[imageTexts.count - 1] += alternative }
    }

    private static func title(of node: OpaquePointer) -> String? {
        guard let title = cmark_node_get_title(node), title.pointee != 0 else { return nil }
        return escaped(String(cString: title), inAttribute: true)
    }

    private mutating func codeBlock(_ node: OpaquePointer) {
        let info = cmark_node_get_fence_info(node).map { String(cString: $0) } ?? ""
        let language = info.split(whereSeparator: \.isWhitespace).first.map { MarkdownPage.escaped(String($0), inAttribute: true) }
        let classes = language.map { " class=\"\($0) language-\($0)\"" } ?? ""
        open("<pre><code\(classes)>\(MarkdownPage.escaped(MarkdownTree.literal(node)))</code></pre>\n")
    }

    static func escaped(_ text: String, inAttribute: Bool = false) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"" where inAttribute: out += "&quot;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    // MARK: Tables

    private var isInTableHead = false
    private var hasTableBody = false
    private var alignments: [UInt8] = []
    private var column = 0

    private mutating func enterTable(_ node: OpaquePointer, _ name: String) {
        switch name {
        case "table":
            let count = Int(cmark_gfm_extensions_get_table_columns(node))
            alignments = cmark_gfm_extensions_get_table_alignments(node).map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? []
            hasTableBody = false
            open("<table>\n")
        case "table_header":
            isInTableHead = true
            column = 0
            html += "<thead>\n<tr>\n"
        case "table_row":
            if !hasTableBody { html += "<tbody>\n" }
            hasTableBody = true
            column = 0
            html += "<tr>\n"
        case "table_cell":
            let alignment = alignments.indices.contains(column) ? alignments[column] : 0
            let style = [UInt8(ascii: "l"): "left", UInt8(ascii: "c"): "center", UInt8(ascii: "r"): "right"][alignment]
            let id =
                isInTableHead && options.hasTableHeaderIDs ? " id=\"\(MarkdownPage.plainText(node).lowercased().replacing(" ", with: "_"))\"" : ""
            html += (isInTableHead ? "<th" : "<td") + id + (style.map { " style=\"text-align:\($0);\"" } ?? "") + ">"
            column += 1
        default: break
        }
    }

    private mutating func leaveTable(_ name: String) {
        switch name {
        case "table": html += (hasTableBody ? "</tbody>\n" : "") + "</table>\n"
        case "table_header":
            isInTableHead = false
            html += "</tr>\n</thead>\n"
        case "table_row": html += "</tr>\n"
        case "table_cell": html += isInTableHead ? "</th>\n" : "</td>\n"
        default: break
        }
    }
}
