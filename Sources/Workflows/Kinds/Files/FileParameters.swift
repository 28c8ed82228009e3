internal import Kernel

/// Parameters that several file kinds have.
enum FileParameters {
    static func file(_ label: String = "File field", when showWhen: Parameter.ShowWhen) -> Parameter {
        Parameter("binaryPropertyName", .string, label, default: "data", required: true, showWhen: showWhen)
    }

    static let encoding = Parameter("encoding", .string, "Encoding", default: "utf8")
    static let addsMark = Parameter("addBOM", .boolean, "Add a byte order mark", default: false)
    static let fileName = Parameter("fileName", .string, "File name")
    static let keepSource = Parameter(
        "keepSource", .options, "Keep from the input", default: "json",
        options: [.init("json", "JSON"), .init("binary", "Files"), .init("both", "Both")])

    static let readingSheets: [Parameter] = [
        Parameter("delimiter", .string, "Delimiter", default: ","),
        Parameter("encoding", .string, "Encoding", default: "utf-8"),
        Parameter("enableBOM", .boolean, "Exclude the byte order mark", default: false),
        Parameter("relaxQuotes", .boolean, "Preserve quotes", default: false),
        Parameter("headerRow", .boolean, "Header row", default: true),
        Parameter("includeEmptyCells", .boolean, "Include empty cells", default: false),
        Parameter("maxRowCount", .number, "Most rows", default: -1),
        Parameter("range", .string, "Range", help: "A1:C10, or the number of the first row.", default: ""),
        Parameter("rawData", .boolean, "Raw data", default: false),
        Parameter("readAsString", .boolean, "Read as string", default: false),
        Parameter("sheetName", .string, "Sheet", default: "Sheet"),
        Parameter("fromLine", .number, "First line", default: 0),
        Parameter(
            "skipRecordsWithErrors", .collection, "Skip records with errors",
            fields: [
                Parameter(
                    "value", .collection, "Value",
                    fields: [
                        Parameter("enabled", .boolean, "Enabled", default: false),
                        Parameter("maxSkippedRecords", .number, "Most records", default: -1)
                    ])
            ])
    ]

    static let writingSheets: [Parameter] = [
        Parameter("compression", .boolean, "Compression", default: false), fileName,
        Parameter("delimiter", .string, "Delimiter", default: ","),
        Parameter("headerRow", .boolean, "Header row", default: true),
        Parameter("sheetName", .string, "Sheet", default: "Sheet")
    ]

    static let readingPDF: [Parameter] = [
        Parameter("password", .string, "Password", default: ""),
        Parameter("joinPages", .boolean, "Join pages", default: true),
        Parameter("maxPages", .number, "Most pages", default: 0), keepSource
    ]

    static func options(_ fields: [Parameter], when showWhen: Parameter.ShowWhen) -> Parameter {
        Parameter("options", .collection, "Options", default: .init([:]), fields: fields, showWhen: showWhen)
    }
}
