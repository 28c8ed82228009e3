internal import CXML
internal import Foundation
internal import Kernel

/// Reads XML into JSON as the library xml2js does: attributes and child elements become members, several of one name a list, an
/// element with text alone its text. The parser is libxml2's; it loads nothing from elsewhere and expands no entities of a DTD.
struct XMLReader: Sendable {
    struct Options: Sendable {
        var attributeKey = "$"
        var textKey = "_"
        var alwaysLists = false
        var keepsRoot = true
        var ignoresAttributes = false
        var mergesAttributes = true
        var normalizesText = false
        var lowersNames = false
        var trimsText = false
    }

    let options: Options

    /// nil for a blank text.
    /// - Throws: `invalid_xml` with the place and reason.
    func json(of text: String) throws -> JSON? {
        guard text.utf8.count <= MarkupLimits.bytes else {
            throw StepFailure("invalid_xml", "The XML text is larger than \(MarkupLimits.bytes >> 20) MB.", isRetryable: false)
        }
        if text.allSatisfy(\.isWhitespace) { return nil }
        let tree = XMLTree(options)
        try withExtendedLifetime(tree) { try parse(text.first == "\u{FEFF}" ? String(text.dropFirst()) : text, into: tree) }
        guard let (name, value) = tree.root else { throw XMLReader.fault("it has no element") }
        return options.keepsRoot ? .object([name: value]) : value
    }

    private static func fault(_ reason: String) -> StepFailure {
        StepFailure("invalid_xml", "The XML cannot be read: \(reason).", isRetryable: false)
    }

    private func parse(_ text: String, into tree: XMLTree) throws {
        var events = aias_xml_events()
        events.context = Unmanaged.passUnretained(tree).toOpaque()
        events.open = { context, name, attributes in
            guard let tree = XMLTree.of(context), let name else { return }
            var pairs: [(name: String, value: String)] = []
            var next = attributes
            while let pair = next, let key = pair[0] {
                pairs.append((String(cString: key), pair[1].map { String(cString: $0) } ?? ""))
                next = pair + 2
            }
            tree.open(String(cString: name), pairs)
        }
        events.close = { context in XMLTree.of(context)?.close() }
        events.text = { context, bytes, count, isCDATA in
            guard let bytes else { return }
            let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
            XMLTree.of(context)?.add(text, isCDATA: isCDATA != 0)
        }
        var message = [CChar](repeating: 0, count: 512)
        var text = text
        let line = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { aias_xml_parse($0.baseAddress, Int32($0.count), &events, &message, message.count) }
        }
        guard line == 0 else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw XMLReader.fault("\(reason) in line \(line)")
        }
    }
}

/// The JSON of an XML text while it is read.
private final class XMLTree {
    private struct Element {
        var name: String
        var members = JSONObject()
        var text = ""
        var hasCDATA = false
    }

    private let options: XMLReader.Options
    private var open: [Element] = []
    private(set) var root: (name: String, value: JSON)?

    init(_ options: XMLReader.Options) { self.options = options }

    static func of(_ context: UnsafeMutableRawPointer?) -> XMLTree? {
        context.map { Unmanaged<XMLTree>.fromOpaque($0).takeUnretainedValue() }
    }

    func open(_ name: String, _ attributes: [(name: String, value: String)]) {
        var element = Element(name: options.lowersNames ? name.lowercased() : name)
        if !options.ignoresAttributes, !attributes.isEmpty {
            if options.mergesAttributes {
                for attribute in attributes { add(.string(attribute.value), attribute.name, to: &element.members) }
            } else {
                element.members[options.attributeKey] = .object(JSONObject(attributes.map { ($0.name, .string($0.value)) }))
            }
        }
        open.append(element)
    }

    func add(_ text: String, isCDATA: Bool) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text += text
        if isCDATA { open[open.count - 1].hasCDATA = true }
    }

    func close() {
        guard let element = open.popLast() else { return }
        let value = value(of: element)
        if open.isEmpty {
            root = (element.name, value)
        } else {
            add(value, element.name, to: &open[open.count - 1].members)
        }
    }

    private func value(of element: Element) -> JSON {
        if element.text.allSatisfy(\.isWhitespace), !element.hasCDATA {
            return element.members.isEmpty ? .string(element.text) : .object(element.members)
        }
        var text = element.text
        if options.trimsText { text = text.trimmingNewlines }
        if options.normalizesText { text = text.replacing(#/\s{2,}/#, with: " ").trimmingNewlines }
        if element.members.isEmpty { return .string(text) }
        var members: JSONObject = [options.textKey: .string(text)]
        members.merge(element.members)
        return .object(members)
    }

    private func add(_ value: JSON, _ name: String, to members: inout JSONObject) {
        switch members[name] {
        case nil: members[name] = options.alwaysLists ? .array([value]) : value
        case .array(let elements)?: members[name] = .array(elements + [value])
        case let first?: members[name] = .array([first, value])
        }
    }
}
