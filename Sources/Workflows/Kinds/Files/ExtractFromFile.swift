internal import Foundation
internal import Kernel

/// Reads a file of each item into JSON.
struct ExtractFromFile: NodeExecutor {
    static var kinds: [NodeKind] {
        let sheets: Parameter.ShowWhen = ["operation": ["csv", "html", "ods", "xlsx"]]
        let texts: Parameter.ShowWhen = ["operation": ["binaryToPropery", "fromJson", "text", "fromIcs", "xml"]]
        let pdf: Parameter.ShowWhen = ["operation": ["pdf"]]
        return [
            NodeKind(
                kind: "extract_from_file", version: 1.1, category: .action, title: "Extract from file", summary: "Reads files into items.",
                icon: "file",
                parameters: [
                    Parameter("operation", .options, "Read", default: "csv", options: operations),
                    FileParameters.file(when: sheets), FileParameters.options(FileParameters.readingSheets, when: sheets),
                    FileParameters.file(when: texts),
                    Parameter("destinationKey", .string, "Output field", default: "data", required: true, showWhen: texts),
                    FileParameters.options(
                        [
                            FileParameters.encoding, Parameter("stripBOM", .boolean, "Strip the byte order mark", default: true),
                            FileParameters.keepSource
                        ],
                        when: texts),
                    FileParameters.file(when: pdf), FileParameters.options(FileParameters.readingPDF, when: pdf)
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.extractFromFile"])
        ]
    }

    private static var operations: [Parameter.Option] {
        [
            .init("csv", "CSV"), .init("html", "HTML table"), .init("fromIcs", "Calendar (ICS)"), .init("fromJson", "JSON"), .init("ods", "ODS"),
            .init("pdf", "PDF"), .init("text", "Text"), .init("xml", "XML"), .init("xlsx", "XLSX"), .init("binaryToPropery", "File as base 64")
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let operation = try await step.text("operation", default: "csv")
        switch operation {
        case "pdf": return .items([try await step.eachItem { try await pdf(step, $1, $0) }])
        case "binaryToPropery", "fromJson", "text", "fromIcs", "xml":
            return .items([try await step.eachItem { try await text(step, $1, $0, operation) }])
        default: return .items([try await step.eachItem { try await sheet(step, $1, $0, operation) }])
        }
    }

    private func sheet(_ step: StepContext, _ item: Item, _ index: Int, _ format: String) async throws -> [Item] {
        let file = try step.attachment(try await step.text("binaryPropertyName", item: index, default: "data"), of: item, at: index)
        return try await SheetFiles(step: step).read(format, file, item: index)
    }

    private func pdf(_ step: StepContext, _ item: Item, _ index: Int) async throws -> [Item] {
        let name = try await step.text("binaryPropertyName", item: index, default: "data")
        let written = try await step.rawOption("maxPages") == nil ? nil : step.number("options.maxPages", item: index)
        let most = written?.whole(in: -1...1_000_000)
        let json = try await PDFFiles(step: step).read(
            step.bytes(name, of: item, at: index), password: step.text("options.password", item: index), maximumPages: most,
            joinsPages: step.value("options.joinPages", item: index) != .bool(false), item: index)
        return [try await kept(step, item, index, name, json)]
    }

    private func text(_ step: StepContext, _ item: Item, _ index: Int, _ operation: String) async throws -> [Item] {
        let name = try await step.text("binaryPropertyName", item: index, default: "data")
        guard item.binary[name] != nil else { return [] }
        let bytes = try await step.bytes(name, of: item, at: index)
        let value: JSON
        if operation == "binaryToPropery" {
            value = .string(Data(bytes).base64EncodedString())
        } else {
            let strips = try await step.value("options.stripBOM", item: index) != .bool(false)
            let text = try TextEncoding.decode(bytes, await step.text("options.encoding", item: index, default: "utf8"), stripsMark: strips)
            switch operation {
            case "fromJson": value = try Self.json(text, index)
            case "fromIcs": value = try CalendarReader.read(text)
            default: value = .string(text)
            }
        }
        var json = JSONObject()
        DotPath(try await step.text("destinationKey", item: index, default: "data")).set(value, in: &json)
        return [try await kept(step, item, index, name, json)]
    }

    /// What is kept of the input beside what was read; without a choice, its other files.
    private func kept(_ step: StepContext, _ item: Item, _ index: Int, _ name: String, _ json: JSONObject) async throws -> Item {
        let keep = step.rawOption("keepSource") == nil ? "" : try await step.text("options.keepSource", item: index)
        var made = Item(json: json, binary: item.binary)
        if keep == "json" || keep == "both" {
            made.json = item.json
            made.json.merge(json)
        }
        if keep != "binary", keep != "both" { made.binary[name] = nil }
        return made
    }

    static func json(_ text: String, _ index: Int) throws -> JSON {
        do { return try JSON(parsing: text) } catch {
            throw StepFailure("unreadable_file", "The file is not valid JSON: \(error)", itemIndex: index, isRetryable: false)
        }
    }
}
