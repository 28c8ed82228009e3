internal import CCmark

/// The tree that cmark-gfm makes of Markdown.
package enum MarkdownTree {
    /// Goes through a node and all that it holds, in the order of the text, with the name of each node's kind: each is entered and, where it can
    /// hold others, left after them.
    package static func walk(_ root: OpaquePointer, _ visit: (_ node: OpaquePointer, _ name: String, _ isEntering: Bool) -> Void) {
        guard let iterator = cmark_iter_new(root) else { return }
        defer { cmark_iter_free(iterator) }
        while true {
            let event = cmark_iter_next(iterator)
            if event == CMARK_EVENT_DONE { return }
            guard let node = cmark_iter_get_node(iterator), let type = cmark_node_get_type_string(node) else { continue }
            visit(node, String(cString: type), event == CMARK_EVENT_ENTER)
        }
    }

    package static func literal(_ node: OpaquePointer) -> String { cmark_node_get_literal(node).map { String(cString: $0) } ?? "" }

    /// Whether a paragraph stands in an item of a list that is written without blank lines.
    package static func isTight(_ paragraph: OpaquePointer) -> Bool {
        guard let item = cmark_node_parent(paragraph), let list = cmark_node_parent(item) else { return false }
        return cmark_node_get_list_tight(list) != 0
    }
}
