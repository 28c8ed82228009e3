internal import Kernel
internal import Scripting

/// Answers a SELECT over the inputs, which are the tables `input1`, `input2`, …: an item is a row, its fields are the columns. The query runs in the
/// walled converter, in a database of its own.
struct MergeBySQL: Sendable {
    /// Of all items together, as JSON.
    static let inputBytesMaximum = 64 << 20
    static let outputBytesMaximum = 64 << 20
    /// Above this many, rows that cannot be traced have no lineage rather than that of all items.
    static let lineageMaximum = 100_000

    private let step: StepContext
    private let inputs: [[Item]]

    init(_ step: StepContext, _ inputs: [[Item]]) {
        self.step = step
        self.inputs = inputs
    }

    func items() async throws -> [Item] {
        // The editor of n8n writes expressions into the query without the mark of one.
        let written = (try await step.rawQuery()).drop { $0 == "=" }
        let query = try await TemplateText(String(written)).resolved(step, item: 0).displayText
        let answer = try await ask(query)
        let rows = answer["rows"]?.array ?? []
        if rows.isEmpty, try await answersNothing() { return [Item(json: ["success": true], pairedItem: everything(rowCount: 1))] }
        let lineage = answer["lineage"]?.array
        let all = lineage == nil ? everything(rowCount: rows.count) : nil
        return rows.enumerated().map { index, row in
            let places = lineage.map { $0.indices.contains(index) ? pairs($0[index]) : [] }
            return Item(json: row.object ?? [:], pairedItem: places ?? all)
        }
    }

    private func ask(_ query: String) async throws -> JSONObject {
        var files: [FileConversion.File] = []
        var byteCount = 0
        for (index, items) in inputs.enumerated() {
            let bytes = JSON.array(items.map { .object($0.json) }).bytes
            byteCount += bytes.count
            guard byteCount <= Self.inputBytesMaximum else {
                throw StepFailure(
                    "sql", "The inputs are larger than the \(Self.inputBytesMaximum >> 20) MB that a query may read; keep only the fields it needs.",
                    isRetryable: false)
            }
            files.append(.init(name: "input\(index + 1)", bytes: bytes))
        }
        let settings: JSONObject = [
            "query": .string(query), "maximum_rows": .number(Double(KindLimits.itemsPerStep)),
            "result_bytes": .number(Double(Self.outputBytesMaximum))
        ]
        let conversion = FileConversion(.querySQL, settings: settings, files: files).of(step.tenant)
        do { return try await step.services.facilities.convert(conversion).facts } catch let error as FileConversionError {
            switch error.code {
            case "sql": throw StepFailure.invalid("query", error.message)
            case "unavailable": throw StepFailure(error.code, error.message, isRetryable: true)
            default: throw StepFailure("sql", "The query takes more memory or time than it may: bring fewer items or fields.", isRetryable: false)
            }
        }
    }

    /// What n8n gives where a query finds nothing: before version 3.2 an item that says so.
    private func answersNothing() async throws -> Bool {
        if step.version < 3.2 { return true }
        return try await step.parameter("options.emptyQueryResult", item: 0) == "success"
    }

    private func pairs(_ places: JSON) -> [PairedItem] {
        (places.array ?? []).compactMap { place in
            guard let input = place[0]?.integer, let item = place[1]?.integer, inputs.indices.contains(input), inputs[input].indices.contains(item)
            else { return nil }
            return PairedItem(item: item, input: input)
        }
    }

    private func everything(rowCount: Int) -> [PairedItem]? {
        guard rowCount * inputs.reduce(0, { $0 + $1.count }) <= Self.lineageMaximum else { return nil }
        return inputs.enumerated().flatMap { input, items in items.indices.map { PairedItem(item: $0, input: input) } }
    }
}

extension StepContext {
    fileprivate func rawQuery() async throws -> String {
        if let written = rawParameter("query")?.text { return written }
        return try await text("query")
    }
}
