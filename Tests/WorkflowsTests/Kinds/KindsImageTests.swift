import Kernel
import Scripting
import Testing

@testable import Workflows

@Suite struct KindsImageTests {
    let harness = KindsHarness()
    /// The left half red, the right half blue.
    static let halves = Bitmap(60, 40) { x, _ in x < 30 ? .red : .blue }

    func item(_ bytes: [UInt8], name: String = "halves.bmp", type: String = "image/bmp") -> Item {
        var file = BinaryReference(id: harness.files.write(bytes), mimeType: type, fileName: name, byteCount: bytes.count)
        file.fileExtension = FileTypes.ending(ofName: name)
        return Item(json: ["kept": 1], binary: ["data": file])
    }

    var halves: Item { item(Self.halves.file) }

    func run(_ config: JSONObject, _ item: Item, kind: String = "edit_image") async throws -> Item {
        try await harness.items(.make(kind, 1, config), inputs: [[item]])[0][0]
    }

    func bytes(_ item: Item, _ name: String = "data") -> [UInt8] { harness.files.read(item.binary[name]?.id ?? "") }

    /// What an operation makes of a picture, pixel by pixel.
    func edited(_ operation: String, _ config: JSONObject, _ item: Item? = nil) async throws -> Bitmap {
        var config = config
        config["operation"] = .string(operation)
        config["options"] = .object((config["options"]?.object ?? [:]).merging("format", "bmp"))
        return try #require(Bitmap(file: bytes(try await run(config, item ?? halves))))
    }

    func failure(_ config: JSONObject, _ item: Item, kind: String = "edit_image") async -> StepFailure? {
        do { _ = try await run(config, item, kind: kind) } catch { return error as? StepFailure }
        return nil
    }

    @Test func `an image is resized as each option says`() async throws {
        func size(_ option: JSON?, _ width: Int, _ height: Int) async throws -> [Int] {
            var config: JSONObject = ["width": .number(Double(width)), "height": .number(Double(height))]
            config["resizeOption"] = option
            let made = try await edited("resize", config)
            return [made.width, made.height]
        }
        let exact = try await edited("resize", ["width": 30, "height": 30, "resizeOption": "ignoreAspectRatio"])
        #expect([exact.width, exact.height] == [30, 30] && exact[3, 15] == .red && exact[26, 15] == .blue)
        // 60 × 40 with the area of 30 × 30.
        #expect(try await size(nil, 30, 30) == [36, 24])
        #expect(try await size("percent", 50, 25) == [30, 10])
        #expect(try await size("onlyIfLarger", 30, 30) == [30, 20])
        #expect(try await size("onlyIfLarger", 300, 300) == [60, 40])
        #expect(try await size("onlyIfSmaller", 120, 120) == [120, 80])
        #expect(try await size("onlyIfSmaller", 30, 30) == [60, 40])
        #expect(try await size("minimumArea", 30, 30) == [45, 30])
    }

    @Test func `information tells what an image is and leaves it as it was`() async throws {
        let told = try await run(["operation": "information"], halves)
        #expect(told.json["format"] == "BMP" && told.json["size"] == ["width": 60, "height": 40] && told.json["Geometry"] == "60x40")
        #expect(told.json["depth"] == 1 && told.json["Type"] == "true color" && told.json["Channel Depths"]?["Red"] == "1 bits")
        #expect(told.json["kept"] == nil && told.json["Elapsed Time"] == nil && bytes(told) == Self.halves.file)
        #expect(told.json["Channel Statistics"]?["Green"]?["Mean"] == "0.00 (0.0000)")
    }

    @Test func `shapes are cut, framed, turned and sheared`() async throws {
        let crop = try await edited("crop", ["width": 20, "height": 10, "positionX": 25, "positionY": 5])
        #expect([crop.width, crop.height] == [20, 10] && crop[4, 5] == .red && crop[5, 5] == .blue)
        let border = try await edited("border", ["borderWidth": 3, "borderHeight": 2, "borderColor": "#00ff00"])
        #expect([border.width, border.height] == [66, 44] && border[2, 20] == .green && border[3, 20] == .red && border[62, 41] == .blue)
        #expect(border[30, 1] == .green && border[63, 43] == .green)
        let turned = try await edited("rotate", ["rotate": 90])
        #expect([turned.width, turned.height] == [40, 60] && turned[20, 10] == .red && turned[20, 50] == .blue)
        let tilted = try await edited("rotate", ["rotate": 45, "backgroundColor": "#00ff00"])
        #expect([tilted.width, tilted.height] == [71, 71] && tilted[1, 1] == .green && tilted[25, 25] == .red && tilted[45, 45] == .blue)
        let sheared = try await edited("shear", ["degreesX": 45])
        // GraphicsMagick shears by half of the angle: 60 + 40 · tan 22.5°.
        #expect(sheared.height == 40 && sheared.width == 77 && sheared[2, 38] == .red)
        let blurred = try await edited("blur", ["blur": 9, "sigma": 4])
        let middle = blurred[30, 20]
        #expect((90...165).contains(middle.red) && (90...165).contains(middle.blue) && blurred[5, 20] == .red)
    }

