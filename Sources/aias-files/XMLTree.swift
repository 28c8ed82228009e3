internal import CLibXML

/// A parsed document; nothing outside the text is loaded and no entity of its own is expanded.
final class XMLTree {
    private let document: xmlDocPtr

    init(xml bytes: [UInt8]) throws {
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOCDATA.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let parsed = bytes.withUnsafeBytes { xmlReadMemory($0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), nil, nil, options) }
        guard let parsed else { throw Fault("unreadable_file", "a part of the file is not well-formed XML") }
        document = parsed
    }

    init(html bytes: [UInt8]) throws {
        let options = Int32(
            HTML_PARSE_NONET.rawValue | HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue)
        let parsed = bytes.withUnsafeBytes { htmlReadMemory($0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), nil, "UTF-8", options) }
        guard let parsed else { throw Fault("unreadable_file", "the file is no HTML") }
        document = parsed
    }

    deinit { xmlFreeDoc(document) }

    var root: XMLElement? { xmlDocGetRootElement(document).map { XMLElement(node: $0, tree: self) } }
}

/// An element, by its local names: prefixes are a writer's choice.
struct XMLElement {
    let node: xmlNodePtr
    /// Keeps the document.
    let tree: XMLTree

    var name: String { XMLElement.string(node.pointee.name) }
    var prefix: String { node.pointee.ns.map { XMLElement.string($0.pointee.prefix) } ?? "" }

    var children: [XMLElement] {
        var found: [XMLElement] = []
        var next = node.pointee.children
        while let current = next {
            if current.pointee.type == XML_ELEMENT_NODE { found.append(XMLElement(node: current, tree: tree)) }
            next = current.pointee.next
        }
        return found
    }

    enum Part {
        case text(String)
        case element(XMLElement)
    }

    /// Texts and elements in their order.
    var content: [Part] {
        var found: [Part] = []
        var next = node.pointee.children
        while let current = next {
            switch current.pointee.type {
            case XML_ELEMENT_NODE: found.append(.element(XMLElement(node: current, tree: tree)))
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE, XML_ENTITY_REF_NODE:
                let text = xmlNodeGetContent(current)
                found.append(.text(XMLElement.string(text)))
                if let text { aias_xml_free(text) }
            default: break
            }
            next = current.pointee.next
        }
        return found
    }

    func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// All elements of a name below, in document order.
    func descendants(_ name: String) -> [XMLElement] {
        children.flatMap { child in (child.name == name ? [child] : []) + child.descendants(name) }
    }

    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    var attributes: [(prefix: String, name: String, value: String)] {
        var found: [(prefix: String, name: String, value: String)] = []
        var next = node.pointee.properties
        while let current = next {
            let prefix = current.pointee.ns.map { XMLElement.string($0.pointee.prefix) } ?? ""
            let value = xmlNodeListGetString(node.pointee.doc, current.pointee.children, 1)
            found.append((prefix, XMLElement.string(current.pointee.name), XMLElement.string(value)))
            if let value { aias_xml_free(value) }
            next = current.pointee.next
        }
        return found
    }

    /// All text below.
    var text: String {
        guard let content = xmlNodeGetContent(node) else { return "" }
        defer { aias_xml_free(content) }
        return String(cString: content)
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String { text.map { String(cString: $0) } ?? "" }
}
