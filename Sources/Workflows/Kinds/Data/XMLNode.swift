internal import Kernel

/// Converts between XML and JSON.
struct XMLNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "xml", category: .action, title: "XML", summary: "Converts between XML and JSON.", icon: "code", parameters: parameters,
                n8nTypes: ["n8n-nodes-base.xml"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let mode = try await step.text("mode", default: "xmlToJson")
        let name = try await step.text("dataPropertyName", default: "data")
        let options = try await step.value("options")?.object ?? [:]
        return .items([
            try await step.eachItem { index, item in
                switch mode {
                case "xmlToJson":
                    guard let value = item.json[name] else {
                        throw StepFailure.invalid("dataPropertyName", "The item has no field '\(name)'.", item: index)
                    }
                    return [Item(json: try XMLNode.object(of: value.displayText, options))]
                case "jsonToxml": return [Item(json: [name: .string(try XMLWriter(options: XMLNode.writing(options)).text(of: item.json))])]
                default: throw StepFailure.invalid("mode", "The mode '\(mode)' is unknown.", item: index)
                }
            }
        ])
    }

    private static func object(of text: String, _ options: JSONObject) throws -> JSONObject {
        switch try XMLReader(options: reading(options)).json(of: text) {
        case .object(let members)?: return members
        case nil: return [:]
        default: throw StepFailure("invalid_xml", "The root element holds text alone; keep the root to get an object.", isRetryable: false)
        }
    }

    private static func reading(_ given: JSONObject) -> XMLReader.Options {
        var options = XMLReader.Options()
        if let key = given["attrkey"]?.text, !key.isEmpty { options.attributeKey = key }
        if let key = given["charkey"]?.text, !key.isEmpty { options.textKey = key }
        options.alwaysLists = given["explicitArray"]?.isTruthy ?? false
        options.keepsRoot = given["explicitRoot"]?.isTruthy ?? true
        options.ignoresAttributes = given["ignoreAttrs"]?.isTruthy ?? false
        options.mergesAttributes = given["mergeAttrs"]?.isTruthy ?? true
        options.normalizesText = given["normalize"]?.isTruthy ?? false
        options.lowersNames = given["normalizeTags"]?.isTruthy ?? false
        options.trimsText = given["trim"]?.isTruthy ?? false
        return options
    }

    private static func writing(_ given: JSONObject) -> XMLWriter.Options {
        var options = XMLWriter.Options()
        if let key = given["attrkey"]?.text, !key.isEmpty { options.attributeKey = key }
        if let key = given["charkey"]?.text, !key.isEmpty { options.textKey = key }
        if let name = given["rootName"]?.text, !name.isEmpty { options.rootName = name }
        options.usesCDATA = given["cdata"]?.isTruthy ?? false
        options.omitsHeader = given["headless"]?.isTruthy ?? false
        return options
    }

    private static var parameters: [Parameter] {
        let reads: Parameter.ShowWhen = ["mode": ["xmlToJson"]]
        let writes: Parameter.ShowWhen = ["mode": ["jsonToxml"]]
        let keys = [
            Parameter("attrkey", .string, "Name of the attributes", default: "$"),
            Parameter("charkey", .string, "Name of the text", default: "_")
        ]
        let writing =
            keys + [
                Parameter("rootName", .string, "Name of the root", default: "root"),
                Parameter("cdata", .boolean, "Put text into CDATA where it would be escaped", default: false),
                Parameter("headless", .boolean, "Without the XML declaration", default: false)
            ]
        let reading =
            keys + [
                Parameter("explicitArray", .boolean, "Child elements always as lists", default: false),
                Parameter("explicitRoot", .boolean, "Keep the root", default: true),
                Parameter("ignoreAttrs", .boolean, "Ignore attributes", default: false),
                Parameter("mergeAttrs", .boolean, "Attributes beside child elements", default: true),
                Parameter("normalize", .boolean, "Collapse white space", default: false),
                Parameter("normalizeTags", .boolean, "Names in lower case", default: false),
                Parameter("trim", .boolean, "Trim text", default: false)
            ]
        return [
            Parameter(
                "mode", .options, "Mode", default: "xmlToJson",
                options: [.init("xmlToJson", "XML to JSON"), .init("jsonToxml", "JSON to XML")]),
            Parameter("dataPropertyName", .string, "Put into", default: "data", required: true, showWhen: writes),
            Parameter("dataPropertyName", .string, "Field with the XML", default: "data", required: true, showWhen: reads),
            Parameter("options", .collection, "Options", default: .init([:]), fields: writing, showWhen: writes),
            Parameter("options", .collection, "Options", default: .init([:]), fields: reading, showWhen: reads)
        ]
    }
}
