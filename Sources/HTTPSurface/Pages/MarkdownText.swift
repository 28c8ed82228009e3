internal import CCmark
internal import Kernel

/// Markdown that people write (CommonMark, read by cmark-gfm) as HTML that can hold nothing but what is written here: raw HTML is shown as text, addresses
/// that are not http, https or mailto lead nowhere, and pictures are links, so that nobody's page is fetched unasked.
package struct MarkdownText {
    private var lists: [Bool] = []
    /// How many links and pictures are open. A link holds no other: what is a picture within one is its words alone.
    private var links = 0
    /// Joined once: a text can have so many that a longer text after each would be seconds of copying.
    private var parts: [HTML] = []

    package var html: HTML { "\(parts)" }

    package init(_ markdown: String) {
        guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8) else { return }
        defer { cmark_parser_free(parser) }
        var text = markdown
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cmark_parser_feed(parser, $0.baseAddress, $0.count) }
        }
        guard let root = cmark_parser_finish(parser) else { return }
        defer { cmark_node_free(root) }
        MarkdownTree.walk(root) { node, name, isEntering in
            if isEntering { enter(node, name) } else { leave(node, name) }
        }
    }

    private mutating func add(_ more: HTML) { parts.append(more) }

    /// Under the page's own headings.
    private static func level(_ node: OpaquePointer) -> Int { min(Int(cmark_node_get_heading_level(node)) + 1, 6) }

    private mutating func enter(_ node: OpaquePointer, _ name: String) {
        switch name {
        case "block_quote": add("<blockquote>")
        case "list":
            let isOrdered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST
            lists.append(isOrdered)
            add(isOrdered ? "<ol start=\"\(Int(cmark_node_get_list_start(node)))\">" : "<ul>")
        case "item": add("<li>")
        case "heading": add("<h\(Self.level(node))>")
        case "paragraph": if !MarkdownTree.isTight(node) { add("<p>") }
        case "thematic_break": add("<hr>")
        case "code_block": add("<pre tabindex=\"0\"><code>\(MarkdownTree.literal(node))</code></pre>")
        case "html_block": add("<p>\(MarkdownTree.literal(node))</p>")
        case "text", "html_inline": add("\(MarkdownTree.literal(node))")
        case "softbreak": add("\n")
        case "linebreak": add("<br>")
        case "code": add("<code>\(MarkdownTree.literal(node))</code>")
        case "emph": add("<em>")
        case "strong": add("<strong>")
        case "link", "image":
            links += 1
            guard links == 1 else { return }
            let address = cmark_node_get_url(node).map { String(cString: $0) } ?? ""
            add("<a href=\"\(href: address)\" rel=\"noopener noreferrer\">")
        default: break
        }
    }

    private mutating func leave(_ node: OpaquePointer, _ name: String) {
        switch name {
        case "block_quote": add("</blockquote>")
        case "list": add(lists.popLast() == true ? "</ol>" : "</ul>")
        case "item": add("</li>")
        case "heading": add("</h\(Self.level(node))>")
        case "paragraph": if !MarkdownTree.isTight(node) { add("</p>") }
        case "emph": add("</em>")
        case "strong": add("</strong>")
        case "link", "image":
            links -= 1
            if links == 0 { add("</a>") }
        default: break
        }
    }
}