    @Test func `shapes and texts are drawn where they are told`() async throws {
        let box: JSONObject = ["color": "#00ff00", "startPositionX": 5, "startPositionY": 5, "endPositionX": 20, "endPositionY": 20]
        let rectangle = try await edited("draw", box)
        #expect(rectangle[5, 5] == .green && rectangle[20, 20] == .green && rectangle[4, 5] == .red && rectangle[21, 20] == .red)
        let round = try await edited("draw", box.merging("cornerRadius", 6))
        #expect(round[12, 12] == .green && round[5, 5] == .red)
        // 80 of 255 is what is seen through; the digits after the colour are its transparency.
        let glass = try await edited("draw", box.merging("color", "#00ff0080"))
        #expect((120...135).contains(glass[10, 10].green) && (120...135).contains(glass[10, 10].red))
        let line = try await edited("draw", box.merging("primitive", "line"))
        #expect(line[12, 12] == .green && line[12, 18] == .red)
        let circle: JSONObject = [
            "primitive": "circle", "color": "#00ff00", "startPositionX": 30, "startPositionY": 20, "endPositionX": 40, "endPositionY": 20
        ]
        let drawn = try await edited("draw", circle)
        #expect(drawn[30, 12] == .green && drawn[38, 20] == .green && drawn[38, 12] == .blue && drawn[42, 20] == .blue)

        let sheet = item(Bitmap(200, 120) { _, _ in .white }.file)
        func dark(_ text: JSON, _ rows: Range<Int>, _ more: JSONObject = [:]) async throws -> Int {
            var config: JSONObject = ["text": text, "positionX": 10, "positionY": 30]
            for (name, value) in more { config[name] = value }
            return try await edited("text", config, sheet).count(0..<200, rows) { $0 != .white }
        }
        #expect(try await dark("Hello", 10..<36) > 100)
        #expect(try await dark("Hello", 40..<120) == 0)
        #expect(try await dark("Hello brave", 40..<60, ["lineLength": 8]) > 100)
        #expect(try await dark("Hello\nbrave", 40..<60) > 100)
        let (one, two) = (try await dark("Hello", 0..<120), try await dark("Hello", 0..<120, ["fontSize": 36]))
        #expect(two > 2 * one)
        #expect(try await dark("Hello", 0..<120, ["options": ["font": "DejaVu Sans Bold"]]) > one * 5 / 4)
        #expect(try await dark("Hello\r\nbrave", 40..<60) == dark("Hello\nbrave", 40..<60))
        let (near, far) = (try await edited("text", ["text": "a b"], sheet), try await edited("text", ["text": "a   b"], sheet))
        #expect(near != far, "spaces are kept")
        // Neither a sign of a format nor a file is put in place of what was written.
        #expect(try await dark("%%%%", 0..<120) == 4 * (dark("%", 0..<120)))
    }

    @Test func `images are put on one another`() async throws {
        var both = halves
        both.binary["stamp"] = item(Bitmap(10, 10) { _, _ in .green }.file).binary["data"]
        let over = try await edited("composite", ["dataPropertyNameComposite": "stamp", "positionX": 25, "positionY": -5], both)
        #expect(over[25, 0] == .green && over[34, 4] == .green && over[24, 0] == .red && over[35, 4] == .blue && over[30, 5] == .blue)
        let sum = try await edited("composite", ["dataPropertyNameComposite": "stamp", "operator": "Plus"], both)
        #expect(sum[5, 5] == .init(red: 255, green: 255, blue: 0) && sum[15, 5] == .red)
        // What became transparent lets the image below through.
        let png = try await run(["operation": "transparent", "color": "#ff0000", "options": ["format": "png"]], halves)
        var below = item(Bitmap(60, 40) { _, _ in .green }.file)
        below.binary["top"] = png.binary["data"]
        let seen = try await edited("composite", ["dataPropertyNameComposite": "top"], below)
        #expect(seen[10, 10] == .green && seen[50, 10] == .blue)
        let missing = await failure(["operation": "composite", "dataPropertyNameComposite": "nothing"], halves)
        #expect(missing?.code == "no_binary")
    }

