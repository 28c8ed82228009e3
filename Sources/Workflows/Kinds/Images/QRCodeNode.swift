internal import Kernel
internal import Scripting

/// Makes QR codes and reads codes from images.
struct QRCodeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let generates: Parameter.ShowWhen = ["operation": ["generate"]]
        let reads: Parameter.ShowWhen = ["operation": ["read"]]
        return [
            NodeKind(
                kind: "qr_code", category: .action, title: "QR code", summary: "Makes QR codes, and reads QR and bar codes from images.", icon: "qr",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "generate",
                        options: [.init("generate", "Generate"), .init("read", "Read from an image")]),
                    Parameter(
                        "text", .text, "Text", help: "An address or any text, up to 2953 bytes.", default: "", required: true, showWhen: generates),
                    Parameter(
                        "format", .options, "Format", default: "png", options: [.init("png", "PNG"), .init("svg", "SVG")], showWhen: generates),
                    Parameter("binaryPropertyName", .string, "File field", default: "data", required: true),
                    Parameter("options", .collection, "Options", default: .init([:]), fields: making, showWhen: generates),
                    Parameter(
                        "destinationKey", .string, "Output field", help: "Gets a list of {type, text}.", default: "codes", required: true,
                        showWhen: reads),
                    Parameter("options", .collection, "Options", default: .init([:]), fields: reading, showWhen: reads)
                ], effect: .repeatable)
        ]
    }

    private static let making: [Parameter] = [
        Parameter(
            "errorCorrection", .options, "Error correction", help: "How much of the code may be dirty or hidden.", default: "M",
            options: [.init("L", "7 %"), .init("M", "15 %"), .init("Q", "25 %"), .init("H", "30 %")]),
        Parameter("moduleSize", .number, "Pixels per module", help: "1 to 100.", default: 8),
        Parameter("margin", .number, "Margin", help: "In modules; readers expect four.", default: 4),
        Parameter("color", .string, "Color", help: "#RRGGBB.", default: "#000000"),
        Parameter("backgroundColor", .string, "Background", help: "#RRGGBB, or #RRGGBBFF for none.", default: "#ffffff"),
        Parameter("fileName", .string, "File name", default: "")
    ]

    private static let reading: [Parameter] = [
        Parameter("barcodes", .boolean, "Bar codes too", default: false),
        Parameter("allowNone", .boolean, "Go on without a code", help: "Gives an empty list where the image has no code.", default: false)
    ]

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                let reads = try await step.text("operation", item: index, default: "generate") == "read"
                return [try await reads ? read(step, item, index) : generated(step, item, index)]
            }
        ])
    }

    private func generated(_ step: StepContext, _ item: Item, _ index: Int) async throws -> Item {
        let format = try await step.text("format", item: index, default: "png")
        let settings: JSONObject = [
            "text": .string(try await step.text("text", item: index)), "format": .string(format),
            "level": .string(try await step.text("options.errorCorrection", item: index, default: "M")),
            "module_pixels": .number(try await step.number("options.moduleSize", item: index) ?? 8),
            "margin": .number(try await step.number("options.margin", item: index) ?? 4),
            "dark": .string(try await step.text("options.color", item: index, default: "#000000")),
            "light": .string(try await step.text("options.backgroundColor", item: index, default: "#ffffff"))
        ]
        let answer = try await step.convert(FileConversion(.makeQR, settings: settings), item: index)
        let asked = try await step.text("options.fileName", item: index)
        let field = try await step.text("binaryPropertyName", item: index, default: "data")
        let type = FileTypes.type(ofName: "x.\(format)")
        let file = try await step.store(answer.files.first?.bytes ?? [], name: asked.isEmpty ? "qr-code.\(format)" : asked, type: type)
        return Item(json: item.json, binary: item.binary.merging([field: file]) { $1 })
    }

    private func read(_ step: StepContext, _ item: Item, _ index: Int) async throws -> Item {
        let field = try await step.text("binaryPropertyName", item: index, default: "data")
        let settings: JSONObject = ["barcodes": .bool(try await step.flag("options.barcodes", item: index))]
        let bytes = try await step.bytes(field, of: item, at: index)
        let answer = try await step.convert(FileConversion(.readCodes, settings: settings, files: [.init(bytes: bytes)]), item: index)
        let codes = answer.facts["codes"]?.array ?? []
        if codes.isEmpty, try await !step.flag("options.allowNone", item: index) {
            throw StepFailure(
                "no_code", "There is no code in the image, or it is too small or blurred. 'Go on without a code' gives an empty list instead.",
                itemIndex: index, isRetryable: false)
        }
        var json = item.json
        DotPath(try await step.text("destinationKey", item: index, default: "codes")).set(.array(codes), in: &json)
        return Item(json: json, binary: item.binary)
    }
}
