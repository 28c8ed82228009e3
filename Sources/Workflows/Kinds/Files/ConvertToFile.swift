internal import Kernel

/// Makes files of items.
struct ConvertToFile: NodeExecutor {
    static var kinds: [NodeKind] {
        let sheets: Parameter.ShowWhen = ["operation": ["csv", "html", "ods", "xlsx"]]
        let json: Parameter.ShowWhen = ["operation": ["toJson"]]
        let source: Parameter.ShowWhen = ["operation": ["toBinary", "toText"]]
        let text: [Parameter] = [FileParameters.encoding, FileParameters.addsMark, FileParameters.fileName]
        let binary: [Parameter] =
            text + [
                Parameter("dataIsBase64", .boolean, "Data is base 64", default: true), Parameter("mimeType", .string, "Media type")
            ]
        return [
            NodeKind(
                kind: "convert_to_file", version: 1.1, category: .action, title: "Convert to file", summary: "Makes files of items.", icon: "file",
                parameters: [
                    Parameter(
                        "operation", .options, "Make", default: "csv",
                        options: [
                            .init("csv", "CSV"), .init("html", "HTML table"), .init("iCal", "Calendar event (ICS)"), .init("toJson", "JSON"),
                            .init("ods", "ODS"), .init("toText", "Text"), .init("xlsx", "XLSX"), .init("toBinary", "File from base 64")
                        ]),
                    FileParameters.file(when: sheets), FileParameters.options(FileParameters.writingSheets, when: sheets),
                    Parameter(
                        "mode", .options, "Mode", default: "once",
                        options: [.init("once", "One file of all items"), .init("each", "A file for each item")],
                        showWhen: json),
                    FileParameters.file(when: json),
                    FileParameters.options(text + [Parameter("format", .boolean, "Format", default: false)], when: json),
                    Parameter("sourceProperty", .string, "Input field", default: "", required: true, showWhen: source),
                    FileParameters.file(when: source),
                    FileParameters.options(binary, when: ["operation": ["toBinary"]]), FileParameters.options(text, when: ["operation": ["toText"]])
                ] + CalendarEvent.parameters(when: ["operation": ["iCal"]]), effect: .repeatable,
                n8nTypes: ["n8n-nodes-base.convertToFile"]),
            NodeKind(
                kind: "calendar_event", category: .action, title: "Calendar event", summary: "Makes a calendar file of an event.", icon: "file",
                parameters: CalendarEvent.parameters(when: [:]), effect: .repeatable, n8nTypes: ["n8n-nodes-base.iCal"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let operation = step.kind.kind == "calendar_event" ? "iCal" : try await step.text("operation", default: "csv")
        switch operation {
        case "toBinary", "toText":
            return .items([try await step.eachItem { index, item in [try await value(step, item, index, isBinary: operation == "toBinary")] }])
        case "toJson":
            if try await step.text("mode", default: "once") == "each" {
                return .items([try await step.eachItem { index, item in [try await json(step, .object(item.json), index, nil)] }])
            }
            return .items([try await whole(step) { try await json(step, .array(step.items.map { .object($0.json) }), 0, step.allItems) }])
        case "iCal": return .items([try await step.eachItem { index, _ in [try await CalendarEvent(step: step, item: index).file()] }])
        default:
            return .items([
                try await whole(step) {
                    let file = try await SheetFiles(step: step).write(operation, named: "File")
                    return Item(json: [:], binary: [try await step.text("binaryPropertyName", default: "data"): file], pairedItem: step.allItems)
                }
            ])
        }
    }

    /// One item of all; where the node goes on after errors, one with the error.
    private func whole(_ step: StepContext, _ make: () async throws -> Item) async throws -> [Item] {
        do { return [try await make()] } catch {
            var failed = try step.failed(error, at: 0)
            failed.pairedItem = step.allItems
            return [failed]
        }
    }

    private func json(_ step: StepContext, _ value: JSON, _ index: Int, _ parents: [PairedItem]?) async throws -> Item {
        let text = try await step.flag("options.format", item: index) ? value.indented : value.serialized
        return try await item(step, text, index, type: "application/json", parents: parents)
    }

    private func value(_ step: StepContext, _ item: Item, _ index: Int, isBinary: Bool) async throws -> Item {
        let source = try await step.text("sourceProperty", item: index)
        guard let value = source.isEmpty ? .object(item.json) : DotPath(source).value(in: item.json) else {
            throw StepFailure.invalid("sourceProperty", "The value in \"\(source)\" is not set", item: index)
        }
        let isEncoded = try await step.value("options.dataIsBase64", item: index) != .bool(false)
        guard isBinary, isEncoded else {
            let isData: Bool = value.object != nil || value.array != nil
            let type = isData ? "application/json" : isBinary ? try await step.text("options.mimeType", item: index) : "text/plain"
            return try await self.item(step, value.coercedOrSerialized, index, type: type, fallback: isBinary ? nil : "file.txt")
        }
        var text = value.displayText
        var type = try await step.text("options.mimeType", item: index)
        if let match = text.firstMatch(of: /^\s*data:([^,]*);base64,/) {
            if type.isEmpty { type = String(match.output.1.prefix { $0 != ";" }) }
            text = String(text[match.range.upperBound...])
        }
        guard let bytes = TextEncoding.base64(text) else {
            throw StepFailure.invalid(
                "sourceProperty", "The provided string is not valid base64 data. To write plain text to a file, make a text file instead.",
                item: index)
        }
        let file = try await step.store(bytes, name: step.text("options.fileName", item: index), type: type)
        return Item(json: [:], binary: [try await step.text("binaryPropertyName", item: index, default: "data"): file])
    }

    private func item(
        _ step: StepContext, _ text: String, _ index: Int, type: String, fallback: String? = nil, parents: [PairedItem]? = nil
    ) async throws -> Item {
        let bytes = try TextEncoding.encode(
            text, await step.text("options.encoding", item: index, default: "utf8"), addsMark: await step.flag("options.addBOM", item: index))
        let name = try await step.text("options.fileName", item: index)
        let file = try await step.store(bytes, name: name.isEmpty ? fallback : name, type: type)
        return Item(json: [:], binary: [try await step.text("binaryPropertyName", item: index, default: "data"): file], pairedItem: parents)
    }
}

extension JSON {
    /// As it goes into a text file: objects and lists as JSON, everything else as ECMAScript's `String`.
    var coercedOrSerialized: String { object != nil || array != nil ? serialized : coercedText }

    /// JSON with a member on each line, as `JSON.stringify(value, null, 2)`.
    var indented: String {
        func write(_ value: JSON, _ margin: String) -> String {
            switch value {
            case .object(let members) where !members.isEmpty:
                let lines = members.map { "\(margin)  \(JSON.string($0.key).serialized): \(write($0.value, margin + "  "))" }
                return "{\n\(lines.joined(separator: ",\n"))\n\(margin)}"
            case .array(let elements) where !elements.isEmpty:
                return "[\n\(elements.map { "\(margin)  \(write($0, margin + "  "))" }.joined(separator: ",\n"))\n\(margin)]"
            default: return value.serialized
            }
        }
        return write(self, "")
    }
}
