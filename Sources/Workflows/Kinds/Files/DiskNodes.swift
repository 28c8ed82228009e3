internal import Kernel

/// n8n's node that reads and writes files. Here they are those of the tenant's disk.
struct ReadWriteFile: NodeExecutor {
    static var kinds: [NodeKind] {
        let reads: Parameter.ShowWhen = ["operation": ["read"]]
        let writes: Parameter.ShowWhen = ["operation": ["write"]]
        return [
            NodeKind(
                kind: "read_write_file", version: 1.1, category: .action, title: "Read and write files",
                summary: "Reads and writes files of the tenant's disk.", icon: "file",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "read",
                        options: [.init("read", "Read files"), .init("write", "Write a file")]),
                    Parameter(
                        "fileSelector", .string, "Files", help: "A path, or a pattern such as /data/**/*.csv.", default: "", required: true,
                        showWhen: reads),
                    FileParameters.options(
                        [
                            Parameter("fileExtension", .string, "File extension"),
                            Parameter("fileName", .string, "File name"),
                            Parameter("mimeType", .string, "Media type"),
                            Parameter("dataPropertyName", .string, "Output field", default: "data")
                        ], when: reads),
                    DiskParameters.path("fileName", "File", when: writes), DiskParameters.field("Input field", when: writes),
                    FileParameters.options([DiskParameters.append], when: writes)
                ], effect: .keyed, n8nTypes: ["n8n-nodes-base.readWriteFile"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch try await step.text("operation", default: "read") {
        case "read": .items([try await step.eachItem { index, _ in try await read(step, index) }])
        case "write": .items([try await DiskWriter(step).write { $0 }])
        case let operation: throw StepFailure.invalid("operation", "'\(operation)' is no operation on files.")
        }
    }

    private func read(_ step: StepContext, _ index: Int) async throws -> [Item] {
        guard let disk = step.services.facilities.disk else { throw StepFailure.noDisk }
        let selector = try await step.text("fileSelector", item: index)
        let found = try await disk.select(try DiskGlob(selector), for: step.services.holder)
        guard !found.isEmpty || step.version < 1.1 else {
            throw StepFailure(
                "no_such_file", "No file on the tenant's disk matches \(selector.prefix(200)).", itemIndex: index, isRetryable: false)
        }
        // An option that is there counts, even where it is empty.
        let name = try await step.parameter("options.fileName", item: index)?.displayText
        let ending = try await step.parameter("options.fileExtension", item: index)?.displayText
        let type = try await step.parameter("options.mimeType", item: index)?.displayText
        let named = try await step.text("options.dataPropertyName", item: index, default: "data")
        let field = named.isEmpty ? "data" : named
        return found.map { known in
            var file = known.reference
            file.fileName = name ?? file.fileName
            file.fileExtension = ending ?? file.fileExtension
            file.mimeType = type ?? file.mimeType
            var json: JSONObject = ["mimeType": .string(file.mimeType)]
            json["fileType"] = FileTypes.group(of: known.mediaType).map { .string($0) }
            json["fileName"] = file.fileName.map { .string($0) }
            json["fileExtension"] = file.fileExtension.map { .string($0) }
            json["fileSize"] = .string(FileTypes.size(file.byteCount))
            return Item(json: json, binary: [field: file])
        }
    }
}

/// n8n's old node for one file.
struct ReadBinaryFile: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "read_binary_file", category: .action, title: "Read a file", summary: "Reads a file of the tenant's disk (n8n's old node).",
                icon: "file", parameters: [DiskParameters.path("filePath", "File", when: [:]), DiskParameters.field("Output field", when: [:])],
                effect: .repeatable, n8nTypes: ["n8n-nodes-base.readBinaryFile"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard let disk = step.services.facilities.disk else { throw StepFailure.noDisk }
        return .items([
            try await step.eachItem { index, item in
                let path = try DiskPath(try await step.text("filePath", item: index))
                let file = try await disk.file(at: path, for: step.services.holder)
                var read = item
                read.binary[try await step.text("dataPropertyName", item: index, default: "data")] = file.reference
                return [read.paired(with: index)]
            }
        ])
    }
}

/// n8n's old node for several files: it reads once, whatever comes in.
struct ReadBinaryFiles: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "read_binary_files", category: .action, title: "Read files", summary: "Reads files of the tenant's disk (n8n's old node).",
                icon: "file",
                parameters: [
                    Parameter("fileSelector", .string, "Files", help: "A pattern such as /data/*.jpg.", default: "", required: true),
                    DiskParameters.field("Output field", when: [:])
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.readBinaryFiles"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard let disk = step.services.facilities.disk else { throw StepFailure.noDisk }
        let found = try await disk.select(try DiskGlob(try await step.text("fileSelector")), for: step.services.holder)
        let field = try await step.text("dataPropertyName", default: "data")
        return .items([found.map { Item(json: [:], binary: [field: $0.reference], pairedItem: [PairedItem(item: 0)]) }])
    }
}

/// n8n's old node that writes a file.
struct WriteBinaryFile: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "write_binary_file", category: .action, title: "Write a file", summary: "Writes files to the tenant's disk (n8n's old node).",
                icon: "file",
                parameters: [
                    DiskParameters.path("fileName", "File", when: [:]), DiskParameters.field("Input field", when: [:]),
                    FileParameters.options([DiskParameters.append], when: [:])
                ], effect: .keyed, n8nTypes: ["n8n-nodes-base.writeBinaryFile"])
        ]
    }

    /// The options are those of the first item.
    func run(_ step: StepContext) async throws -> StepOutcome { .items([try await DiskWriter(step).write { _ in 0 }]) }
}

/// Writes the attachments of a step's items.
private struct DiskWriter {
    let step: StepContext
    init(_ step: StepContext) { self.step = step }

    /// - Parameter options: of which item the options are taken, by the item's index.
    /// - Returns: the items, each with the path it was written to as it was given.
    func write(options: (Int) -> Int) async throws -> [Item] {
        guard let disk = step.services.facilities.disk else { throw StepFailure.noDisk }
        var writes: [DiskWrite] = []
        let items = try await step.eachItem { index, item in
            let name = try await step.text("fileName", item: index)
            let path = try DiskPath(name)
            let file = try step.attachment(try await step.text("dataPropertyName", item: index, default: "data"), of: item, at: index)
            let appends = try await step.flag("options.append", item: options(index))
            writes.append(DiskWrite(path, file, appends: appends))
            var written = item.paired(with: index)
            written.json["fileName"] = .string(name)
            return [written]
        }
        let services = step.services
        if !writes.isEmpty {
            try await disk.write(writes, key: step.idempotencyKey, tenant: step.tenant) { file in try await services.openBinary(file) }
        }
        return items
    }
}

private enum DiskParameters {
    static let append = Parameter("append", .boolean, "Append", help: "To the end of the file, where there is one.", default: false)

    static func path(_ name: String, _ label: String, when showWhen: Parameter.ShowWhen) -> Parameter {
        Parameter(name, .string, label, help: "Such as /data/report.csv.", default: "", required: true, showWhen: showWhen)
    }

    static func field(_ label: String, when showWhen: Parameter.ShowWhen) -> Parameter {
        Parameter("dataPropertyName", .string, label, default: "data", required: true, showWhen: showWhen)
    }
}
