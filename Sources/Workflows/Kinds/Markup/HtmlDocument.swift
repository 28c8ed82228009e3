internal import CGumbo
internal import Foundation

/// A parsed HTML text, with the tree that browsers build from it (WHATWG HTML, "tree construction"; by the library Gumbo).
/// Nodes are numbered in document order; 0 is the document itself.
struct HtmlDocument: Sendable {
    enum Content: Sendable, Hashable {
        case document
        case element(name: String, attributes: [Attribute])
        case text(String)
        case comment(String)
    }

    struct Attribute: Sendable, Hashable {
        var name: String
        var value: String
    }

    struct Node: Sendable {
        var content: Content
        var parent: Int
        var children: [Int] = []
    }

    private(set) var nodes: [Node] = []

    /// - Throws: `html_too_large` where the text passes the limits of size, memory or time.
    init(_ html: String) throws {
        var html = html
        let parsed: [Node]? = html.withUTF8 { bytes in
            guard bytes.count <= MarkupLimits.bytes, let base = bytes.baseAddress else { return bytes.isEmpty ? HtmlDocument.blank : nil }
            let length = bytes.count
            return base.withMemoryRebound(to: CChar.self, capacity: length) { text in
                guard let tree = aias_html_parse(text, length, MarkupLimits.treeBytes, MarkupLimits.parseNanoseconds) else { return nil }
                defer { aias_html_free(tree) }
                return HtmlDocument.nodes(of: aias_html_document(tree))
            }
        }
        guard let parsed else { throw StepFailure("html_too_large", "The HTML is too large or too deeply nested to be read.", isRetryable: false) }
        nodes = parsed
    }

    /// What browsers make of an empty text.
    private static var blank: [Node] {
        let element = { (name: String, parent: Int) in Node(content: .element(name: name, attributes: []), parent: parent) }
        var nodes = [Node(content: .document, parent: 0), element("html", 0), element("head", 1), element("body", 1)]
        nodes[0].children = [1]
        nodes[1].children = [2, 3]
        return nodes
    }

    /// Copies the tree without recursion. Below the greatest depth, nodes become children of the last one that has room.
    private static func nodes(of document: UnsafePointer<GumboNode>) -> [Node]? {
        var nodes = [Node(content: .document, parent: 0)]
        var pending: [(node: UnsafePointer<GumboNode>, parent: Int, depth: Int)] = []
        push(document.pointee.v.document.children, parent: 0, depth: 1, &pending)
        while let (node, parent, depth) = pending.popLast() {
            guard let content = content(of: node) else { continue }
            let index = nodes.count
            nodes.append(Node(content: content, parent: parent))
            nodes[parent].children.append(index)
            guard case .element = content else { continue }
            let isDeepest = depth >= MarkupLimits.depth
            push(node.pointee.v.element.children, parent: isDeepest ? parent : index, depth: isDeepest ? depth : depth + 1, &pending)
        }
        return nodes
    }

    private static func push(
        _ children: GumboVector, parent: Int, depth: Int, _ pending: inout [(node: UnsafePointer<GumboNode>, parent: Int, depth: Int)]
    ) {
        for index in (0..<Int(children.length)).reversed() {
            guard let child = children.data[index] else { continue }
            pending.append((UnsafePointer(child.assumingMemoryBound(to: GumboNode.self)), parent, depth))
        }
    }

    private static func content(of node: UnsafePointer<GumboNode>) -> Content? {
        switch node.pointee.type {
        case GUMBO_NODE_ELEMENT, GUMBO_NODE_TEMPLATE:
            let element = node.pointee.v.element
            return .element(name: name(of: element), attributes: attributes(of: element))
        case GUMBO_NODE_TEXT, GUMBO_NODE_WHITESPACE, GUMBO_NODE_CDATA: return .text(String(cString: node.pointee.v.text.text))
        case GUMBO_NODE_COMMENT: return .comment(String(cString: node.pointee.v.text.text))
        default: return nil
        }
    }

    /// SVG's mixed-case names are kept as its standard writes them; all others are in lower case.
    private static func name(of element: GumboElement) -> String {
        var original = element.original_tag
        if element.tag_namespace == GUMBO_NAMESPACE_SVG {
            gumbo_tag_from_original_text(&original)
            if let name = gumbo_normalize_svg_tagname(&original) { return String(cString: name) }
        }
        if element.tag != GUMBO_TAG_UNKNOWN { return String(cString: gumbo_normalized_tagname(element.tag)) }
        original = element.original_tag
        gumbo_tag_from_original_text(&original)
        guard let data = original.data else { return "" }
        let bytes = UnsafeRawBufferPointer(start: data, count: Int(original.length))
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private static func attributes(of element: GumboElement) -> [Attribute] {
        (0..<Int(element.attributes.length)).compactMap { index in
            guard let pointer = element.attributes.data[index]?.assumingMemoryBound(to: GumboAttribute.self) else { return nil }
            return Attribute(name: String(cString: pointer.pointee.name), value: String(cString: pointer.pointee.value))
        }
    }
}

extension HtmlDocument {
    /// nil for what is no element.
    func name(_ node: Int) -> String? { if case .element(let name, _) = nodes[node].content { name } else { nil } }

    func attributes(_ node: Int) -> [Attribute] { if case .element(_, let attributes) = nodes[node].content { attributes } else { [] } }

    func attribute(_ name: String, of node: Int) -> String? { attributes(node).first { $0.name == name }?.value }

    func childElements(of node: Int) -> [Int] { nodes[node].children.filter { name($0) != nil } }

    /// All text inside, without scripts and styles (cheerio's `text()`).
    func text(of node: Int) -> String {
        var out = ""
        appendText(of: node, to: &out)
        return out
    }

    private func appendText(of node: Int, to out: inout String) {
        switch nodes[node].content {
        case .text(let text): out += text
        case .comment, .element("script", _), .element("style", _): break
        default: for child in nodes[node].children { appendText(of: child, to: &out) }
        }
    }

    /// The nodes below, in document order.
    func descendants(of node: Int) -> Range<Int> {
        var last = node
        while let child = nodes[last].children.last { last = child }
        return node + 1..<last + 1
    }
}

/// Limits of reading HTML, XML and Markdown.
enum MarkupLimits {
    /// Bytes of a text.
    static let bytes = 16 << 20
    /// Bytes of a Markdown text; parsers of Markdown can take quadratic time.
    static let markdownBytes = 256 << 10
    /// Cells of the tables of a Markdown text: short rows are filled up to the width of the head.
    static let tableCells = 1_000_000
    /// Memory of one parsed HTML text.
    static let treeBytes = 512 << 20
    /// Time of parsing one HTML text.
    static let parseNanoseconds: Int64 = 5_000_000_000
    /// Levels of nested elements; browsers keep to the same.
    static let depth = 512
    /// Levels of blocks and marks within each other that text and Markdown show; what is deeper is taken as plain.
    static let nestedBlocks = 64
    /// Selectors in one list, and parts of one selector.
    static let selectorParts = 100
    /// Elements looked at in one search for a selector, and bytes of text for `:contains()`.
    static let selectorSteps = 5_000_000
}
