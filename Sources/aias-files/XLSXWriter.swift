internal import Kernel

/// Writes a workbook with one sheet: numbers, booleans, and texts in their cells.
enum XLSXWriter {
    private static let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
    private static let package = "http://schemas.openxmlformats.org/package/2006"
    private static let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    private static let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    private static let types = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    static func write(_ rows: [[JSON]], sheet: String, isCompressed: Bool) throws -> [UInt8] {
        let parts: [(String, String)] = [
            (
                "[Content_Types].xml",
                """
                <Types xmlns="\(package)/content-types"><Default Extension="rels" \
                ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>\
                <Override PartName="/xl/workbook.xml" ContentType="\(types).sheet.main+xml"/>\
                <Override PartName="/xl/worksheets/sheet1.xml" ContentType="\(types).worksheet+xml"/>\
                <Override PartName="/xl/styles.xml" ContentType="\(types).styles+xml"/></Types>
                """
            ),
            ("_rels/.rels", relations([("officeDocument", "xl/workbook.xml")])),
            (
                "xl/workbook.xml",
                """
                <workbook xmlns="\(main)" xmlns:r="\(office)"><sheets><sheet name="\(escaped(sheetName(sheet)))" sheetId="1" r:id="rId1"/></sheets>\
                </workbook>
                """
            ),
            ("xl/_rels/workbook.xml.rels", relations([("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")])),
            (
                "xl/styles.xml",
                """
                <styleSheet xmlns="\(main)"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill>\
                <patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>\
                <cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf xfId="0"/></cellXfs></styleSheet>
                """
            ),
            ("xl/worksheets/sheet1.xml", worksheet(rows))
        ]
        return try ZipWriter.archive(parts.map { ZipWriter.Entry(name: $0.0, bytes: Array((head + $0.1).utf8), isStored: !isCompressed) })
    }

    /// Excel's rules for names: 31 characters, none of `\ / ? * [ ] :`.
    private static func sheetName(_ name: String) -> String {
        let kept = name.filter { !"\\/?*[]:".contains($0) }.prefix(31)
        return kept.isEmpty ? "Sheet" : String(kept)
    }

    private static func relations(_ list: [(type: String, target: String)]) -> String {
        let entries = list.enumerated().map { index, entry in
            "<Relationship Id=\"rId\(index + 1)\" Type=\"\(office)/\(entry.type)\" Target=\"\(entry.target)\"/>"
        }
        return "<Relationships xmlns=\"\(package)/relationships\">\(entries.joined())</Relationships>"
    }

    private static func worksheet(_ rows: [[JSON]]) -> String {
        var out = "<worksheet xmlns=\"\(main)\"><sheetData>"
        for (row, cells) in rows.enumerated() {
            out += "<row r=\"\(row + 1)\">"
            for (column, cell) in cells.enumerated() { out += self.cell(cell, SheetGrid.reference(row: row, column: column)) }
            out += "</row>"
        }
        return out + "</sheetData></worksheet>"
    }

    private static func cell(_ value: JSON, _ reference: String) -> String {
        switch value {
        case .null, .array, .object: ""
        case .bool(let value): "<c r=\"\(reference)\" t=\"b\"><v>\(value ? 1 : 0)</v></c>"
        case .number(let value): value.isFinite ? "<c r=\"\(reference)\"><v>\(JSON.number(value).serialized)</v></c>" : ""
        case .string(let text): "<c r=\"\(reference)\" t=\"inlineStr\"><is><t xml:space=\"preserve\">\(escaped(text))</t></is></c>"
        }
    }
}
