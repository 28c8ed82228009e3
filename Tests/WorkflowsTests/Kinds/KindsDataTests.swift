import Kernel
import Testing

@testable import Workflows

@Suite struct KindsDataTests {
    let harness = KindsHarness()

    func set(_ version: Double, _ config: JSONObject, _ input: JSON, onError: WorkflowNode.OnError = .stop) async throws -> JSON {
        try await harness.node(.make("set", version, config, onError: onError), inputs: [items(input)])[0][0]
    }

    func assignments(_ entries: JSON...) -> JSON { ["assignments": .array(entries)] }

    @Test func `set 3 converts to the field's type and refuses what cannot be converted`() async throws {
        let config: JSONObject = [
            "assignments": assignments(
                ["name": "n", "type": "number", "value": "12.5"], ["name": "t", "type": "string", "value": "={{ $json.o }}"],
                ["name": "b", "type": "boolean", "value": "true"], ["name": "a.b", "type": "array", "value": "[1,2]"],
                ["name": "none", "type": "string", "value": "={{ $json.missing }}"])
        ]
        #expect(try await set(3.4, config, ["o": ["k": 1]]) == ["n": 12.5, "t": "{\"k\":1}", "b": true, "a": ["b": [1, 2]], "none": .null])
        let object: JSONObject = ["assignments": assignments(["name": "o", "type": "object", "value": "{a: 'x',}"])]
        #expect(try await set(3.4, object, [:]) == ["o": ["a": "x"]])
        let wrong: JSONObject = ["assignments": assignments(["name": "n", "type": "number", "value": "many"])]
        await #expect(throws: StepFailure.self) { try await set(3.4, wrong, [:]) }
        var lax = wrong
        lax["options"] = ["ignoreConversionErrors": true]
        #expect(try await set(3.4, lax, [:]) == ["n": "many"])
        #expect(try await set(3.4, wrong, [:], onError: .continueRegular)["error"]?.text?.contains("expects a number") == true)
    }

