internal import Kernel

/// Works on HTML: fills values into a text, takes parts out by CSS selectors, writes items as a table.
struct HtmlNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "html", version: 1.2, category: .action, title: "HTML", summary: "Fills, reads and writes HTML.", icon: "code",
                parameters: HtmlParameters.all, n8nTypes: ["n8n-nodes-base.html"]),
            NodeKind(
                kind: "html_extract", category: .action, title: "HTML extract", summary: "Takes parts out of HTML (n8n's old node).",
                icon: "code", parameters: HtmlParameters.extraction(operation: nil), n8nTypes: ["n8n-nodes-base.htmlExtract"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.kind.kind == "html_extract" { return .items([try await extracted(step)]) }
        switch try await step.text("operation", default: "generateHtmlTemplate") {
        case "generateHtmlTemplate": return .items([try await filled(step)])
        case "extractHtmlContent": return .items([try await extracted(step)])
        case "convertToHtmlTable": return .items([step.items.isEmpty ? [] : [try await HtmlTable(step).item()]])
        case let operation: throw StepFailure.invalid("operation", "The operation '\(operation)' of the HTML node is unknown.")
        }
    }

    private func filled(_ step: StepContext) async throws -> [Item] {
        let template = TemplateText(String((step.rawParameter("html")?.text ?? "").drop { $0 == "=" }))
        return try await step.eachItem { index, _ in
            let html = try await template.resolved(step, item: index)
            return [Item(json: ["html": .string(html.displayText)])]
        }
    }

    // MARK: Extraction

    /// An item for each text, since the field may hold a list of them.
    private func extracted(_ step: StepContext) async throws -> [Item] {
        try await step.eachItem { index, item in
            let values = try await step.value("extractionValues.values", item: index)?.array ?? []
            let options = try await step.value("options", item: index)?.object ?? [:]
            let wanted = try values.map { try HtmlExtraction($0, options, step) }
            return try await texts(step, item, index).map { text in
                let document = try HtmlDocument(text)
                var json = JSONObject()
                for extraction in wanted { json[extraction.key] = try extraction.value(in: document) }
                return Item(json: json)
            }
        }
    }

    private func texts(_ step: StepContext, _ item: Item, _ index: Int) async throws -> [String] {
        let name = try await step.text("dataPropertyName", item: index, default: "data")
        if try await step.text("sourceData", item: index, default: "json") == "binary" {
            guard let file = item.binary[name] else { throw StepFailure.invalid("dataPropertyName", "The item has no file '\(name)'.", item: index) }
            return [String(decoding: try await step.services.readBinary(file), as: UTF8.self)]
        }
        let takesPaths = step.kind.kind == "html" && step.version > 1
        guard let value = takesPaths ? DotPath(name).value(in: item.json) : item.json[name] else {
            throw StepFailure.invalid("dataPropertyName", "The item has no field '\(name)'.", item: index)
        }
        return (value.array ?? [value]).map(\.displayText)
    }
}

/// One value to take out of a document.
struct HtmlExtraction: Sendable {
    let key: String
    private let selector: CSSSelector
    private let returns: String
    private let attribute: String
    private let isList: Bool
    private let skip: String
    private let trims: Bool
    private let cleansUp: Bool
    /// From version 1.2 on text is laid out for people; before it is the text as it stands.
    private let laysOutText: Bool

    init(_ value: JSON, _ options: JSONObject, _ step: StepContext) throws {
        key = value["key"]?.displayText ?? ""
        selector = try CSSSelector(value["cssSelector"]?.displayText ?? "")
        returns = value["returnValue"]?.text ?? "text"
        attribute = (value["attribute"]?.text ?? "").lowercased()
        isList = value["returnArray"]?.isTruthy ?? false
        skip = value["skipSelectors"]?.text ?? ""
        let isOld = step.kind.kind == "html_extract"
        // The old node trims unless it is told not to; the new one only where it is told to.
        trims = options["trimValues"]?.isTruthy ?? isOld
        cleansUp = !isOld && options["cleanUpText"]?.isTruthy ?? false
        laysOutText = !isOld && step.version > 1.1
    }

    /// nil where nothing is found.
    func value(in document: HtmlDocument) throws -> JSON? {
        let found = try selector.elements(in: document)
        if isList { return .array(try found.map { try text(of: [$0], document).map { .string($0) } ?? .null }) }
        return try text(of: found, document).map { .string($0) }
    }

    private func text(of elements: [Int], _ document: HtmlDocument) throws -> String? {
        guard var text = try raw(elements, document) else { return nil }
        if trims { text = text.trimmingNewlines }
        if cleansUp {
            text = text.trimmingNewlines.filter { !$0.isNewline }
            text = text.replacing(#/\s+/#, with: " ")
        }
        return text
    }

    private func raw(_ elements: [Int], _ document: HtmlDocument) throws -> String? {
        switch returns {
        case "attribute": return elements.first.flatMap { document.attribute(attribute, of: $0) }
        case "html": return elements.first.map { document.innerHTML(of: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        case "value": return elements.first.flatMap { HtmlExtraction.formValue(of: $0, document) }
        default:
            if laysOutText {
                guard let first = elements.first else { return "" }
                var text = try HtmlText(document, skip: skip)
                return text.text(inside: first)
            }
            let text = elements.map { document.text(of: $0) }.joined()
            return text.isEmpty ? nil : text
        }
    }

    /// What a form would send for a control.
    private static func formValue(of element: Int, _ document: HtmlDocument) -> String? {
        switch document.name(element) {
        case "textarea": return document.text(of: element)
        case "select":
            let all = document.descendants(of: element).filter { document.name($0) == "option" }
            let chosen = all.first { document.attribute("selected", of: $0) != nil } ?? all.first
            return chosen.map { document.attribute("value", of: $0) ?? document.text(of: $0) }
        case "option": return document.attribute("value", of: element) ?? document.text(of: element)
        default: return document.attribute("value", of: element)
        }
    }
}
