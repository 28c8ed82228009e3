internal import Kernel

/// Reads the tables of a page; the sheets are called `Sheet1`, `Sheet2`, ….
enum HTMLTables {
    static func read(_ bytes: [UInt8], sheet wanted: String?, isRaw: Bool) throws -> JSONObject {
        let tables = try XMLTree(html: bytes).root?.descendants("table") ?? []
        guard !tables.isEmpty else { throw Fault("no_sheet", "Invalid HTML: could not find <table>") }
        let names = (1...tables.count).map { "Sheet\($0)" }
        let chosen = try SheetGrid.choose(wanted, among: names)
        var grid = SheetGrid()
        /// Columns that a cell above reaches down into, by row.
        var taken: [Int: Set<Int>] = [:]
        for (row, element) in rows(of: tables[names.firstIndex(of: chosen) ?? 0]).enumerated() {
            var column = 0
            for cell in element.children where cell.name == "td" || cell.name == "th" {
                while taken[row]?.contains(column) ?? false { column += 1 }
                try grid.set(value(cell, isRaw: isRaw), row: row, column: column)
                let width = span(cell, "colspan")
                for below in 1..<max(2, span(cell, "rowspan")) where span(cell, "rowspan") > 1 {
                    taken[row + below, default: []].formUnion(column..<(column + width))
                }
                column += width
            }
        }
        return try grid.answer(sheets: names, sheet: chosen)
    }

    private static func rows(of table: XMLElement) -> [XMLElement] {
        table.children.flatMap { child -> [XMLElement] in
            switch child.name {
            case "tr": [child]
            case "thead", "tbody", "tfoot": child.children("tr")
            default: []
            }
        }
    }

    private static func span(_ cell: XMLElement, _ name: String) -> Int { max(1, min(cell.attribute(name).flatMap { Int($0) } ?? 1, 1_000)) }

    /// A text that looks like a number or a truth value is one, unless the raw text is asked for.
    private static func value(_ cell: XMLElement, isRaw: Bool) -> JSON {
        let text = cell.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if text.isEmpty { return .null }
        if isRaw || cell.attribute("t") == "s" { return .string(text) }
        switch text {
        case "TRUE": return .bool(true)
        case "FALSE": return .bool(false)
        default: break
        }
        let isPlain =
            text.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) } && text.utf8.contains { (48...57).contains($0) }
        if isPlain, let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }
}
