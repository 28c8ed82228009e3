internal import Kernel

/// Writes JSON as XML as the library xml2js does, two spaces to a level.
struct XMLWriter: Sendable {
    struct Options: Sendable {
        var attributeKey = "$"
        var textKey = "_"
        var rootName = XMLWriter.rootName
        var usesCDATA = false
        var omitsHeader = false
    }

    static let rootName = "root"

    private indirect enum Node {
        case element(Element)
        case text(String)
        /// Written as it is.
        case raw(String)

        var isBlank: Bool {
            switch self {
            case .element: false
            case .text(let text), .raw(let text): text.isEmpty
            }
        }
    }

    private struct Element {
        var name: String
        var attributes: [(name: String, value: String)] = []
        var children: [Node] = []
    }

    let options: Options

    /// An object with one member is the root of that name, unless a name is asked for.
    /// - Throws: `invalid_xml` where a name cannot be one of XML.
    func text(of object: JSONObject) throws -> String {
        var root = Element(name: options.rootName)
        var value = JSON.object(object)
        if object.count == 1, options.rootName == XMLWriter.rootName, let only = object.first {
            root.name = only.key
            value = only.value
        }
        try check(root.name)
        try fill(&root, with: value)
        var out = options.omitsHeader ? "" : "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
        write(.element(root), level: 0, to: &out)
        if out.hasSuffix("\n") { out.removeLast() }
        return out
    }

    private func fill(_ element: inout Element, with value: JSON) throws {
        switch value {
        case .object(let members): for (key, child) in members { try add(key, child, to: &element) }
        case .array(let elements):
            for case .object(let members) in elements {
                for (key, entry) in members { try append(key, entry, to: &element) }
            }
        case .null: break
        default: element.children.append(text(value.coercedText))
        }
    }

    private func add(_ key: String, _ child: JSON, to element: inout Element) throws {
        if key == options.attributeKey, case .object(let attributes) = child {
            for (name, value) in attributes where !value.isNull {
                try check(name)
                element.attributes.append((name, value.coercedText))
            }
        } else if key == options.textKey {
            element.children.append(text(child.coercedText))
        } else if case .array(let entries) = child {
            for entry in entries { try append(key, entry, to: &element) }
        } else {
            try append(key, child, to: &element)
        }
    }

    private func append(_ name: String, _ value: JSON, to element: inout Element) throws {
        try check(name)
        var child = Element(name: name)
        try fill(&child, with: value)
        element.children.append(.element(child))
    }

    private func text(_ text: String) -> Node {
        guard options.usesCDATA, text.contains(where: { "&<>".contains($0) }) else { return .text(text) }
        return .raw("<![CDATA[" + text.replacing("]]>", with: "]]]]><![CDATA[>") + "]]>")
    }

    /// XML 1.0, production 5, for the characters of ASCII; of the others all are taken.
    private func check(_ name: String) throws {
        let isLegal = name.wholeMatch(of: /[:A-Za-z_\u{80}-\u{10FFFF}][-:A-Za-z0-9._\u{80}-\u{10FFFF}]*/) != nil
        guard isLegal else { throw StepFailure("invalid_xml", "'\(name)' cannot be a name in XML.", isRetryable: false) }
    }

    // MARK: Writing

    private func write(_ node: Node, level: Int, to out: inout String) {
        let indent = String(repeating: "  ", count: level)
        switch node {
        case .text(let text): out += indent + XMLWriter.escaped(text) + "\n"
        case .raw(let text): out += indent + text + "\n"
        case .element(let element):
            out += indent + "<" + element.name
            for attribute in element.attributes { out += " \(attribute.name)=\"\(XMLWriter.escaped(attribute.value, inAttribute: true))\"" }
            if element.children.allSatisfy(\.isBlank) {
                out += "/>\n"
                return
            }
            out += ">"
            switch element.children.count == 1 ? element.children[0] : nil {
            case .text(let text)?: out += XMLWriter.escaped(text)
            case .raw(let text)?: out += text
            default:
                out += "\n"
                for child in element.children { write(child, level: level + 1, to: &out) }
                out += indent
            }
            out += "</\(element.name)>\n"
        }
    }

    private static func escaped(_ text: String, inAttribute: Bool = false) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">" where !inAttribute: out += "&gt;"
            case "\"" where inAttribute: out += "&quot;"
            case "\t" where inAttribute: out += "&#x9;"
            case "\n" where inAttribute: out += "&#xA;"
            case "\r": out += "&#xD;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