    @Test func `steps follow one another, with n8n's defaults where they are left out`() async throws {
        let steps: JSON = [
            ["operation": "create", "width": 40, "height": 30, "backgroundColor": "#ffffff"],
            ["operation": "draw", "color": "#0000ff", "startPositionX": 0, "startPositionY": 0, "endPositionX": 19, "endPositionY": 29],
            ["operation": "composite", "dataPropertyNameComposite": "data", "positionX": "20", "positionY": 10],
            ["operation": "rotate", "rotate": 180]
        ]
        let made = try await run(["operation": "multiStep", "operations": ["operations": steps], "options": ["format": "bmp"]], halves)
        let picture = try #require(Bitmap(file: bytes(made)))
        #expect([picture.width, picture.height] == [40, 30] && picture[39, 29] == .blue && picture[19, 29] == .white && picture[10, 5] == .red)
        #expect(made.json == ["kept": 1] && made.binary["data"]?.fileName == "halves.bmp")
        let none = await failure(["operation": "multiStep"], halves)
        #expect(none?.code == "invalid_parameter")
        let late = await failure(["operation": "multiStep", "operations": ["operations": [["operation": "blur"], ["operation": "create"]]]], halves)
        #expect(late?.code == "invalid_parameter")
        // A new image is a PNG file; it needs no file of the item.
        let new = try await run(["operation": "create"], Item(json: [:]))
        let facts = try await run(["operation": "information"], new).json
        #expect(new.binary["data"]?.mimeType == "image/png" && facts["format"] == "PNG" && facts["size"] == ["width": 50, "height": 50])
    }

    @Test func `a file gets the format, quality and name that were asked for`() async throws {
        for format in ["bmp", "gif", "jpeg", "png", "tiff", "webp"] {
            let made = try await run(["operation": "border", "options": ["format": .string(format)]], halves)
            let file = try #require(made.binary["data"])
            #expect(file.mimeType == "image/\(format)" && file.fileName == "halves.\(format)" && file.fileExtension == format)
            let facts = try await run(["operation": "information"], made).json
            #expect(facts["format"] == .string(format.uppercased()) && facts["size"] == ["width": 80, "height": 60])
        }
        let noise = item(Bitmap(64, 64) { x, y in .init(red: UInt8(x * y % 251), green: UInt8(x * 7 % 256), blue: UInt8(y * x * x % 256)) }.file)
        func size(_ quality: JSON) async throws -> Int {
            bytes(try await run(["operation": "border", "options": ["format": "jpeg", "quality": quality]], noise)).count
        }
        #expect(try await size(10) * 2 < size(95))
        let named = try await run(["operation": "border", "options": ["fileName": "new.bin"]], halves)
        #expect(named.binary["data"]?.fileName == "new.bin" && named.binary["data"]?.mimeType == "image/bmp")
        let fault = await failure(["operation": "border", "options": ["format": "svg"]], halves)
        #expect(fault?.code == "invalid_parameter")
    }

    @Test func `what cannot be done is said`() async {
        func code(_ config: JSONObject) async -> String? { await failure(config, halves)?.code }
        #expect(await code(["borderColor": "no such colour"]) == "invalid_parameter")
        #expect(await code(["borderWidth": "wide"]) == "invalid_parameter")
        #expect(await code(["operation": "resize", "width": 0]) == "invalid_parameter")
        #expect(await code(["operation": "rotate", "rotate": 720]) == "invalid_parameter")
        #expect(await code(["operation": "blur", "sigma": -1]) == "invalid_parameter")
        #expect(await code(["dataPropertyName": "other"]) == "no_binary")
        let font = await failure(["operation": "text", "text": "x", "options": ["font": "/usr/share/fonts/x/Verdana.ttf"]], halves)
        #expect(font?.code == "invalid_parameter" && font?.message.contains("DejaVuSans") == true, "it names the fonts that there are")
    }

