internal import Foundation
internal import Kernel

/// n8n's old node that moves data between JSON and files.
struct MoveBinaryData: NodeExecutor {
    static var kinds: [NodeKind] {
        let toJSON: Parameter.ShowWhen = ["mode": ["binaryToJson"]]
        let toFile: Parameter.ShowWhen = ["mode": ["jsonToBinary"]]
        return [
            NodeKind(
                kind: "move_binary_data", version: 1.1, category: .action, title: "Move binary data",
                summary: "Moves data between JSON and files (n8n's old node).", icon: "file",
                parameters: [
                    Parameter(
                        "mode", .options, "Mode", default: "binaryToJson",
                        options: [.init("binaryToJson", "File to JSON"), .init("jsonToBinary", "JSON to file")]),
                    Parameter("setAllData", .boolean, "Set all data", default: true, showWhen: toJSON),
                    Parameter("sourceKey", .string, "Source", default: "data", required: true, showWhen: toJSON),
                    Parameter(
                        "destinationKey", .string, "Destination", default: "data", required: true,
                        showWhen: toJSON.merging(["setAllData": [false]]) { $1 }),
                    Parameter("convertAllData", .boolean, "Convert all data", default: true, showWhen: toFile),
                    Parameter(
                        "sourceKey", .string, "Source", default: "data", required: true,
                        showWhen: toFile.merging(["convertAllData": [false]]) { $1 }),
                    Parameter("destinationKey", .string, "Destination", default: "data", required: true, showWhen: toFile),
                    FileParameters.options(
                        [
                            Parameter("dataIsBase64", .boolean, "Data is base 64", default: false), FileParameters.encoding,
                            Parameter("stripBOM", .boolean, "Strip the byte order mark", default: true), FileParameters.addsMark,
                            FileParameters.fileName,
                            Parameter("jsonParse", .boolean, "Parse JSON", default: false),
                            Parameter("keepSource", .boolean, "Keep the source", default: false),
                            Parameter("keepAsBase64", .boolean, "Keep as base 64", default: false),
                            Parameter("mimeType", .string, "Media type"), Parameter("useRawData", .boolean, "Use raw data", default: false)
                        ], when: [:])
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.moveBinaryData"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let toFile = try await step.text("mode", default: "binaryToJson") == "jsonToBinary"
        return .items([
            try await step.eachItem { index, item in
                try await (toFile ? self.toFile(step, item, index) : toJSON(step, item, index)).map { [$0] } ?? []
            }
        ])
    }

    /// - Returns: nil where the item has no such file.
    private func toJSON(_ step: StepContext, _ item: Item, _ index: Int) async throws -> Item? {
        let source = try await step.text("sourceKey", item: index, default: "data")
        guard let file = item.binary[source] else { return nil }
        let bytes = try await step.services.readBinary(file)
        let text = try TextEncoding.decode(
            bytes, await step.text("options.encoding", item: index, default: "utf8"),
            stripsMark: await step.value("options.stripBOM", item: index) != .bool(false))
        var made = Item(json: [:], binary: item.binary)
        if try await step.value("setAllData", item: index) != .bool(false) {
            guard let members = try ExtractFromFile.json(text, index).object else {
                throw StepFailure("unreadable_file", "The file is no JSON object.", itemIndex: index, isRetryable: false)
            }
            made.json = members
        } else {
            made.json = item.json
            var value = JSON.string(text)
            if try await step.flag("options.keepAsBase64", item: index) {
                value = .string(Data(bytes).base64EncodedString())
            } else if try await step.flag("options.jsonParse", item: index) {
                value = try ExtractFromFile.json(text, index)
            }
            DotPath(try await step.text("destinationKey", item: index, default: "data")).set(value, in: &made.json)
        }
        if try await !step.flag("options.keepSource", item: index) { made.binary[source] = nil }
        return made
    }

    private func toFile(_ step: StepContext, _ item: Item, _ index: Int) async throws -> Item? {
        let convertsAll = try await step.value("convertAllData", item: index) != .bool(false)
        let source = DotPath(convertsAll ? "" : try await step.text("sourceKey", item: index, default: "data"))
        guard let value = convertsAll ? .object(item.json) : source.value(in: item.json) else { return nil }
        var type = try await step.text("options.mimeType", item: index)
        let bytes: [UInt8]
        if try await step.flag("options.dataIsBase64", item: index) {
            guard let decoded = TextEncoding.base64(value.displayText) else {
                throw StepFailure.invalid("sourceKey", "The value is not valid base64 data.", item: index)
            }
            bytes = decoded
        } else {
            let isRaw = try await step.flag("options.useRawData", item: index) && value.object == nil && value.array == nil
            if !isRaw, type.isEmpty { type = "application/json" }
            bytes = try TextEncoding.encode(
                isRaw ? value.coercedText : value.serialized, await step.text("options.encoding", item: index, default: "utf8"),
                addsMark: await step.flag("options.addBOM", item: index))
        }
        if type.isEmpty, step.version < 1.1 { type = "application/json" }
        var made = Item(json: item.json, binary: item.binary)
        let destination = try await step.text("destinationKey", item: index, default: "data")
        made.binary[destination] = try await step.store(bytes, name: step.text("options.fileName", item: index), type: type)
        if try await !step.flag("options.keepSource", item: index) {
            if convertsAll { made.json = [:] } else { source.remove(from: &made.json) }
        }
        return made
    }
}
