import Foundation
import Kernel
import Testing

@testable import Workflows

@Suite struct KindsOtherTests {
    let harness = KindsHarness()

    func all(_ kind: String, _ version: Double, _ config: JSONObject, _ inputs: [Item]) async throws -> [JSON] {
        try await harness.node(.make(kind, version, config), inputs: [inputs])[0]
    }

    @Test func `keys are renamed by patterns, on so many levels`() async throws {
        func renamed(_ entries: JSON...) async throws -> JSON? {
            let config: JSONObject = ["additionalOptions": ["regexReplacement": ["replacements": .array(entries)]]]
            return try await all("rename_keys", 1, config, items(["my_name": 1, "in": ["my_age": 2, "list": [["my_x": 3]]]])).first
        }
        #expect(try await renamed(["searchRegex": "^my_(.*)", "replaceRegex": "$1"]) == ["name": 1, "in": ["age": 2, "list": [["x": 3]]]])
        #expect(
            try await renamed(["searchRegex": "^MY_", "replaceRegex": "", "options": ["caseInsensitive": true, "depth": 0]]) == [
                "name": 1, "in": ["my_age": 2, "list": [["my_x": 3]]]
            ])
        #expect(
            try await renamed(
                ["searchRegex": "my_", "replaceRegex": "a_", "options": ["depth": 1]],
                ["searchRegex": "^a_", "replaceRegex": "b_", "options": ["depth": 0]]) == ["b_name": 1, "in": ["a_age": 2, "list": [["my_x": 3]]]])
        await #expect(throws: (any Error).self) { try await renamed(["searchRegex": "(", "replaceRegex": ""]) }
    }

    @Test func `the debug helper fails, passes on, or draws data that a seed repeats`() async throws {
        let failure = await #expect(throws: StepFailure.self) { try await all("debug_helper", 1, ["throwErrorMessage": "bang"], items([:])) }
        #expect(failure?.message == "bang")
        #expect(try await all("debug_helper", 1, ["category": "doNothing"], items(["a": 1])) == [["a": 1]])
        func drawn(_ type: String, _ more: JSONObject = [:]) async throws -> [JSON] {
            var config: JSONObject = ["category": "randomData", "randomDataType": .string(type), "randomDataCount": 3, "randomDataSeed": "s"]
            config.merge(more)
            return try await all("debug_helper", 1, config, items([:]))
        }
        for (type, member) in [
            ("user", "email"), ("address", "city"), ("creditCard", "number"), ("email", "email"), ("ipv4", "ip"), ("ipv6", "ipv6"),
            ("macAddress", "mac"), ("nanoid", "nanoId"), ("url", "url"), ("uuid", "uuid"), ("semver", "version"), ("latLong", "location")
        ] {
            let first = try await drawn(type)
            let again = try await drawn(type)
            #expect(first.count == 3 && first.allSatisfy { $0[member] != nil } && first == again, "\(type)")
        }
        #expect(try await drawn("uuid", ["randomDataSingleArray": true]).first?["generatedItems"]?.array?.count == 3)
        #expect(try await drawn("nanoid", ["nanoidAlphabet": "x", "nanoidLength": "5"]).first == ["nanoId": "xxxxx"])
        let longest = try await drawn("nanoid", ["nanoidAlphabet": "x", "nanoidLength": 1e300, "randomDataCount": 1])
        #expect(longest.first?["nanoId"]?.text?.utf8.count == KindLimits.randomBytes)
        #expect(try await drawn("uuid").allSatisfy { UUID(uuidString: $0["uuid"]?.text ?? "") != nil })
    }

    @Test func `execution data is noted, and items go on`() async throws {
        let config: JSONObject = ["dataToSave": ["values": [["key": "order", "value": "={{ $json.id }}"]]]]
        #expect(try await all("execution_data", 1, config, items(["id": 7])) == [["id": 7]])
    }

    @Test func `an old interval node is a schedule`() throws {
        func next(_ config: JSONObject) throws -> Timestamp? {
            let node = WorkflowNode(id: "t", category: .trigger, kind: "interval", name: "T", config: config)
            return try Schedule(node, kind: KindRegistry.builtIn.kind("interval")!, timeZone: "UTC").next(after: Timestamp("2026-03-10T12:00:00Z")!)
        }
        #expect(try next([:]) == Timestamp("2026-03-10T12:00:01Z"))
        #expect(try next(["interval": 5, "unit": "minutes"]) == Timestamp("2026-03-10T12:05:00Z"))
        #expect(try next(["interval": 6, "unit": "hours"]) == Timestamp("2026-03-10T18:00:00Z"))
        #expect(throws: Refusal.self) { try next(["unit": "moons"]) }
    }

    @Test func `item lists summarize as the node that took over`() async throws {
        let config: JSONObject = ["operation": "summarize", "fieldsToSummarize": ["values": [["aggregation": "sum", "field": "n"]]]]
        #expect(try await all("item_lists", 3.1, config, items(["n": 1], ["n": 2])) == [["sum_n": 3]])
    }

    @Test func `JMESPath in expressions gives what its library gives`() async throws {
        let reference = try Reference.json("jmespath")
        let cases = reference["cases"]?.array ?? []
        #expect(cases.count >= 75)
        let queries = JSON.array(cases.compactMap { $0["query"] })
        let config: JSONObject = [
            "mode": "raw", "jsonOutput": "={{ { results: $json.queries.map((query) => $jmespath($json.data, query) ?? null) } }}"
        ]
        let made = try await all("set", 3.4, config, [Item(json: ["data": reference["data"] ?? [:], "queries": queries])])
        let results = made.first?["results"]?.array ?? []
        #expect(results.count == cases.count)
        for (wanted, result) in zip(cases, results) { #expect(result == wanted["result"], "\(wanted["query"]?.text ?? "")") }
    }

    @Test func `split out takes files, lists of lists, and fields by name`() async throws {
        var item = Item(json: ["rows": [[1, 2], [3]], "a": ["b": "x"]])
        for name in ["one", "two"] {
            item.binary[name] = BinaryReference(id: name, mimeType: "text/plain", fileName: nil, byteCount: 1)
        }
        let files = try await harness.items(.make("split_out", 1, ["fieldToSplitOut": "$binary"]), inputs: [[item]])[0]
        #expect(files.map { $0.binary.keys.sorted() } == [["one"], ["two"]])
        #expect(try await all("split_out", 1, ["fieldToSplitOut": "rows"], [item]) == [["0": 1, "1": 2], ["0": 3]])
        let selected: JSONObject = ["fieldToSplitOut": "rows", "include": "selectedOtherFields", "fieldsToInclude": "a.b, none"]
        #expect(try await all("split_out", 1, selected, [item]) == [["rows": [1, 2], "a.b": "x"], ["rows": [3], "a.b": "x"]])
    }

    @Test func `duplicates are compared by all values, which every item must have`() async throws {
        func unique(_ version: Double, _ config: JSONObject, _ inputs: JSON...) async throws -> [JSON] {
            try await all("remove_duplicates", version, config, inputs.map { Item(json: $0.object ?? [:]) })
        }
        #expect(try await unique(2, [:], ["a": ["b": 1]], ["a": ["b": 1]], ["a": ["b": 2]]) == [["a": ["b": 1]], ["a": ["b": 2]]])
        #expect(try await unique(2, [:], ["a": 1, "e": []], ["a": 1, "e": [:]]) == [["a": 1, "e": []]], "what is empty has no values")
        await #expect(throws: StepFailure.self) { try await unique(2, [:], ["a": 1], ["b": 1]) }
        await #expect(throws: StepFailure.self) { try await unique(2, [:], ["a": 1], ["a": "1"]) }
        #expect(try await unique(2, [:], ["a": 1], ["a": .null], ["a": .null]).count == 2)
        await #expect(throws: StepFailure.self) { try await unique(1, [:], ["a": 1], ["a": .null]) }
        let selected: JSONObject = ["compare": "selectedFields", "fieldsToCompare": "a.b", "options": ["removeOtherFields": true]]
        #expect(try await unique(2, selected, ["a": ["b": 1], "c": 1], ["a": ["b": 1], "c": 2]) == [["a": ["b": 1]]])
    }

    @Test func `sorting by a field that no item has is an error`() async throws {
        let config: JSONObject = ["sortFieldsUi": ["sortField": [["fieldName": "none"]]]]
        await #expect(throws: StepFailure.self) { try await all("sort", 1, config, items(["a": 1])) }
    }
}
