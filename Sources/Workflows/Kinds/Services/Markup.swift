internal import Kernel

/// An element of a document that the converter has read: `[name, {attributes}, [texts and elements]]`.
struct Markup: Sendable, Hashable {
    let name: String
    let attributes: JSONObject
    let content: [JSON]

    init?(_ json: JSON) {
        guard let parts = json.array, parts.count == 3, let name = parts[0].text, let attributes = parts[1].object, let content = parts[2].array
        else {
            return nil
        }
        self.name = name
        self.attributes = attributes
        self.content = content
    }

    var children: [Markup] { content.compactMap(Markup.init) }
    func children(_ name: String) -> [Markup] { children.filter { $0.name == name } }
    func child(_ name: String) -> Markup? { children.first { $0.name == name } }
    func attribute(_ name: String) -> String? { attributes[name]?.text }

    /// All text below, in order.
    var text: String { content.map { $0.text ?? Markup($0)?.text ?? "" }.joined() }

    /// Text without space around it.
    var trimmed: String { String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }

    /// Its children as members: texts, or objects where a child has children of its own.
    var flat: JSONObject {
        JSONObject(children.map { child in (child.name, child.children.isEmpty ? .string(child.text) : .object(child.flat)) })
    }

    /// Its markup again, for content that is XHTML.
    var markup: String {
        content.map { part in
            guard let child = Markup(part) else { return Markup.escaped(part.text ?? "") }
            let attributes = child.attributes.map { " \($0.key)=\"\(Markup.escaped($0.value.text ?? ""))\"" }.joined()
            return "<\(child.name)\(attributes)>\(child.markup)</\(child.name)>"
        }.joined()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
