internal import Kernel
internal import Scripting

/// Packs and unpacks zip and gzip files.
struct Compression: NodeExecutor {
    static var kinds: [NodeKind] {
        let packs: Parameter.ShowWhen = ["operation": ["compress"]]
        let zips = packs.merging(["outputFormat": ["zip"]]) { $1 }
        let gzips = packs.merging(["outputFormat": ["gzip"]]) { $1 }
        return [
            NodeKind(
                kind: "compression", version: 1.1, category: .action, title: "Compression", summary: "Packs and unpacks zip and gzip files.",
                icon: "file",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "decompress",
                        options: [.init("compress", "Compress"), .init("decompress", "Decompress")]),
                    Parameter("binaryPropertyName", .string, "File fields", help: "Several, divided by commas.", default: "data", required: true),
                    Parameter(
                        "outputFormat", .options, "Format", default: "", options: [.init("gzip", "Gzip"), .init("zip", "Zip")],
                        showWhen: packs.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter(
                        "outputFormat", .options, "Format", default: "zip", options: [.init("gzip", "Gzip"), .init("zip", "Zip")],
                        showWhen: packs.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("fileName", .string, "File name", default: "", required: true, showWhen: zips),
                    Parameter("binaryPropertyOutput", .string, "Output field", default: "data", showWhen: packs),
                    Parameter("outputPrefix", .string, "Output prefix", default: "data", required: true, showWhen: gzips),
                    Parameter("outputPrefix", .string, "Output prefix", default: "file_", required: true, showWhen: ["operation": ["decompress"]])
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.compression"])
        ]
    }

    /// Files that packing does not make smaller.
    private static let packed: Set<String> = [
        "7z", "aifc", "bz2", "doc", "docx", "gif", "gz", "heic", "heif", "jpg", "jpeg", "mov", "mp3", "mp4", "pdf", "png", "ppt", "pptx", "rar",
        "webm",
        "webp", "xls", "xlsx", "zip"
    ]

    func run(_ step: StepContext) async throws -> StepOutcome {
        let packs = try await step.text("operation", default: "decompress") == "compress"
        return .items([
            try await step.eachItem { index, item in
                [Item(json: item.json, binary: try await packs ? pack(step, item, index) : unpack(step, item, index))]
            }
        ])
    }

    private func pack(_ step: StepContext, _ item: Item, _ index: Int) async throws -> [String: BinaryReference] {
        let format = try await step.text("outputFormat", item: index)
        let names = try await step.names("binaryPropertyName", item: index)
        guard format == "zip" || format == "gzip" else { throw StepFailure.invalid("outputFormat", "Choose zip or gzip.", item: index) }
        var made: [String: BinaryReference] = [:]
        var files: [FileConversion.File] = []
        var levels: [JSON] = []
        for (place, name) in names.enumerated() {
            let file = try step.attachment(name, of: item, at: index)
            let bytes = try await step.services.readBinary(file)
            if format == "zip" {
                files.append(.init(name: file.fileName ?? name, bytes: bytes))
                let ending = file.fileExtension ?? file.fileName.flatMap(FileTypes.ending(ofName:)) ?? ""
                levels.append(Self.packed.contains(ending.lowercased()) ? 0 : 6)
            } else {
                let answer = try await step.convert(FileConversion(.gzip, files: [.init(bytes: bytes)]), item: index)
                let stem = (file.fileName ?? name).split(separator: ".").first.map(String.init) ?? name
                let prefix = try await step.text("outputPrefix", item: index, default: "data")
                let field = step.version < 1.1 ? "\(prefix)\(place)" : names.count == 1 ? try await output(step, index) : "\(prefix)\(place)"
                made[field] = try await step.store(answer.files.first?.bytes ?? [], name: "\(stem).gzip", type: "application/gzip")
            }
        }
        guard format == "zip" else { return made }
        let answer = try await step.convert(FileConversion(.zip, settings: ["levels": .array(levels)], files: files), item: index)
        let name = try await step.text("fileName", item: index)
        made[try await output(step, index)] = try await step.store(
            answer.files.first?.bytes ?? [], name: name.isEmpty ? "data.zip" : name, type: "application/zip")
        return made
    }

    private func output(_ step: StepContext, _ index: Int) async throws -> String {
        try await step.text("binaryPropertyOutput", item: index, default: "data")
    }

    private func unpack(_ step: StepContext, _ item: Item, _ index: Int) async throws -> [String: BinaryReference] {
        let prefix = try await step.text("outputPrefix", item: index, default: "file_")
        var made: [String: BinaryReference] = [:]
        var zipped = 0
        for (place, name) in try await step.names("binaryPropertyName", item: index).enumerated() {
            let file = try step.attachment(name, of: item, at: index)
            let bytes = try await step.services.readBinary(file)
            let ending = (file.fileExtension ?? file.fileName.flatMap(FileTypes.ending(ofName:)) ?? FileTypes.ending(ofType: file.mimeType) ?? "")
                .lowercased()
            switch ending {
            case "zip":
                let answer = try await step.convert(FileConversion(.unzip, files: [.init(bytes: bytes)]), item: index)
                for entry in answer.files where !entry.name.contains("__MACOSX") {
                    made["\(prefix)\(zipped)"] = try await step.store(entry.bytes, name: entry.name)
                    zipped += 1
                }
            case "gz", "gzip":
                let answer = try await step.convert(FileConversion(.gunzip, files: [.init(bytes: bytes)]), item: index)
                let content = answer.files.first?.bytes ?? []
                let stem = (file.fileName ?? name).split(separator: ".").first.map(String.init) ?? name
                let type = FileTypes.type(ofBytes: content) ?? "text/plain"
                made["\(prefix)\(place)"] = try await step.store(content, name: "\(stem).\(FileTypes.ending(ofType: type) ?? "bin")", type: type)
            default: continue
            }
        }
        return made
    }
}