    @Test func `files that are no images, or far too large ones, end in an error`() async {
        func code(_ bytes: [UInt8], _ config: JSONObject = ["operation": "information"]) async -> String? {
            await failure(config, item(bytes, name: "x.png", type: "image/png"))?.code
        }
        #expect(await code([]) == "unreadable_file")
        #expect(await code(Array("only a text".utf8)) == "unsupported_format")
        #expect(await code(Array("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".utf8)) == "unsupported_format")
        #expect(await code(Array(Self.halves.file.prefix(200))) == "unreadable_file")
        #expect(await code(Self.png(width: 60, height: 40)) == "unreadable_file")
        // A hundred bytes that would become 400 million pixels.
        #expect(await code(Self.png(width: 20_000, height: 20_000)) == "file_too_large")
        #expect(await code(Self.halves.file, ["operation": "resize", "width": 20_000, "height": 20_000]) == "file_too_large")
        #expect(await code(Self.halves.file, ["operation": "border", "borderWidth": 900_000]) == "file_too_large")
        #expect(
            await code(Self.halves.file, ["operation": "resize", "resizeOption": "percent", "width": 99_999, "height": 99_999]) == "file_too_large")
    }

    @Test func `a template of n8n draws its boxes`() async throws {
        let boxes: JSON = [
            "name": "Boxes", "settings": ["executionOrder": "v1"],
            "nodes": [
                ["id": "1", "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "position": [0, 0], "parameters": [:]],
                [
                    "id": "2", "name": "Draw", "type": "n8n-nodes-base.editImage", "typeVersion": 1, "position": [200, 0],
                    "parameters": [
                        "options": ["format": "bmp"], "operation": "multiStep",
                        "operations": [
                            "operations": [
                                [
                                    "color": "#00ff00", "operation": "draw", "endPositionX": "={{ $json.boxes[0].xmax }}",
                                    "endPositionY": "={{ $json.boxes[0].ymax }}", "startPositionX": "={{ $json.boxes[0].xmin }}",
                                    "startPositionY": "={{ $json.boxes[0].ymin }}", "cornerRadius": "={{ 0 }}"
                                ],
                                ["operation": "resize", "width": 120, "height": 80, "resizeOption": "onlyIfSmaller"]
                            ]
                        ]
                    ]
                ],
                [
                    "id": "3", "name": "Info", "type": "n8n-nodes-base.editImage", "typeVersion": 1, "position": [400, 0],
                    "parameters": ["operation": "information"]
                ]
            ],
            "connections": [
                "Start": ["main": [[["node": "Draw", "type": "main", "index": 0]]]],
                "Draw": ["main": [[["node": "Info", "type": "main", "index": 0]]]]
            ]
        ]
        let importer = N8nImporter(
            kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: { KindRegistry.builtIn.supports(n8nType: $0, version: $1, parameters: $2) })
        let document = try importer.read(boxes, name: "Boxes").document
        #expect(document.nodes.allSatisfy { KindRegistry.builtIn.kind($0.kind) != nil })
        var given = halves
        given.json["boxes"] = [["xmin": 10, "ymin": 10, "xmax": 20, "ymax": 30]]
        let outcome = try await harness.run(document, trigger: "Start", items: [given])
        #expect(outcome.end.status == .succeeded)
        let outputs = Dictionary(uniqueKeysWithValues: try outcome.outputs().map { ($0.node, $0.outputs) })
        let made = try #require(outputs["Draw"]?[0][0])
        let drawn = try #require(Bitmap(file: bytes(made)))
        #expect([drawn.width, drawn.height] == [120, 80] && drawn[30, 40] == .green && drawn[10, 40] == .red && drawn[100, 40] == .blue)
        #expect(outputs["Info"]?[0][0].json["size"] == ["width": 120, "height": 80])
    }

    /// A PNG file with a true head and no pixels.
    static func png(width: Int, height: Int) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
            let content = Array(name.utf8) + bytes
            var sum = UInt32.max
            for byte in content {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
            }
            return number(bytes.count) + content + number(Int(~sum))
        }
        let head = number(width) + number(height) + [8, 2, 0, 0, 0]
        // An empty stream of zlib.
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", head) + chunk("IDAT", [0x78, 0x9c, 3, 0, 0, 0, 0, 1])
            + chunk("IEND", [])
    }
}
