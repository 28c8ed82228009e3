import Foundation
import Kernel
import Outbound
import Scripting
import Testing

@testable import Workflows

@Suite struct KindsFileTests {
    let harness = KindsHarness()

    /// The file that a node makes of these items.
    func made(_ kind: String, _ version: Double, _ config: JSONObject, _ items: [Item]) async throws -> Item {
        try await harness.items(.make(kind, version, config), inputs: [items])[0][0]
    }

    func made(_ kind: String, _ config: JSONObject, _ items: [Item]) async throws -> Item { try await made(kind, 1.1, config, items) }

    func text(_ item: Item, _ name: String = "data") -> String { String(decoding: harness.files.read(item.binary[name]?.id ?? ""), as: UTF8.self) }

    func extracted(_ config: JSONObject, _ item: Item) async throws -> [Item] {
        try await harness.items(.make("extract_from_file", 1.1, config), inputs: [[item]])[0]
    }

    func json(_ items: [Item]) -> [JSON] { items.map { .object($0.json) } }

    func file(_ text: String, name: String? = nil, type: String = "text/plain") -> Item { file(Array(text.utf8), name: name, type: type) }

    func file(_ bytes: [UInt8], name: String? = nil, type: String = "application/octet-stream") -> Item {
        var file = BinaryReference(id: harness.files.write(bytes), mimeType: type, fileName: name, byteCount: bytes.count)
        file.fileExtension = name.flatMap(FileTypes.ending(ofName:))
        return Item(json: ["kept": 1], binary: ["data": file])
    }

    @Test func `items become a CSV file and come back`() async throws {
        let given = items(["id": 1, "name": "Ann, \"A\"", "address": ["city": "Bern"], "tags": ["x", "y"]], ["id": 2, "ok": true, "name": nil])
        let csv = try await made("convert_to_file", [:], given)
        #expect(text(csv) == "\u{FEFF}id,name,address.city,tags.0,tags.1,ok\n1,\"Ann, \"\"A\"\"\",Bern,x,y,\n2,,,,,TRUE")
        #expect(csv.binary["data"]?.fileName == "File.csv" && csv.binary["data"]?.mimeType == "text/csv" && csv.pairedItem?.count == 2)
        let back = json(try await extracted([:], csv))
        #expect(back == [["id": "1", "name": "Ann, \"A\"", "address.city": "Bern", "tags.0": "x", "tags.1": "y"], ["id": "2", "ok": "TRUE"]])
        let all = json(try await extracted(["options": ["includeEmptyCells": true]], csv))
        #expect(all[1]["name"] == "" && all[1].object?.count == 6)
        let bare = try await made(
            "convert_to_file", ["options": ["headerRow": false, "delimiter": ";", "fileName": "x.csv"]], items(["a": 1, "b": "c;d"]))
        #expect(text(bare) == "\u{FEFF}1;\"c;d\"" && bare.binary["data"]?.fileName == "x.csv")
    }

    @Test func `CSV files are read as their options say`() async throws {
        let source = file("a;b\r\n1;\"x\ny\"\r\n2;\r\n3;z", name: "t.csv")
        let rows = json(try await extracted(["options": ["delimiter": ";"]], source))
        #expect(rows == [["a": "1", "b": "x\ny"], ["a": "2"], ["a": "3", "b": "z"]])
        #expect(json(try await extracted(["options": ["delimiter": ";", "maxRowCount": 1]], source)) == [["a": "1", "b": "x\ny"]])
        let raw = json(try await extracted(["options": ["delimiter": ";", "headerRow": false, "fromLine": 4]], source))
        #expect(raw == [["row": ["0": "2"]], ["row": ["0": "3", "1": "z"]]])
        #expect(json(try await extracted(["options": ["delimiter": ";", "encoding": "latin1"]], file([0x61, 0x0a, 0xe4]))) == [["a": "ä"]])
        await #expect(throws: StepFailure.self) { try await extracted([:], file("a,b\n1\n")) }
        await #expect(throws: StepFailure.self) { try await extracted([:], file("a\n\"x")) }
        let skipping: JSONObject = ["options": ["skipRecordsWithErrors": ["value": ["enabled": true]]]]
        #expect(json(try await extracted(skipping, file("a,b\n1\n2,3"))) == [["a": "2", "b": "3"]])
        #expect(json(try await extracted(["options": ["relaxQuotes": true]], file("a\nx\"y"))) == [["a": "x\"y"]])
        #expect(json(try await extracted(["options": ["maxRowCount": 1e300]], file("a\n1\n2"))) == [["a": "1"], ["a": "2"]])
        #expect(json(try await extracted(["options": ["fromLine": 1e300]], file("a\n1\n2"))).isEmpty)
    }