    @Test func `what evaluates to nothing is what each version makes of it, and no default`() async throws {
        func nothing(_ version: Double, _ type: String, _ value: String, options: JSON = [:]) async throws -> JSON? {
            let entry: JSON = ["name": "x", "type": .string(type), type: .string(value)]
            let config: JSONObject = ["include": "none", "fields": ["values": [entry]], "options": options]
            return try await set(version, config, [:], onError: .continueRegular)["x"]
        }
        let (missing, null) = ("={{ $json.missing }}", "={{ null }}")
        for version in [3, 3.1, 3.2] { #expect(try await nothing(version, "booleanValue", missing) == .null) }
        let word = try await nothing(3, "stringValue", missing)
        #expect(word == "undefined")
        #expect(try await nothing(3, "stringValue", null) == "null")
        #expect(try await nothing(3.1, "stringValue", null) == nil, "an error")
        #expect(try await nothing(3.1, "stringValue", null, options: ["ignoreConversionErrors": true]) == .null)
        #expect(try await nothing(3.2, "stringValue", missing) == .null)
    }

    @Test(arguments: ["f", "={{ $binary.f }}"]) func `set gives a file of the item another name`(value: String) async throws {
        let file = BinaryReference(id: "x", mimeType: "a/b", byteCount: 1)
        func renamed(_ value: String) async throws -> Item {
            let config: JSONObject = ["assignments": assignments(["name": "g", "type": "binary", "value": .string(value)])]
            return try await harness.items(.make("set", 3.4, config), inputs: [[Item(json: ["a": 1], binary: ["f": file])]])[0][0]
        }
        let got = try await renamed(value)
        #expect(got.json == [:] && got.binary == ["g": file])
        await #expect(throws: StepFailure.self) { try await renamed("other") }
    }

    @Test func `set keeps other fields as its version says`() async throws {
        let one = assignments(["name": "x", "type": "number", "value": 1])
        let input: JSON = ["a": 1, "b": ["c": 2, "d": 3]]
        #expect(try await set(3.4, ["assignments": one], input) == ["x": 1])
        #expect(try await set(3.4, ["assignments": one, "includeOtherFields": true], input) == ["a": 1, "b": ["c": 2, "d": 3], "x": 1])
        #expect(try await set(3.4, ["includeOtherFields": true, "include": "selected", "includeFields": "b.c"], input) == ["c": 2])
        #expect(try await set(3.4, ["includeOtherFields": true, "include": "except", "excludeFields": "a, b.d"], input) == ["b": ["c": 2]])
        #expect(try await set(3, ["fields": ["values": [["name": "x", "stringValue": "y"]]]], ["a": 1]) == ["a": 1, "x": "y"])
        #expect(try await set(1, ["values": ["number": [["name": "k.l", "value": 2]]]], ["a": 1]) == ["a": 1, "k": ["l": 2]])
        #expect(try await set(2, ["keepOnlySet": true, "values": ["string": [["name": "s"]]]], ["a": 1]) == ["s": ""])
    }

    @Test func `raw set takes objects into its text as JSON`() async throws {
        let config: JSONObject = ["mode": "raw", "jsonOutput": "={ \"o\": {{ $json.o }}, \"n\": \"{{ $json.n }}\" }"]
        #expect(try await set(3.4, config, ["o": ["k": [1]], "n": "x"]) == ["o": ["k": [1]], "n": "x"])
        await #expect(throws: StepFailure.self) { try await set(3.4, ["mode": "raw", "jsonOutput": "[1]"], [:]) }
    }

    @Test(
        arguments: [
            (#"{"a": [1, 2,], "b": 'x',}"#, ["a": [1, 2], "b": "x"]), (#"{a: 1, 'b_2' : 2}"#, ["a": 1, "b_2": 2]),
            ("{a: 1, b: true},", ["a": 1, "b": true]), (#"{"a": 1 "b": 2}"#, nil), (#"{'a': 'it\'s'}"#, ["a": "it\"s"]),
            (#"{"a": "b:c",}"#, nil)
        ] as [(String, JSON?)])
    func `raw set reads JSON that is written carelessly`(text: String, given: JSON?) async throws {
        let got = try await set(3.4, ["mode": "raw", "jsonOutput": .string(text)], [:], onError: .continueRegular)
        if let given { #expect(got == given) } else { #expect(got["error"]?.text?.contains("contains invalid JSON") == true) }
    }

    @Test func `split out makes an item of each element`() async throws {
        let input: JSON = ["list": [["a": 1], ["a": 2]], "names": ["x", "y", "z"], "k": 0]
        func split(_ config: JSONObject) async throws -> [JSON] { try await harness.node(.make("split_out", 1, config), inputs: [items(input)])[0] }
        #expect(try await split(["fieldToSplitOut": "list"]) == [["a": 1], ["a": 2]])
        #expect(try await split(["fieldToSplitOut": "names"]) == [["names": "x"], ["names": "y"], ["names": "z"]])
        #expect(
            try await split(["fieldToSplitOut": "list", "include": "selectedOtherFields", "fieldsToInclude": "k"]) == [
                ["k": 0, "list": ["a": 1]], ["k": 0, "list": ["a": 2]]
            ])
        #expect(try await split(["fieldToSplitOut": "list", "options": ["destinationFieldName": "row"]]) == [["row": ["a": 1]], ["row": ["a": 2]]])
        #expect(try await split(["fieldToSplitOut": "none"]) == [])
    }

    @Test func `aggregate makes one item and knows where it came from`() async throws {
        let input = items(["a": ["b": 1], "c": [1]], ["a": ["b": 2], "c": [2, 3]], ["c": []])
        let fields: JSON = [
            "fieldToAggregate": [["fieldToAggregate": "a.b"], ["fieldToAggregate": "c", "renameField": true, "outputFieldName": "all"]]
        ]
        let made = try await harness.items(.make("aggregate", 1, ["fieldsToAggregate": fields, "options": ["mergeLists": true]]), inputs: [input])[0]
        #expect(made.map { JSON.object($0.json) } == [["b": [1, 2], "all": [1, 2, 3]]])
        #expect(made[0].pairedItem?.map(\.item) == [0, 1, 2])
        let whole = try await harness.node(
            .make("aggregate", 1, ["aggregate": "aggregateAllItemData", "include": "specifiedFields", "fieldsToInclude": "a"]), inputs: [input])
        #expect(whole[0] == [["data": [["a": ["b": 1]], ["a": ["b": 2]]]]])
    }

    @Test func `sort is stable, without case, and puts missing values last`() async throws {
        let input = items(["n": "b"], [:], ["n": "A"], ["n": "a", "k": 1])
        func sort(_ order: JSON) async throws -> [Item] {
            try await harness.items(.make("sort", 1, ["sortFieldsUi": ["sortField": [["fieldName": "n", "order": order]]]]), inputs: [input])[0]
        }
        #expect(try await sort("ascending").map { $0.pairedItem![0].item } == [2, 3, 0, 1])
        #expect(try await sort("descending").map { $0.pairedItem![0].item } == [0, 2, 3, 1])
        let code = try await harness.node(
            .make("sort", 1, ["type": "code", "code": "return (a.json.n ?? '').length - (b.json.n ?? '').length;"]), inputs: [input])
        #expect(code[0].first == [:])
        let once = try await harness.node(.make("sort", 1, ["type": "random"]), inputs: [input])
        #expect(try await harness.node(.make("sort", 1, ["type": "random"]), inputs: [input]) == once)
        #expect(Set(once[0]).count == 4)
    }

    @Test func `limit and remove duplicates keep what they say`() async throws {
        let input = items(["a": 1, "b": 1], ["a": 1, "b": 2], ["a": 2, "b": 2])
        #expect(try await harness.node(.make("limit", 1, [:]), inputs: [input])[0] == [["a": 1, "b": 1]])
        #expect(
            try await harness.node(.make("limit", 1, ["maxItems": 2, "keep": "lastItems"]), inputs: [input])[0] == [
                ["a": 1, "b": 2], ["a": 2, "b": 2]
            ])
        #expect(try await harness.node(.make("remove_duplicates", 2, [:]), inputs: [input])[0].count == 3)
        let selected: JSONObject = ["compare": "selectedFields", "fieldsToCompare": "a"]
        #expect(try await harness.node(.make("remove_duplicates", 1, selected), inputs: [input])[0] == [["a": 1, "b": 1], ["a": 2, "b": 2]])
        let old: JSONObject = ["operation": "removeDuplicates", "compare": "selectedFields", "fieldsToCompare": ["fields": [["fieldName": "b"]]]]
        #expect(try await harness.node(.make("item_lists", 1, old), inputs: [input])[0].count == 2)
        #expect(try await harness.node(.make("item_lists", 3, ["fieldToSplitOut": "l"]), inputs: [items(["l": [1, 2]])])[0] == [["l": 1], ["l": 2]])
    }

    @Test func `set keeps files as an option that was never added says`() async throws {
        let given = Item(json: ["a": ["b": 1]], binary: ["f": BinaryReference(id: "x", mimeType: "a/b", byteCount: 1)])
        func set(_ version: Double, _ config: JSONObject) async throws -> Item {
            try await harness.items(.make("set", version, config), inputs: [[given]])[0][0]
        }
        let cases: [(Double, JSON, Bool)] = [
            (3.4, [:], true), (3.4, ["stripBinary": true], false), (3.4, ["stripBinary": false], true), (3.3, [:], false),
            (3.3, ["includeBinary": true], true)
        ]
        for (version, options, keeps) in cases {
            #expect(try await set(version, ["includeOtherFields": true, "options": options]).binary.isEmpty != keeps, "\(version) \(options)")
        }
        #expect(try await set(3.4, ["includeOtherFields": true, "include": "selected", "includeFields": "a.b"]).json == ["b": 1])
        #expect(try await set(3.4, ["mode": "raw", "jsonOutput": ["x.y": 2]]).json == ["x": ["y": 2]])
    }

    @Test func `an expression that asks for a file's bytes is given them in base64`() async throws {
        let harness = KindsHarness()
        func file(_ text: String, _ byteCount: Int? = nil) -> BinaryReference {
            BinaryReference(id: harness.files.write(Array(text.utf8)), mimeType: "image/png", byteCount: byteCount ?? text.utf8.count)
        }
        func field(_ value: String, _ given: [Item]) async throws -> [JSON] {
            let config: JSONObject = ["assignments": ["assignments": [["name": "b", "type": "string", "value": .string(value)]]]]
            return try await harness.node(.make("set", 3.4, config), inputs: [given])[0].map { $0["b"] ?? .null }
        }
        let given = [Item(json: [:], binary: ["photo": file("hello")]), Item(json: [:], binary: ["photo": file("you")])]
        let cases: [(String, [JSON])] = [
            ("={{ $binary.photo.data }}", ["aGVsbG8=", "eW91"]),
            (
                "=data:{{ $binary['photo'].mimeType }};base64,{{ $binary['photo'].data }}",
                ["data:image/png;base64,aGVsbG8=", "data:image/png;base64,eW91"]
            ),
            ("=has {{ $input.item.binary?.photo?.data.length }}", ["has 8", "has 4"]),
            ("={{ $input.first().binary.photo.data }}", ["aGVsbG8=", "aGVsbG8="])
        ]
        for (value, expected) in cases { #expect(try await field(value, given) == expected, "\(value)") }
        let large = [Item(json: [:], binary: ["photo": file("", Limits.fileBytesInExpressions + 1)])]
        #expect(try await field("={{ $binary.photo.mimeType }}", large) == ["image/png"])
        let failure = await #expect(throws: StepFailure.self) { try await field("={{ $binary.photo.data }}", large) }
        #expect(failure?.code == "file_too_large")
    }
}
