internal import Kernel

/// All items as one HTML table, in n8n's form.
struct HtmlTable: Sendable {
    private let step: StepContext

    init(_ step: StepContext) { self.step = step }

    func item() async throws -> Item {
        let options = try await step.value("options")?.object ?? [:]
        let isPlain = options["customStyling"]?.isTruthy ?? false
        let tableStyle = isPlain ? "" : "style='border-spacing:0; font-family:helvetica,arial,sans-serif'"
        let cell = "margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee"
        let headStyle = isPlain ? "" : "style='\(cell); text-align:left; color:#888; font-weight:normal'"
        let cellStyle = isPlain ? "" : "style='\(cell)'"
        let capitalizes = options["capitalize"]?.isTruthy ?? false
        let names = fieldNames
        var html = "<table \(tableStyle) \(options["tableAttributes"]?.displayText ?? "")>"
        if let caption = options["caption"]?.displayText, !caption.isEmpty { html += "<caption>\(caption)</caption>" }
        html += "<thead \(headStyle) \(options["headerAttributes"]?.displayText ?? "")><tr>"
        html += names.map { "<th>\(capitalizes ? HtmlTable.capitalized($0) : $0)</th>" }.joined()
        html += "</tr></thead><tbody>"
        for (index, item) in step.items.enumerated() {
            let row = try await step.parameter("options.rowAttributes", item: index)?.displayText ?? ""
            let attributes = try await step.parameter("options.cellAttributes", item: index)?.displayText ?? ""
            html += "<tr  \(row)>"
            html += names.map { "<td \(cellStyle) \(attributes)>\(HtmlTable.text(of: item.json[$0]))</td>" }.joined()
            html += "</tr>"
        }
        html += "</tbody></table>"
        return Item(json: ["table": .string(html)], pairedItem: step.items.indices.map { PairedItem(item: $0) })
    }

    /// Of all items, in the order they are met.
    private var fieldNames: [String] {
        var seen: Set<String> = []
        return step.items.flatMap(\.json.keys).filter { seen.insert($0).inserted }
    }

    private static func text(of value: JSON?) -> String {
        switch value {
        case nil: "undefined"
        case .bool(let isChecked)?: "<input type=\"checkbox\" \(isChecked ? "checked=\"checked\"" : "")/>"
        case let value?: value.coercedText
        }
    }

    /// `first_name` → `First Name`
    private static func capitalized(_ name: String) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
    }
}