    @Test(arguments: ["xlsx", "ods"]) func `items become a spreadsheet and come back`(format: String) async throws {
        let given = items(["n": 1.5, "text": "a<b & \"c\"", "ok": true], ["n": -2, "text": "ü\nz"])
        let sheet = try await made("convert_to_file", ["operation": .string(format), "options": ["sheetName": "Data", "compression": true]], given)
        #expect(sheet.binary["data"]?.fileName == "File.\(format)")
        let config: JSONObject = ["operation": .string(format)]
        #expect(json(try await extracted(config, sheet)) == [["n": 1.5, "text": "a<b & \"c\"", "ok": true], ["n": -2, "text": "ü\nz"]])
        func reading(_ options: JSON) async throws -> [JSON] {
            json(try await extracted(config.merging("options", options), sheet))
        }
        #expect(try await reading(["sheetName": "Data", "headerRow": false])[1] == ["row": [1.5, "a<b & \"c\"", true]])
        #expect(try await reading(["range": "B1:B2"]) == [["text": "a<b & \"c\""]])
        #expect(try await reading(["range": 1]) == [["1.5": -2, "a<b & \"c\"": "ü\nz"]])
        #expect(try await reading(["range": "-9223372036854775808"]).count == 2)
        await #expect(throws: StepFailure.self) { try await reading(["range": ":"]) }
        #expect(try await reading(["includeEmptyCells": true])[1]["ok"] == "")
        await #expect(throws: StepFailure.self) { try await reading(["sheetName": "Other"]) }
    }

    @Test func `a workbook of another program is read with its shared texts and dates`() async throws {
        let parts: [(String, String)] = [
            ("_rels/.rels", "<Relationships><Relationship Id=\"r\" Type=\"x/officeDocument\" Target=\"/xl/workbook.xml\"/></Relationships>"),
            (
                "xl/workbook.xml",
                "<workbook xmlns:r=\"r\"><sheets><sheet name=\"A\" r:id=\"r1\"/><sheet name=\"B\" r:id=\"r2\"/></sheets></workbook>"
            ),
            (
                "xl/_rels/workbook.xml.rels",
                "<Relationships><Relationship Id=\"r1\" Type=\"t/worksheet\" Target=\"worksheets/a.xml\"/><Relationship Id=\"r2\" Type=\"t/worksheet\" "
                    + "Target=\"worksheets/b.xml\"/><Relationship Id=\"r3\" Type=\"t/sharedStrings\" Target=\"s.xml\"/><Relationship Id=\"r4\" "
                    + "Type=\"t/styles\" Target=\"y.xml\"/></Relationships>"
            ),
            ("xl/s.xml", "<sst><si><t>Day</t></si><si><r><t>Na</t></r><r><t>me</t></r></si></sst>"),
            (
                "xl/y.xml",
                "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy/mm/dd\"/><numFmt numFmtId=\"165\" formatCode=\"#,##0.00\"/></numFmts>"
                    + "<cellXfs><xf/><xf numFmtId=\"164\"/><xf numFmtId=\"14\"/><xf numFmtId=\"165\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"
            ),
            (
                "xl/worksheets/a.xml",
                "<worksheet><sheetData><row r=\"3\"><c r=\"B3\" t=\"s\"><v>0</v></c><c r=\"C3\" t=\"s\"><v>1</v></c><c r=\"D3\" t=\"s\"><v>1</v></c></row>"
                    + "<row r=\"4\"><c r=\"B4\" s=\"1\"><v>46205</v></c><c r=\"C4\" s=\"2\"><v>46206</v></c><c r=\"D4\" s=\"3\"><v>1234.5</v></c></row>"
                    + "<row r=\"6\"><c r=\"B6\" s=\"4\"><v>46205.75</v></c><c r=\"D6\" t=\"b\"><v>0</v></c></row></sheetData></worksheet>"
            ),
            ("xl/worksheets/b.xml", "<worksheet><sheetData/></worksheet>")
        ]
        let zip = FileConversion(.zip, files: parts.map { .init(name: $0.0, bytes: Array($0.1.utf8)) })
        let book = file(try await FileConverter().convert(zip).files[0].bytes, name: "b.xlsx")
        let shown = json(try await extracted(["operation": "xlsx"], book))
        #expect(shown == [["Day": "2026/07/02", "Name": "7/3/26", "Name_1": 1234.5], ["Day": "7/2/26 18:00", "Name_1": false]])
        let raw = json(try await extracted(["operation": "xlsx", "options": ["rawData": true]], book))
        #expect(raw[0]["Day"] == 46205)
        #expect(try await extracted(["operation": "xlsx", "options": ["sheetName": "B"]], book).isEmpty)
    }

