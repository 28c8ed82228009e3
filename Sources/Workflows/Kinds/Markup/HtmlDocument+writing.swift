/// Writes a tree as HTML (WHATWG HTML, "serializing HTML fragments").
extension HtmlDocument {
    /// The HTML inside a node.
    func innerHTML(of node: Int) -> String {
        var out = ""
        let isRaw = name(node).map { HtmlDocument.rawElements.contains($0) } ?? false
        for child in nodes[node].children { write(child, isRaw: isRaw, to: &out) }
        return out
    }

    private static let voidElements: Set<String> = [
        "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link", "meta", "param", "source",
        "track", "wbr"
    ]
    private static let rawElements: Set<String> = ["style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript"]

    private func write(_ node: Int, isRaw: Bool, to out: inout String) {
        switch nodes[node].content {
        case .document: for child in nodes[node].children { write(child, isRaw: false, to: &out) }
        case .text(let text): out += isRaw ? text : HtmlDocument.escaped(text)
        case .comment(let text): out += "<!--\(text)-->"
        case .element(let name, let attributes):
            out += "<\(name)"
            for attribute in attributes { out += " \(attribute.name)=\"\(HtmlDocument.escaped(attribute.value, inAttribute: true))\"" }
            out += ">"
            if HtmlDocument.voidElements.contains(name) { return }
            for child in nodes[node].children { write(child, isRaw: HtmlDocument.rawElements.contains(name), to: &out) }
            out += "</\(name)>"
        }
    }

    static func escaped(_ text: String, inAttribute: Bool = false) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "\u{A0}": out += "&nbsp;"
            case "\"" where inAttribute: out += "&quot;"
            case "<" where !inAttribute: out += "&lt;"
            case ">" where !inAttribute: out += "&gt;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
