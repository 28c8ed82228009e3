import Kernel
import Scripting
import Testing

@testable import Workflows

@Suite struct KindsQRCodeTests {
    let images = KindsImageTests()
    static let text = "https://example.com/ä?id=漢字"

    func made(_ config: JSONObject, _ item: Item = Item(json: ["kept": 1])) async throws -> Item {
        try await images.run(config, item, kind: "qr_code")
    }

    func codes(_ item: Item, _ options: JSONObject = [:]) async throws -> JSON? {
        try await made(["operation": "read", "options": .object(options)], item).json["codes"]
    }

    /// The modules that a picture of a code has dark, of a whole image of that many a side.
    func modules(_ item: Item, _ side: Int, _ pixels: Int) async throws -> Set<[Int]> {
        let picture = try await images.edited("resize", ["resizeOption": "percent", "width": 100, "height": 100], item)
        #expect(picture.width == side * pixels && picture.height == side * pixels)
        let places = (0..<side).flatMap { row in (0..<side).map { [row, $0] } }
        return Set(places.filter { picture[$0[1] * pixels + pixels / 2, $0[0] * pixels + pixels / 2].red < 128 })
    }

    @Test func `a code is made and read back`() async throws {
        for level in ["L", "M", "Q", "H"] {
            let code = try await made(["text": .string(Self.text), "options": ["errorCorrection": .string(level)]])
            #expect(code.json == ["kept": 1] && code.binary["data"]?.mimeType == "image/png" && code.binary["data"]?.fileName == "qr-code.png")
            #expect(try await codes(code) == [["type": "QR-Code", "text": .string(Self.text)]])
        }
        let dirty = try await made(["text": .string(Self.text), "options": ["errorCorrection": "H"]])
        let spotted = try await images.run(
            [
                "operation": "draw", "color": "#000000", "startPositionX": 120, "startPositionY": 120, "endPositionX": 150, "endPositionY": 150,
                "options": ["format": "jpeg"]
            ], dirty)
        #expect(try await codes(spotted)?[0]?["text"] == .string(Self.text))
    }

    @Test func `a code of lines and one of pixels show the same modules`() async throws {
        // 25 modules, which is version 2, and two of margin around them.
        let options: JSON = ["moduleSize": 3, "margin": 2, "color": "#102030", "backgroundColor": "#ffeedd", "fileName": "code"]
        let pixels = try await made(["text": "https://example.com/1", "options": options])
        let lines = try await made(["text": "https://example.com/1", "format": "svg", "options": options])
        #expect(pixels.binary["data"]?.fileName == "code" && lines.binary["data"]?.mimeType == "image/svg+xml")
        let svg = String(decoding: images.bytes(lines), as: UTF8.self)
        #expect(svg.contains("width=\"87\"") && svg.contains("viewBox=\"0 0 29 29\"") && svg.contains("#102030") && svg.contains("#ffeedd"))
        let path = try #require(svg.split(separator: "d=\"").last?.prefix { $0 != "\"" })
        var drawn: Set<[Int]> = []
        for run in path.split(separator: "M") {
            let numbers = run.split { !$0.isNumber }.compactMap { Int($0) }
            for column in numbers[0]..<numbers[0] + numbers[2] { drawn.insert([numbers[1], column]) }
        }
        #expect(drawn.count > 200)
        #expect(try await modules(pixels, 29, 3) == drawn)
    }

    @Test func `an image without a code is an error unless that is allowed`() async throws {
        let plain = images.halves
        let failure = await images.failure(["operation": "read"], plain, kind: "qr_code")
        #expect(failure?.code == "no_code")
        #expect(try await codes(plain, ["allowNone": true]) == [])
        let text = await images.failure(["operation": "read"], images.item(Array("text".utf8)), kind: "qr_code")
        #expect(text?.code == "unsupported_format")
        let kept = try await made(["operation": "read", "destinationKey": "found.codes", "options": ["allowNone": true]], plain)
        #expect(kept.json == ["kept": 1, "found": ["codes": []]] && kept.binary["data"] == plain.binary["data"])
    }

    /// Code 39 of `*A1*`: nine bars and gaps a sign, three of them wide (ISO/IEC 16388).
    @Test func `bar codes are read where they are asked for`() async throws {
        let signs = ["010010100", "100001001", "100100001", "010010100"]
        var columns = [Bool](repeating: false, count: 40)
        for sign in signs {
            for (place, width) in sign.enumerated() {
                columns += [Bool](repeating: place % 2 == 0, count: width == "1" ? 9 : 3)
            }
            columns += [Bool](repeating: false, count: 3)
        }
        columns += [Bool](repeating: false, count: 40)
        let image = images.item(Bitmap(columns.count, 80) { x, y in (10..<70).contains(y) && columns[x] ? .black : .white }.file)
        #expect(try await codes(image, ["allowNone": true]) == [])
        #expect(try await codes(image, ["barcodes": true]) == [["type": "CODE-39", "text": "A1"]])
    }

    @Test func `a workflow with a kind of our own survives n8n's form`() throws {
        let kinds = KindRegistry.builtIn
        let importer = N8nImporter(
            kind: { kinds.kind(n8nType: $0) }, supports: { kinds.supports(n8nType: $0, version: $1, parameters: $2) })
        let document = WorkflowDocument(name: "Code", nodes: [.make("qr_code", 1, ["text": "x"])])
        let written = N8nExporter { kinds.kind($0)?.n8nTypes.first }.write(document)
        #expect(written["nodes"]?[0]?["type"] == "aias.qr_code")
        let read = try importer.read(written, name: "Code").document
        #expect(read.nodes.map(\.kind) == ["qr_code"] && read.nodes[0].config == ["text": "x"])
        #expect(kinds.kind(n8nType: "aias.set") == nil && kinds.kind(n8nType: "aias.unknown") == nil)
    }

    @Test func `what cannot be a code is said`() async {
        func code(_ config: JSONObject) async -> String? { await images.failure(config, Item(json: [:]), kind: "qr_code")?.code }
        #expect(await code([:]) == "invalid_parameter")
        #expect(await code(["text": .string(String(repeating: "x", count: 2_954))]) == "invalid_parameter")
        #expect(await code(["text": "x", "options": ["moduleSize": 0]]) == "invalid_parameter")
        #expect(await code(["text": "x", "options": ["color": "black"]]) == "invalid_parameter")
        #expect(await code(["text": "x", "options": ["errorCorrection": "Z"]]) == "invalid_parameter")
        #expect(await code(["text": "x", "format": "gif"]) == "invalid_parameter")
    }
}
