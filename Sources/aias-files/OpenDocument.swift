internal import Kernel

/// Reads a sheet of an OpenDocument spreadsheet (ISO/IEC 26300).
enum ODSReader {
    static func read(_ archive: ZipReader, sheet wanted: String?) throws -> JSONObject {
        guard let content = try archive.read("content.xml"), let root = try XMLTree(xml: content).root,
            let spreadsheet = root.child("body")?.child("spreadsheet")
        else { throw Fault("unreadable_file", "the file is no OpenDocument spreadsheet") }
        let tables = spreadsheet.children("table")
        let names = tables.map { $0.attribute("name") ?? "" }
        let chosen = try SheetGrid.choose(wanted, among: names)
        var grid = SheetGrid()
        try fill(&grid, rows(of: tables[names.firstIndex(of: chosen) ?? 0]))
        return try grid.answer(sheets: names, sheet: chosen)
    }

    /// Rows may stand in groups and headers.
    private static func rows(of element: XMLElement) -> [XMLElement] {
        element.children.flatMap { child -> [XMLElement] in
            switch child.name {
            case "table-row": [child]
            case "table-row-group", "table-header-rows", "table-rows": rows(of: child)
            default: []
            }
        }
    }

    private static func fill(_ grid: inout SheetGrid, _ rows: [XMLElement]) throws {
        var row = 0
        for element in rows {
            let cells = try self.cells(of: element)
            let repeats = count(element, "number-rows-repeated", SheetGrid.rowsMaximum)
            // A row without values is often repeated to the sheet's end.
            if !cells.isEmpty {
                for offset in 0..<repeats { for (column, value) in cells { try grid.set(value, row: row + offset, column: column) } }
            }
            row += repeats
        }
    }

    private static func cells(of row: XMLElement) throws -> [(Int, JSON)] {
        var found: [(Int, JSON)] = []
        var column = 0
        for cell in row.children where cell.name == "table-cell" || cell.name == "covered-table-cell" {
            let value = value(of: cell)
            let repeats = count(cell, "number-columns-repeated", SheetGrid.columnsMaximum)
            if !value.isNull { for offset in 0..<repeats { found.append((column + offset, value)) } }
            column += repeats
        }
        return found
    }

    private static func count(_ element: XMLElement, _ name: String, _ maximum: Int) -> Int {
        max(1, min(element.attribute(name).flatMap { Int($0) } ?? 1, maximum))
    }

    private static func value(of cell: XMLElement) -> JSON {
        let attributes = cell.attributes
        func office(_ name: String) -> String? { attributes.first { $0.name == name && $0.prefix == "office" }?.value }
        let shown = cell.children("p").map(\.text).joined(separator: "\n")
        switch office("value-type") {
        case "float", "percentage", "currency": return office("value").flatMap { Double($0) }.map { .number($0) } ?? .null
        case "boolean": return office("boolean-value").map { .bool($0 == "true") } ?? .null
        case "date", "time":
            let written = shown.isEmpty ? office("date-value") ?? office("time-value") ?? "" : shown
            return written.isEmpty ? .null : .string(written)
        default: return shown.isEmpty ? office("string-value").map { .string($0) } ?? .null : .string(shown)
        }
    }
}

enum ODSWriter {
    private static let type = "application/vnd.oasis.opendocument.spreadsheet"
    private static let names = "urn:oasis:names:tc:opendocument:xmlns"

    static func write(_ rows: [[JSON]], sheet: String, isCompressed: Bool) throws -> [UInt8] {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        let manifest = """
            <manifest:manifest xmlns:manifest="\(names):manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" \
            manifest:media-type="\(type)"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>
            """
        let body = rows.map { "<table:table-row>\($0.map(cell).joined())</table:table-row>" }.joined()
        let content = """
            <office:document-content xmlns:office="\(names):office:1.0" xmlns:table="\(names):table:1.0" xmlns:text="\(names):text:1.0" \
            office:version="1.2"><office:body><office:spreadsheet><table:table table:name="\(escaped(sheet))">\(body)</table:table>\
            </office:spreadsheet></office:body></office:document-content>
            """
        // The type stands first and unpacked, so that the file can be told by its first bytes.
        return try ZipWriter.archive([
            ZipWriter.Entry(name: "mimetype", bytes: Array(type.utf8), isStored: true),
            ZipWriter.Entry(name: "META-INF/manifest.xml", bytes: Array((head + manifest).utf8), isStored: !isCompressed),
            ZipWriter.Entry(name: "content.xml", bytes: Array((head + content).utf8), isStored: !isCompressed)
        ])
    }

    private static func cell(_ value: JSON) -> String {
        func cell(_ type: String, _ attributes: String, _ text: String) -> String {
            "<table:table-cell office:value-type=\"\(type)\"\(attributes)><text:p>\(escaped(text))</text:p></table:table-cell>"
        }
        switch value {
        case .number(let number) where number.isFinite:
            let text = value.serialized
            return cell("float", " office:value=\"\(text)\"", text)
        case .bool(let flag): return cell("boolean", " office:boolean-value=\"\(flag)\"", flag ? "TRUE" : "FALSE")
        case .string(let text): return cell("string", "", text)
        default: return "<table:table-cell/>"
        }
    }
}
