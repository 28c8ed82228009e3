internal import Kernel
internal import Scripting

/// Spreadsheets and CSV files to items and back, as three kinds do it.
struct SheetFiles: Sendable {
    static let readable = ["csv", "html", "ods", "xlsx"]

    let step: StepContext

    /// The items of the file of one item.
    func read(_ format: String, _ file: BinaryReference, item: Int) async throws -> [Item] {
        let bytes = try await step.services.readBinary(file)
        let hasHeader = try await step.value("options.headerRow", item: item) != .bool(false)
        let found: [JSONObject]
        if format == "csv" {
            found = try await csv(bytes, hasHeader: hasHeader, item: item)
        } else {
            guard Self.readable.contains(format) else {
                throw StepFailure.invalid("operation", "Files of the format '\(format)' cannot be read.", item: item)
            }
            let isRaw = try await step.flag("options.rawData", item: item)
            let options = SheetRows.Options(
                hasHeader: hasHeader, includesEmpty: try await step.flag("options.includeEmptyCells", item: item), isRaw: isRaw,
                range: try await step.parameter("options.range", item: item)?.displayText ?? "")
            let sheet = try await step.rawOption("sheetName") == nil ? "" : step.text("options.sheetName", item: item)
            let answer = try await step.convert(
                FileConversion(
                    .readSheet, settings: ["format": .string(format), "sheet": .string(sheet), "raw": .bool(isRaw)], files: [.init(bytes: bytes)]),
                item: item)
            let rows = (answer.facts["rows"]?.array ?? []).map { $0.array ?? [] }
            let first = (row: answer.facts["first_row"]?.integer ?? 0, column: answer.facts["first_column"]?.integer ?? 0)
            found = try SheetRows.items(rows, first: first, options)
        }
        return found.map { Item(json: $0) }
    }

    private func csv(_ bytes: [UInt8], hasHeader: Bool, item: Int) async throws -> [JSONObject] {
        let text = try TextEncoding.decode(bytes, await step.text("options.encoding", item: item, default: "utf-8"))
        var options = CSVText.Options()
        options.delimiter = try await step.text("options.delimiter", item: item, default: ",")
        options.firstLine = (try await step.number("options.fromLine", item: item) ?? 1).whole(in: 1...Int(Int32.max)) ?? 1
        let most = try await step.number("options.maxRowCount", item: item) ?? -1
        if most > -1 { options.recordsMaximum = (most.whole(in: 0...Int(Int32.max)) ?? 0) + (hasHeader ? 1 : 0) }
        options.relaxesQuotes = try await step.flag("options.relaxQuotes", item: item)
        options.skipsFaults = try await step.flag("options.skipRecordsWithErrors.value.enabled", item: item)
        let includesEmpty = try await step.flag("options.includeEmptyCells", item: item)
        let read: (records: [[String]], skipped: Int)
        do { read = try CSVText.records(text, options) } catch let fault as CSVText.Fault {
            throw StepFailure("unreadable_file", fault.message, itemIndex: item, isRetryable: false)
        }
        let mostSkipped = try await step.number("options.skipRecordsWithErrors.value.maxSkippedRecords", item: item) ?? -1
        if options.skipsFaults, mostSkipped > 0, Double(read.skipped) > mostSkipped {
            throw StepFailure("unreadable_file", "Max number of skipped records exceeded", itemIndex: item, isRetryable: false)
        }
        var records = read.records
        guard hasHeader else {
            return records.map { record in
                if includesEmpty { return ["row": .array(record.map { .string($0) })] }
                let kept = record.enumerated().filter { !$1.isEmpty }.map { ("\($0)", JSON.string($1)) }
                return ["row": .object(JSONObject(kept))]
            }
        }
        guard !records.isEmpty else { return [] }
        let names = records.removeFirst()
        return records.map { record in
            JSONObject(zip(names, record).filter { includesEmpty || !$1.isEmpty }.map { ($0, .string($1)) })
        }
    }

    /// One file of all items.
    func write(_ format: String, named fallback: String) async throws -> BinaryReference {
        let rows = SheetRows.rows(of: step.items, hasHeader: try await step.value("options.headerRow") != .bool(false))
        let bytes: [UInt8]
        switch format {
        case "csv": bytes = CSVText.write(rows, delimiter: try await step.text("options.delimiter", default: ","))
        case "html": bytes = SheetRows.html(rows)
        case "xlsx", "ods":
            let settings: JSONObject = [
                "format": .string(format), "rows": .array(rows.map { .array($0) }),
                "sheet": .string(try await step.text("options.sheetName", default: "Sheet")),
                "compressed": .bool(try await step.flag("options.compression"))
            ]
            bytes = try await step.convert(FileConversion(.writeSheet, settings: settings)).files.first?.bytes ?? []
        default: throw StepFailure.invalid("operation", "Files of the format '\(format)' cannot be written.")
        }
        let name = try await step.text("options.fileName", default: "")
        return try await step.store(bytes, name: name.isEmpty ? "\(fallback).\(format)" : name, type: FileTypes.type(ofName: "x.\(format)"))
    }
}

extension StepContext {
    /// An option as it is written, nil where it is left out.
    func rawOption(_ name: String) -> JSON? { node.config["options"]?[name] }
}
