internal import Kernel

/// The used cells of a sheet: `null`, a boolean, a number, a text, or `{v, w}` for a number that is shown as a date.
struct SheetGrid {
    static let cellsMaximum = 2_000_000
    static let columnsMaximum = 16_384
    static let rowsMaximum = 1_048_576

    private var cells: [Int: [Int: JSON]] = [:]
    private var count = 0

    mutating func set(_ value: JSON, row: Int, column: Int) throws {
        guard !value.isNull else { return }
        guard row < SheetGrid.rowsMaximum, column < SheetGrid.columnsMaximum else { return }
        count += 1
        guard count <= SheetGrid.cellsMaximum else { throw Fault("file_too_large", "the sheet has more than \(SheetGrid.cellsMaximum) cells") }
        cells[row, default: [:]][column] = value
    }

    /// `{sheets, sheet, first_row, first_column, rows}`: the smallest rectangle around all cells, rows filled up with nulls.
    func answer(sheets: [String], sheet: String) throws -> JSONObject {
        var head: JSONObject = ["sheets": .array(sheets.map { .string($0) }), "sheet": .string(sheet)]
        guard let top = cells.keys.min(), let bottom = cells.keys.max() else {
            head["rows"] = []
            return head
        }
        let left = cells.values.compactMap { $0.keys.min() }.min() ?? 0
        let right = cells.values.compactMap { $0.keys.max() }.max() ?? 0
        guard (bottom - top + 1) * (right - left + 1) <= 4 * SheetGrid.cellsMaximum else {
            throw Fault("file_too_large", "the cells of the sheet lie too far apart")
        }
        head["first_row"] = .number(Double(top))
        head["first_column"] = .number(Double(left))
        head["rows"] = .array(
            (top...bottom).map { row in
                let known = cells[row] ?? [:]
                return .array((left...right).map { known[$0] ?? .null })
            })
        return head
    }

    /// The sheet that is asked for, or the first.
    static func choose(_ wanted: String?, among sheets: [String]) throws -> String {
        guard let first = sheets.first else { throw Fault("no_sheet", "Spreadsheet does not have any sheets!") }
        guard let wanted else { return first }
        guard sheets.contains(wanted) else { throw Fault("no_sheet", "Spreadsheet does not contain sheet called \"\(wanted)\"!") }
        return wanted
    }

    /// The column of `AB12`, and its row where it has one, both from 0.
    static func place(_ reference: String) -> (row: Int?, column: Int)? {
        var column = 0
        var row = 0
        var hasRow = false
        for byte in reference.utf8 {
            switch byte {
            case 65...90 where !hasRow: column = column * 26 + Int(byte) - 64
            case 48...57:
                hasRow = true
                row = row * 10 + Int(byte) - 48
            default: return nil
            }
            guard column <= columnsMaximum, row <= rowsMaximum else { return nil }
        }
        return column == 0 ? nil : (hasRow ? row - 1 : nil, column - 1)
    }

    static func reference(row: Int, column: Int) -> String {
        var name = ""
        var rest = column + 1
        while rest > 0 {
            name = String(UnicodeScalar(UInt8(65 + (rest - 1) % 26))) + name
            rest = (rest - 1) / 26
        }
        return name + String(row + 1)
    }
}

/// Text inside XML.
func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "\t", "\n", "\r": out.unicodeScalars.append(scalar)
        // XML 1.0 has no other control characters.
        default: if scalar.value >= 32 { out.unicodeScalars.append(scalar) }
        }
    }
    return out
}
