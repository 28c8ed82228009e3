internal import Kernel

/// Between items and the rows of a sheet, as n8n's spreadsheet library does it.
enum SheetRows {
    // MARK: Items to rows

    /// One column for each member of the flattened items, in the order they first appear.
    static func rows(of items: [Item], hasHeader: Bool) -> [[JSON]] {
        let flat = items.map { flattened($0.json) }
        var columns: [String] = []
        var known: Set<String> = []
        for item in flat { for key in item.keys where known.insert(key).inserted { columns.append(key) } }
        let body = flat.map { item in columns.map { item[$0] ?? .null } }
        return hasHeader ? [columns.map { .string($0) }] + body : body
    }

    /// `{a: {b: 1}, c: [2]}` → `{a.b: 1, c.0: 2}`
    static func flattened(_ object: JSONObject) -> JSONObject {
        var out = JSONObject()
        func add(_ value: JSON, _ path: String) {
            switch value {
            case .object(let members): for (key, member) in members { add(member, path.isEmpty ? key : "\(path).\(key)") }
            case .array(let elements): for (index, element) in elements.enumerated() { add(element, path.isEmpty ? "\(index)" : "\(path).\(index)") }
            default: out[path] = value
            }
        }
        for (key, value) in object { add(value, key) }
        return out
    }

    static func html(_ rows: [[JSON]]) -> [UInt8] {
        var out = "<html><head><meta charset=\"utf-8\"/><title>Table</title></head><body><table>"
        for row in rows {
            out += "<tr>"
            for cell in row {
                switch cell {
                case .null: out += "<td></td>"
                case .bool(let flag): out += "<td data-t=\"b\" data-v=\"\(flag)\">\(flag ? "TRUE" : "FALSE")</td>"
                case .number: out += "<td data-t=\"n\" data-v=\"\(cell.displayText)\">\(cell.displayText)</td>"
                default: out += "<td data-t=\"s\">\(escaped(cell.displayText))</td>"
                }
            }
            out += "</tr>"
        }
        return Array((out + "</table></body></html>").utf8)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("\n", with: "<br/>")
    }

    // MARK: Rows to items

    struct Options: Sendable {
        var hasHeader = true
        var includesEmpty = false
        /// Numbers that are shown as dates stay numbers.
        var isRaw = false
        /// `A2:C10`, `B:D`, or the number of the first row, from 0.
        var range = ""
    }

    /// - Parameters:
    ///   - rows: of the sheet's used rectangle, which begins at `first`.
    static func items(_ rows: [[JSON]], first: (row: Int, column: Int), _ options: Options) throws -> [JSONObject] {
        var chosen = try cut(rows, first: first, range: options.range).map { row in row.map { plain($0, isRaw: options.isRaw) } }
        guard options.hasHeader else {
            // Rows without values stand as empty lists: what is between is not lost.
            return chosen.map { row in
                var cells = row.map { $0.isNull && options.includesEmpty ? "" : $0 }
                if !options.includesEmpty { while cells.last?.isNull == true { cells.removeLast() } }
                return ["row": .array(cells)]
            }
        }
        guard !chosen.isEmpty else { return [] }
        let names = header(chosen.removeFirst())
        return chosen.compactMap { row in
            guard row.contains(where: { !$0.isNull }) else { return nil }
            var item = JSONObject()
            for (index, name) in names.enumerated() {
                let cell = row.indices.contains(index) ? row[index] : .null
                if !cell.isNull { item[name] = cell } else if options.includesEmpty { item[name] = "" }
            }
            return item
        }
    }

    /// The names of columns: a blank one is `__EMPTY`, a repeated one is numbered.
    private static func header(_ row: [JSON]) -> [String] {
        var counts: [String: Int] = [:]
        return row.map { cell in
            let name = cell.isNull ? "__EMPTY" : { if case .bool(let flag) = cell { flag ? "TRUE" : "FALSE" } else { cell.displayText } }()
            let seen = counts[name] ?? 0
            counts[name] = seen + 1
            return seen == 0 ? name : "\(name)_\(seen)"
        }
    }

    private static func plain(_ cell: JSON, isRaw: Bool) -> JSON {
        guard case .object(let shown) = cell else { return cell }
        return (isRaw ? shown["v"] : shown["w"]) ?? .null
    }

    private static func cut(_ rows: [[JSON]], first: (row: Int, column: Int), range: String) throws -> [[JSON]] {
        let range = range.filter { !$0.isWhitespace && $0 != "$" }
        guard !range.isEmpty, !rows.isEmpty else { return rows }
        if let start = Int(range) { return Array(rows.dropFirst(max(0, max(0, start) - first.row))) }
        let ends = range.split(separator: ":", maxSplits: 1).map(String.init)
        guard let from = ends.first.flatMap(place), let to = ends.last.flatMap(place) else {
            throw StepFailure.invalid("options.range", "'\(range)' is no range of cells; an example is A1:C10.")
        }
        let top = from.row ?? first.row
        let bottom = to.row ?? first.row + rows.count - 1
        let (left, right) = (from.column ?? first.column, to.column ?? first.column + rows[0].count - 1)
        guard top <= bottom, left <= right, bottom - top <= KindLimits.itemsPerStep, right - left <= 16_384 else { return [] }
        return (top...bottom).map { row in
            (left...right).map { column in
                let (row, column) = (row - first.row, column - first.column)
                return rows.indices.contains(row) && rows[row].indices.contains(column) ? rows[row][column] : .null
            }
        }
    }

    /// `B3` → (2, 1); `B` and `3` leave the other open.
    private static func place(_ text: String) -> (row: Int?, column: Int?)? {
        let letters = text.uppercased().prefix { $0.isLetter }
        let digits = text.dropFirst(letters.count)
        guard letters.count <= 3, digits.count <= 7, letters.utf8.allSatisfy({ (65...90).contains($0) }) else { return nil }
        let column = letters.isEmpty ? nil : letters.utf8.reduce(0) { $0 * 26 + Int($1) - 64 } - 1
        guard digits.isEmpty || (Int(digits) ?? 0) > 0, column != nil || !digits.isEmpty else { return nil }
        return (Int(digits).map { $0 - 1 }, column)
    }
}
