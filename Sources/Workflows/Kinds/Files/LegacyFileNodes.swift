internal import Kernel

/// n8n's old spreadsheet node: reads and writes by its `operation`.
struct SpreadsheetFile: NodeExecutor {
    static var kinds: [NodeKind] {
        let reads: Parameter.ShowWhen = ["operation": ["fromFile"]]
        let writes: Parameter.ShowWhen = ["operation": ["toFile"]]
        let formats: [Parameter.Option] = [.init("csv", "CSV"), .init("html", "HTML"), .init("ods", "ODS"), .init("xlsx", "XLSX")]
        return [
            NodeKind(
                kind: "spreadsheet_file", version: 2, category: .action, title: "Spreadsheet file",
                summary: "Reads and writes spreadsheets (n8n's old node).", icon: "file",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "fromFile",
                        options: [.init("fromFile", "Read from file"), .init("toFile", "Write to file")]),
                    FileParameters.file(when: reads),
                    Parameter(
                        "fileFormat", .options, "Format", default: "autodetect", options: [.init("autodetect", "Autodetect")] + formats,
                        showWhen: reads.merging(["@version": [">=2"]]) { $1 }),
                    FileParameters.options(FileParameters.readingSheets, when: reads),
                    // n8n's default is its oldest format, xls, which is not written here; a node that leaves it says so.
                    Parameter("fileFormat", .options, "Format", default: "xls", options: formats, showWhen: writes),
                    FileParameters.file(when: writes), FileParameters.options(FileParameters.writingSheets, when: writes)
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.spreadsheetFile"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if try await step.text("operation", default: "fromFile") == "toFile" {
            let file = try await SheetFiles(step: step).write(step.text("fileFormat", default: "xls"), named: "spreadsheet")
            return .items([[Item(json: [:], binary: [try await step.text("binaryPropertyName", default: "data"): file], pairedItem: step.allItems)]])
        }
        return .items([
            try await step.eachItem { index, item in
                let file = try step.attachment(try await step.text("binaryPropertyName", item: index, default: "data"), of: item, at: index)
                var format = try await step.text("fileFormat", item: index, default: "autodetect")
                if format == "autodetect" { format = try Self.format(of: file) }
                return try await SheetFiles(step: step).read(format, file, item: index)
            }
        ])
    }

    /// By the file's type, then by its name.
    private static func format(of file: BinaryReference) throws -> String {
        let ending = FileTypes.ending(ofType: file.mimeType)
        let named = file.fileName.flatMap(FileTypes.ending(ofName:)) ?? file.fileExtension
        let formats = [ending, named].compactMap { $0 == "htm" ? "html" : $0 == "txt" ? nil : $0 }
        guard let known = formats.first(where: SheetFiles.readable.contains) ?? (file.mimeType == "text/plain" ? "csv" : nil) else {
            throw StepFailure("unsupported_format", "Files of the type \(file.mimeType) cannot be read as a spreadsheet.", isRetryable: false)
        }
        return known
    }
}

/// n8n's old PDF node.
struct ReadPDF: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "read_pdf", category: .action, title: "Read PDF", summary: "Reads the text of a PDF file (n8n's old node).", icon: "file",
                parameters: [
                    FileParameters.file(when: [:]), Parameter("encrypted", .boolean, "Encrypted", default: false),
                    Parameter("password", .string, "Password", default: "", showWhen: ["encrypted": [true]])
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.readPDF"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                let password = try await step.flag("encrypted", item: index) ? try await step.text("password", item: index) : ""
                let bytes = try await step.bytes(step.text("binaryPropertyName", item: index, default: "data"), of: item, at: index)
                let json = try await PDFFiles(step: step).read(bytes, password: password, maximumPages: nil, joinsPages: true, item: index)
                return [Item(json: json, binary: item.binary)]
            }
        ])
    }
}
