internal import Kernel

/// A document as JSON: each element `[name, {attributes}, [children and texts in order]]`, names with their prefixes.
enum XMLOutline {
    static let elementsMaximum = 500_000
    static let depthMaximum = 200

    static func read(_ bytes: [UInt8]) throws -> JSONObject {
        guard let root = try XMLTree(xml: bytes).root else { throw Fault("unreadable_file", "the document is empty") }
        var count = 0
        return ["root": try outline(root, depth: 0, &count)]
    }

    private static func outline(_ element: XMLElement, depth: Int, _ count: inout Int) throws -> JSON {
        count += 1
        guard count <= elementsMaximum, depth <= depthMaximum else {
            throw Fault("file_too_large", "the document has too many elements, or too deep ones")
        }
        var attributes = JSONObject()
        for attribute in element.attributes { attributes[named(attribute.prefix, attribute.name)] = .string(attribute.value) }
        var content: [JSON] = []
        for part in element.content {
            switch part {
            case .text(let text): content.append(.string(text))
            case .element(let child): content.append(try outline(child, depth: depth + 1, &count))
            }
        }
        return [.string(named(element.prefix, element.name)), .object(attributes), .array(content)]
    }

    private static func named(_ prefix: String, _ name: String) -> String { prefix.isEmpty ? name : "\(prefix):\(name)" }
}
