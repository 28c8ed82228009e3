import Kernel
import Testing

@testable import Workflows

@Suite struct KindsCompareTests {
    let harness = KindsHarness()

    func compared(_ config: JSONObject, version: Double = 2.3, _ first: [Item], _ second: [Item]) async throws -> [[JSON]] {
        var config = config
        config["mergeByFields"] = ["values": [["field1": "id", "field2": "id"]]]
        return try await harness.node(.make("compare_datasets", version, config), inputs: [first, second])
    }

    let first = items(["id": 1, "a": "x"], ["id": 2, "a": "y", "b": 1], ["id": 3])
    let second = items(["id": 2, "a": "z", "b": 1], ["id": 1, "a": "x"], ["id": 4])

    @Test func `items are parted in four`() async throws {
        let outputs = try await compared([:], first, second)
        #expect(outputs[0] == [["id": 3]] && outputs[1] == [["id": 1, "a": "x"]] && outputs[3] == [["id": 4]])
        #expect(outputs[2] == [["keys": ["id": 2], "same": ["id": 2, "b": 1], "different": ["a": ["inputA": "y", "inputB": "z"]]]])
    }

    @Test func `a difference is resolved as asked, and by default as the version has it`() async throws {
        #expect(try await compared(["resolve": "preferInput1"], first, second)[2] == [["id": 2, "a": "y", "b": 1]])
        #expect(try await compared([:], version: 1, first, second)[2] == [["id": 2, "a": "z", "b": 1]])
        let mix: JSONObject = ["resolve": "mix", "preferWhenMix": "input2", "exceptWhenMix": "a"]
        #expect(try await compared(mix, first, second)[2] == [["id": 2, "a": "y", "b": 1]])
    }

    @Test func `skipped fields do not make a difference, and are told apart`() async throws {
        #expect(try await compared(["options": ["skipFields": "a"]], first, second)[1] == [["id": 1, "a": "x"], ["id": 2, "a": "y", "b": 1]])
        let more = try await compared(["options": ["skipFields": "a"]], items(["id": 1, "a": 1, "b": 1]), items(["id": 1, "a": 2, "b": 2]))
        #expect(more[2].first?["skipped"] == ["a": ["inputA": 1, "inputB": 2]] && more[2].first?["different"] == ["b": ["inputA": 1, "inputB": 2]])
    }

    @Test func `one or all matches count`() async throws {
        let twice = items(["id": 1, "a": "x"], ["id": 1, "a": "w"])
        #expect(try await compared([:], first, twice)[3] == [["id": 1, "a": "w"]])
        let all = try await compared(["options": ["multipleMatches": "all"], "resolve": "preferInput2"], first, twice)
        #expect(all[1] == [["id": 1, "a": "x"]] && all[2] == [["id": 1, "a": "w"]] && all[3] == [])
    }

    @Test func `inputs with too many matches are refused before any difference is made`() async throws {
        let many: [Item] = (0..<1_001).map { Item(json: ["id": 1, "a": .number(Double($0))]) }
        let others: [Item] = (0..<1_000).map { _ in Item(json: ["id": 1]) }
        let failure = await #expect(throws: StepFailure.self) { try await compared(["options": ["multipleMatches": "all"]], many, others) }
        #expect(failure?.code == "too_many_items" && failure?.isRetryable == false)
        #expect(try await compared([:], many, others)[2].count == 1_001)
    }

    @Test func `types can be overlooked`() async throws {
        let (a, b) = (items(["id": 1, "v": true, "n": .null, "o": ["k": 1]]), items(["id": "1", "v": "TRUE", "n": "", "o": "{\"k\":1}"]))
        #expect(try await compared(["fuzzyCompare": true], a, b)[1].count == 1)
        #expect(try await compared(["options": ["fuzzyCompare": true]], version: 1, a, b)[1].count == 1)
        #expect(try await compared([:], a, b)[0].count == 1)
        #expect(!FuzzyValue.equal("True", "true") && FuzzyValue.equal(true, 1) && FuzzyValue.equal("0", false) && !FuzzyValue.equal("3.0", 3))
    }

    @Test func `a field that no item has is an error, and empty items do not count`() async throws {
        await #expect(throws: StepFailure.self) { try await compared([:], items(["x": 1]), second) }
        let outputs = try await compared([:], items([:]), second)
        #expect(outputs[0] == [] && outputs[3].count == 3)
    }

    @Test func `merge overlooks types in the same way`() async throws {
        let config: JSONObject = ["mode": "combine", "fieldsToMatchString": "id", "options": ["fuzzyCompare": true]]
        let inputs = [
            items(["id": 1, "a": 1], ["id": "True", "a": 2], ["id": "", "a": 3]),
            items(["id": "1", "b": 1], ["id": "true", "b": 2], ["id": .null, "b": 3])
        ]
        let merged = try await harness.node(.make("merge", 3, config), inputs: inputs)[0]
        #expect(merged.map { $0["a"] } == [1, 3], "two texts are compared as they are")
    }
}
