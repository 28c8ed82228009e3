internal import Kernel

/// Reads a sheet of an Office Open XML workbook (ECMA-376, part 1, 18).
struct XLSXReader {
    private let archive: ZipReader

    init(_ archive: ZipReader) { self.archive = archive }

    func read(sheet wanted: String?) throws -> JSONObject {
        let workbookPath = try relations("_rels/.rels", beside: "").values.first { $0.type.hasSuffix("/officeDocument") }?.target ?? "xl/workbook.xml"
        guard let workbook = try part(workbookPath) else { throw Fault("unreadable_file", "the file is no Excel workbook") }
        let folder = workbookPath.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        let file = workbookPath.split(separator: "/").last.map(String.init) ?? ""
        let relations = try relations("\(folder)_rels/\(file).rels", beside: folder)
        let sheets = workbook.child("sheets")?.children("sheet") ?? []
        let names = sheets.map { $0.attribute("name") ?? "" }
        let chosen = try SheetGrid.choose(wanted, among: names)
        let id = sheets[names.firstIndex(of: chosen) ?? 0].attributes.first { $0.name == "id" && !$0.prefix.isEmpty }?.value ?? ""
        guard let path = relations[id]?.target, let sheet = try part(path) else { throw Fault("unreadable_file", "the sheet '\(chosen)' is missing") }
        let strings = try sharedStrings(relations)
        let formats = try dateFormats(relations)
        let since1904 = ["1", "true"].contains(workbook.child("workbookPr")?.attribute("date1904") ?? "")
        var grid = SheetGrid()
        var row = -1
        for element in sheet.child("sheetData")?.children("row") ?? [] {
            row = element.attribute("r").flatMap { Int($0) }.map { $0 - 1 } ?? row + 1
            var column = -1
            for cell in element.children("c") {
                column = cell.attribute("r").flatMap { SheetGrid.place($0) }?.column ?? column + 1
                let style = cell.attribute("s").flatMap { Int($0) } ?? 0
                let format = formats.indices.contains(style) ? formats[style] : nil
                try grid.set(value(cell, strings: strings, format: format, since1904: since1904), row: row, column: column)
            }
        }
        return try grid.answer(sheets: names, sheet: chosen)
    }

    private func value(_ cell: XMLElement, strings: [String], format: DateFormat?, since1904: Bool) -> JSON {
        let written = cell.child("v")?.text ?? ""
        switch cell.attribute("t") ?? "n" {
        case "s": return Int(written).flatMap { strings.indices.contains($0) ? .string(strings[$0]) : nil } ?? .null
        case "str", "e", "d": return written.isEmpty ? .null : .string(written)
        case "inlineStr": return cell.child("is").map { .string(XLSXReader.text(of: $0)) } ?? .null
        case "b": return written.isEmpty ? .null : .bool(written == "1" || written == "true")
        default:
            guard let number = Double(written), number.isFinite else { return .null }
            guard let format else { return .number(number) }
            return ["v": .number(number), "w": .string(format.text(number, since1904: since1904))]
        }
    }

    private func sharedStrings(_ relations: [String: Relation]) throws -> [String] {
        guard let path = relations.values.first(where: { $0.type.hasSuffix("/sharedStrings") })?.target, let table = try part(path) else { return [] }
        return table.children("si").map(XLSXReader.text)
    }

    /// By index of a cell's style; nil where numbers are shown as numbers.
    private func dateFormats(_ relations: [String: Relation]) throws -> [DateFormat?] {
        guard let path = relations.values.first(where: { $0.type.hasSuffix("/styles") })?.target, let styles = try part(path) else { return [] }
        var codes: [Int: String] = [:]
        for format in styles.child("numFmts")?.children("numFmt") ?? [] {
            if let id = format.attribute("numFmtId").flatMap({ Int($0) }) { codes[id] = format.attribute("formatCode") }
        }
        return (styles.child("cellXfs")?.children("xf") ?? []).map { style in
            let id = style.attribute("numFmtId").flatMap { Int($0) } ?? 0
            return DateFormat(id: id, code: codes[id])
        }
    }

    /// Text in runs, without the readings of East Asian words.
    private static func text(of element: XMLElement) -> String {
        element.children.map { child in
            switch child.name {
            case "t": child.text
            case "r": child.children("t").map(\.text).joined()
            default: ""
            }
        }.joined()
    }

    private struct Relation {
        var type: String
        var target: String
    }

    private func relations(_ path: String, beside folder: String) throws -> [String: Relation] {
        var found: [String: Relation] = [:]
        for relation in try part(path)?.children("Relationship") ?? [] {
            guard let id = relation.attribute("Id"), let target = relation.attribute("Target") else { continue }
            let whole = target.hasPrefix("/") ? String(target.dropFirst()) : folder + target
            found[id] = Relation(type: relation.attribute("Type") ?? "", target: whole)
        }
        return found
    }

    private func part(_ path: String) throws -> XMLElement? { try archive.read(path).flatMap { try XMLTree(xml: $0).root } }
}