    @Test func `tables of pages are read, and written`() async throws {
        let page = file(
            "<p>x</p><table><thead><tr><th>A</th><th>B</th></tr></thead><tr><td rowspan=2>1</td><td>two &amp; <b>x</b></td></tr><tr><td>TRUE</td></tr></table>"
        )
        #expect(json(try await extracted(["operation": "html"], page)) == [["A": 1, "B": "two & x"], ["B": true]])
        let made = try await made("convert_to_file", ["operation": "html"], items(["a": "<b>", "n": 2]))
        #expect(text(made).contains("<td data-t=\"s\">&lt;b&gt;</td>"))
        #expect(json(try await extracted(["operation": "html"], made)) == [["a": "<b>", "n": 2]])
        await #expect(throws: StepFailure.self) { try await extracted(["operation": "html"], file("<p>none</p>")) }
    }

    @Test func `text, JSON and base 64 move between files and fields`() async throws {
        let given = items(["a": ["b": "hallo"], "raw": "aGk=", "uri": "data:image/png;base64,iVBORw0KGgo="])
        let text = try await made("convert_to_file", ["operation": "toText", "sourceProperty": "a.b"], given)
        #expect(self.text(text) == "hallo" && text.binary["data"]?.fileName == "file.txt")
        #expect(json(try await extracted(["operation": "text", "destinationKey": "x.y"], text)) == [["x": ["y": "hallo"]]])
        let bytes = try await made("convert_to_file", ["operation": "toBinary", "sourceProperty": "raw", "options": ["fileName": "hi.txt"]], given)
        #expect(self.text(bytes) == "hi" && bytes.binary["data"]?.mimeType == "text/plain")
        let image = try await made("convert_to_file", ["operation": "toBinary", "sourceProperty": "uri"], given)
        #expect(image.binary["data"]?.mimeType == "image/png" && image.binary["data"]?.fileName == "file.png")
        #expect(json(try await extracted(["operation": "binaryToPropery"], image)) == [["data": "iVBORw0KGgo="]])
        let plain: JSONObject = ["operation": "toBinary", "sourceProperty": "a.b", "options": ["dataIsBase64": false, "encoding": "utf16le"]]
        #expect(harness.files.read(try await made("convert_to_file", plain, given).binary["data"]!.id).prefix(4) == [0x68, 0, 0x61, 0])
        await #expect(throws: StepFailure.self) { try await made("convert_to_file", ["operation": "toBinary", "sourceProperty": "missing"], given) }
        await #expect(throws: StepFailure.self) {
            try await made("convert_to_file", ["operation": "toBinary", "sourceProperty": "a.b"], items(["a": ["b": "no base 64!"]]))
        }
        let whole = try await made("convert_to_file", ["operation": "toJson"], items(["n": 1], ["n": 2]))
        #expect(self.text(whole) == "[{\"n\":1},{\"n\":2}]" && whole.pairedItem?.count == 2)
        #expect(json(try await extracted(["operation": "fromJson"], whole)) == [["data": [["n": 1], ["n": 2]]]])
        let config: JSONObject = ["operation": "toJson", "mode": "each", "options": ["format": true, "fileName": "n.json"]]
        let each = try await harness.items(.make("convert_to_file", 1.1, config), inputs: [items(["n": 1], ["n": [2]])])[0]
        #expect(each.map { self.text($0) } == ["{\n  \"n\": 1\n}", "{\n  \"n\": [\n    2\n  ]\n}"])
    }

    @Test func `what is kept beside the extracted data is chosen`() async throws {
        var source = file("hi")
        source.binary["other"] = source.binary["data"]
        func kept(_ keep: JSON) async throws -> (json: JSON, files: [String]) {
            let item = try await extracted(["operation": "text", "options": ["keepSource": keep]], source)[0]
            return (.object(item.json), item.binary.keys.sorted())
        }
        let none = try await extracted(["operation": "text"], source)[0]
        #expect(none.json == ["data": "hi"] && none.binary.keys.sorted() == ["other"])
        let json = try await kept("json")
        #expect(json.json == ["kept": 1, "data": "hi"] && json.files == ["other"])
        let binary = try await kept("binary")
        #expect(binary.json == ["data": "hi"] && binary.files == ["data", "other"])
        let both = try await kept("both")
        #expect(both.json == ["kept": 1, "data": "hi"] && both.files == ["data", "other"])
        #expect(try await extracted(["operation": "text", "binaryPropertyName": "nothing"], source).isEmpty)
        await #expect(throws: StepFailure.self) { try await extracted(["operation": "csv", "binaryPropertyName": "nothing"], source) }
    }

    /// A PDF file of pages with one line of text each.
    static func pdf(_ pages: [String]) -> [UInt8] {
        var objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
        let kids = pages.indices.map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
        objects.append("<< /Type /Pages /Kids [\(kids)] /Count \(pages.count) >>")
        objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        for (index, page) in pages.enumerated() {
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents \(5 + 2 * index) 0 R /Resources << /Font << /F 3 0 R >> >> >>")
            let content = "BT /F 12 Tf 20 200 Td (\(page)) Tj ET"
            objects.append("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream")
        }
        objects.append("<< /Title (A title) /CreationDate (D:20260102030405Z) >>")
        var out = "%PDF-1.4\n"
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(out.utf8.count)
            out += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = out.utf8.count
        out += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for place in places { out += String(repeating: "0", count: 10 - String(place).count) + "\(place) 00000 n \n" }
        out += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R /Info \(objects.count) 0 R >>\nstartxref\n\(table)\n%%EOF\n"
        return Array(out.utf8)
    }

    @Test func `the text of a PDF is read, by pages if wanted`() async throws {
        let source = file(Self.pdf(["Hello first", "Second page"]), name: "a.pdf", type: "application/pdf")
        let whole = try await extracted(["operation": "pdf"], source)[0].json
        #expect(whole["text"] == "Hello first\n\nSecond page" && whole["numpages"] == 2 && whole["numrender"] == 2)
        #expect(whole["info"]?["Title"] == "A title" && whole["info"]?["PDFFormatVersion"] == "1.4")
        #expect(whole["info"]?["CreationDate"] == "D:20260102030405Z")
        let pages = try await extracted(["operation": "pdf", "options": ["joinPages": false, "maxPages": 1, "keepSource": "both"]], source)[0]
        #expect(pages.json["text"] == ["Hello first"] && pages.json["kept"] == 1 && pages.binary["data"] != nil)
        let old = try await harness.items(.make("read_pdf", 1, [:]), inputs: [[source]])[0][0]
        #expect(old.json["text"] == whole["text"] && old.binary["data"] != nil)
        await #expect(throws: StepFailure.self) { try await extracted(["operation": "pdf"], file("no pdf")) }
        let failing = WorkflowNode.make("extract_from_file", 1.1, ["operation": "pdf"], onError: .continueRegular)
        let failed = try await harness.items(failing, inputs: [[file("no pdf")]])[0]
        #expect(failed[0].error?["code"] == "unreadable_file")
    }

    @Test func `an event becomes a calendar file and is read back`() async throws {
        let config: JSONObject = [
            "operation": "iCal", "title": "Lunch, with Ann", "start": "2026-03-10T12:00:00Z", "end": "2026-03-10T13:00:00Z",
            "additionalFields": [
                "description": "a\nb", "location": "Bern", "status": "CONFIRMED",
                "organizerUi": ["organizerValues": ["name": "Bo", "email": "bo@a.test"]],
                "attendeesUi": ["attendeeValues": [["name": "Ann", "email": "ann@a.test", "rsvp": true]]],
                "recurrenceRule": "FREQ=WEEKLY;COUNT=3\r\nX:y"
            ]
        ]
        let calendar = try await made("convert_to_file", config, items([:]))
        #expect(calendar.binary["data"]?.fileName == "event.ics" && calendar.binary["data"]?.mimeType == "text/calendar")
        #expect(text(calendar).contains("DTSTART:20260310T120000Z\r\n") && !text(calendar).contains("\r\nX:y"))
        let read = try await extracted(["operation": "fromIcs"], calendar)[0].json["data"]
        let event = read?["events"]?[0]
        #expect(read?["version"] == "2.0" && event?["summary"] == "Lunch, with Ann" && event?["description"] == "a\nb")
        #expect(event?["start"]?["date"] == "2026-03-10T12:00:00.000Z" && event?["organizer"] == ["name": "Bo", "email": "bo@a.test"])
        #expect(event?["attendees"]?[0]?["rsvp"] == true && event?["recurrenceRule"]?["frequency"] == "WEEKLY")
        let zoned = file(
            "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nDTSTART;TZID=Europe/Zurich:20260310T120000\nSUMMARY:a\n long\nBEGIN:VALARM\nDESCRIPTION:no\n"
                + "END:VALARM\nDTEND;VALUE=DATE:20260311\nEND:VEVENT\nEND:VCALENDAR")
        let other = try await extracted(["operation": "fromIcs"], zoned)[0].json["data"]?["events"]?[0]
        #expect(other?["start"]?["date"] == "2026-03-10T11:00:00.000Z" && other?["summary"] == "along" && other?["description"] == nil)
        #expect(other?["end"] == ["date": "2026-03-11T00:00:00.000Z", "type": "DATE"])
        let allDay = try await made("calendar_event", 1, ["start": "2026-03-10", "end": "2026-03-10", "allDay": true], items([:]))
        #expect(text(allDay).contains("DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260311"))
    }

    @Test func `files are packed and unpacked`() async throws {
        var source = file("hello", name: "a.txt")
        source.binary["b"] = file("other", name: "b.txt").binary["data"]
        let zip = try await made(
            "compression", ["operation": "compress", "binaryPropertyName": "data, b", "outputFormat": "zip", "fileName": "x.zip"], [source])
        #expect(zip.binary.keys.sorted() == ["data"] && zip.binary["data"]?.fileName == "x.zip" && zip.json["kept"] == 1)
        let unzipped = try await made("compression", [:], [zip])
        #expect(unzipped.binary.mapValues { $0.fileName ?? "" } == ["file_0": "a.txt", "file_1": "b.txt"])
        #expect(text(unzipped, "file_1") == "other")
        let gzip = try await made("compression", 1, ["operation": "compress", "outputFormat": "gzip"], [source])
        #expect(gzip.binary["data0"]?.fileName == "a.gzip")
        var packed = gzip
        packed.binary = ["data": gzip.binary["data0"]!]
        let unpacked = try await made("compression", 1, [:], [packed])
        #expect(text(unpacked, "file_0") == "hello" && unpacked.binary["file_0"]?.fileName == "a.txt")
    }

    @Test func `the old nodes still move and read data`() async throws {
        let moved = try await made("move_binary_data", 1, [:], [file("{\"a\":1}")])
        #expect(moved.json == ["a": 1] && moved.binary.isEmpty)
        let config: JSONObject = ["setAllData": false, "destinationKey": "x.y", "options": ["jsonParse": true, "keepSource": true]]
        let one = try await made("move_binary_data", 1, config, [file("[1]")])
        #expect(one.json == ["kept": 1, "x": ["y": [1]]] && one.binary["data"] != nil)
        let back = try await made("move_binary_data", 1, ["mode": "jsonToBinary", "options": ["fileName": "a.json"]], items(["a": 1]))
        #expect(text(back) == "{\"a\":1}" && back.json.isEmpty && back.binary["data"]?.mimeType == "application/json")
        let raw: JSONObject = ["mode": "jsonToBinary", "convertAllData": false, "sourceKey": "t", "options": ["useRawData": true]]
        let text = try await made("move_binary_data", 1.1, raw, items(["t": "hi", "u": 1]))
        #expect(self.text(text) == "hi" && text.json == ["u": 1] && text.binary["data"]?.fileName == "file.txt")
        let sheet = try await made("spreadsheet_file", 2, ["operation": "toFile", "fileFormat": "xlsx"], items(["a": 1]))
        #expect(sheet.binary["data"]?.fileName == "spreadsheet.xlsx")
        let read = try await harness.items(.make("spreadsheet_file", 2, [:]), inputs: [[sheet]])[0]
        #expect(json(read) == [["a": 1]])
        let csv = try await harness.items(.make("spreadsheet_file", 1, [:]), inputs: [[file("a\n1", name: "x.csv", type: "text/csv")]])[0]
        #expect(json(csv) == [["a": "1"]])
    }

    @Test func `an import knows which operations run here`() {
        func supports(_ type: String, _ parameters: JSONObject) -> Bool {
            KindRegistry.builtIn.supports(n8nType: "n8n-nodes-base.\(type)", version: 1.1, parameters: parameters)
        }
        for operation in ["pdf", "csv", "binaryToPropery", "text", "fromJson", "xlsx", "xml", "ods", "html", "fromIcs"] {
            #expect(supports("extractFromFile", ["operation": .string(operation)]))
        }
        #expect(supports("convertToFile", [:]) && supports("convertToFile", ["operation": "toBinary"]) && supports("compression", [:]))
        #expect(!supports("extractFromFile", ["operation": "xls"]) && !supports("convertToFile", ["operation": "rtf"]))
    }
}

extension JSONObject {
    func merging(_ key: String, _ value: JSON) -> JSONObject {
        var members = self
        members[key] = value
        return members
    }
}
