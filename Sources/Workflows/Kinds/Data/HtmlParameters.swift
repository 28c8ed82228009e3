internal import Kernel

enum HtmlParameters {
    static var all: [Parameter] {
        let template: Parameter.ShowWhen = ["operation": ["generateHtmlTemplate"]]
        return [
            Parameter(
                "operation", .options, "Operation", default: "generateHtmlTemplate",
                options: [
                    .init("generateHtmlTemplate", "Fill a template"), .init("extractHtmlContent", "Take parts out"),
                    .init("convertToHtmlTable", "Write a table")
                ]),
            Parameter("html", .code, "HTML", help: "{{ }} holds expressions.", default: "", required: true, showWhen: template),
            Parameter("notice", .notice, "", default: "", showWhen: template),
            Parameter(
                "options", .collection, "Options", default: .init([:]), fields: table, showWhen: ["operation": ["convertToHtmlTable"]])
        ] + extraction(operation: "extractHtmlContent")
    }

    /// - Parameter operation: nil for the old node, which does nothing else.
    static func extraction(operation: JSONText?) -> [Parameter] {
        let shown: Parameter.ShowWhen = operation.map { ["operation": [$0]] } ?? [:]
        var values = [
            Parameter("key", .string, "Field", default: ""), Parameter("cssSelector", .string, "CSS selector", default: ""),
            Parameter(
                "returnValue", .options, "Take", default: "text",
                options: [.init("attribute", "An attribute"), .init("html", "HTML"), .init("text", "Text"), .init("value", "The value of a control")]),
            Parameter("attribute", .string, "Attribute", default: "", showWhen: ["returnValue": ["attribute"]]),
            Parameter("returnArray", .boolean, "As a list", default: false)
        ]
        if operation != nil {
            values.append(
                Parameter(
                    "skipSelectors", .string, "Selectors to skip", default: "", showWhen: ["returnValue": ["text"], "@version": [">1.1"]]))
        }
        return [
            Parameter(
                "sourceData", .options, "Source", default: "json", options: [.init("binary", "A file"), .init("json", "A field")], showWhen: shown),
            Parameter("dataPropertyName", .string, "Field or file", default: "data", required: true, showWhen: shown),
            Parameter(
                "extractionValues", .collection, "Values", default: .init([:]), fields: [Parameter("values", .list, "Values", fields: values)],
                showWhen: shown),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("trimValues", .boolean, "Trim values", default: true),
                    Parameter("cleanUpText", .boolean, "Collapse white space", default: true)
                ], showWhen: shown)
        ]
    }

    private static var table: [Parameter] {
        [
            Parameter("capitalize", .boolean, "Capitalize heads", default: false),
            Parameter("customStyling", .boolean, "Own styling", default: false)
        ]
            + ["caption", "tableAttributes", "headerAttributes", "rowAttributes", "cellAttributes"].map {
                Parameter($0, .string, $0, default: "")
            }
    }
}
