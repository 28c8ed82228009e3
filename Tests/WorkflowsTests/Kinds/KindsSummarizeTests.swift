import Kernel
import Testing

@testable import Workflows

@Suite struct KindsSummarizeTests {
    let harness = KindsHarness()
    let sales = items(
        ["city": "Rome", "year": 2024, "amount": 10, "tag": "a"], ["city": "Oslo", "year": 2024, "amount": 5, "tag": ""],
        ["city": "Rome", "year": 2025, "amount": 7.5, "tag": "a"], ["city": "Rome", "year": 2025, "amount": "x", "tag": "b"])

    func summary(_ entries: [JSON], version: Double = 1.1, by: JSON = "", options: JSON = [:]) async throws -> [JSON] {
        let config: JSONObject = ["fieldsToSummarize": ["values": .array(entries)], "fieldsToSplitBy": by, "options": options]
        return try await harness.node(.make("summarize", version, config), inputs: [sales])[0]
    }

    @Test func `every aggregation`() async throws {
        let all: [JSON] = ["append", "average", "concatenate", "count", "countUnique", "max", "min", "sum"].map {
            ["aggregation": .string($0), "field": $0 == "append" || $0 == "concatenate" || $0 == "countUnique" ? "tag" : "amount"]
        }
        #expect(
            try await summary(all) == [
                [
                    "appended_tag": ["a", "a", "b"], "average_amount": 7.5, "concatenated_tag": "a,a,b", "count_amount": 4, "unique_count_tag": 2,
                    "max_amount": 10, "min_amount": 5, "sum_amount": 22.5
                ]
            ])
    }

    @Test func `empty values count where they are included, and separators are chosen`() async throws {
        let entries: [JSON] = [
            ["aggregation": "concatenate", "field": "tag", "includeEmpty": true, "separateBy": "other", "customSeparator": "|"],
            ["aggregation": "countUnique", "field": "tag", "includeEmpty": true]
        ]
        #expect(try await summary(entries) == [["concatenated_tag": "a||a|b", "unique_count_tag": 3]])
        #expect(try await summary([["field": "city"]]) == [["count_city": 4]], "count is the default")
        #expect(try await summary([["aggregation": "concatenate", "field": "tag", "separateBy": "\n"]]) == [["concatenated_tag": "a\na\nb"]])
    }

    @Test func `groups are items, or members of one item`() async throws {
        let sum: [JSON] = [["aggregation": "sum", "field": "amount"]]
        #expect(
            try await summary(sum, by: "city, year") == [
                ["city": "Rome", "year": 2024, "sum_amount": 10], ["city": "Rome", "year": 2025, "sum_amount": 7.5],
                ["city": "Oslo", "year": 2024, "sum_amount": 5]
            ])
        #expect(try await summary(sum, version: 1, by: "year") == [["year": "2024", "sum_amount": 15], ["year": "2025", "sum_amount": 7.5]])
        #expect(
            try await summary(sum, by: "city,year", options: ["outputFormat": "singleItem"]) == [
                ["Rome": ["2024": ["sum_amount": 10], "2025": ["sum_amount": 7.5]], "Oslo": ["2024": ["sum_amount": 5]]]
            ])
        #expect(try await summary([["field": "city"]], by: "tag", options: ["skipEmptySplitFields": true]).count == 2)
    }

    @Test func `lineage tells the items of each group`() async throws {
        let config: JSONObject = ["fieldsToSummarize": ["values": [["field": "city"]]], "fieldsToSplitBy": "city"]
        let made = try await harness.items(.make("summarize", 1.1, config), inputs: [sales])[0]
        #expect(made.map { $0.pairedItem?.map(\.item) ?? [] } == [[0, 2, 3], [1]])
    }

    @Test func `a field that no item has stops version 1 alone`() async throws {
        await #expect(throws: StepFailure.self) { try await summary([["field": "none"]], version: 1) }
        #expect(try await summary([["field": "none"]], version: 1, options: ["continueIfFieldNotFound": true]) == [["count_none": 0]])
        #expect(try await summary([["aggregation": "max", "field": "none"]]) == [["max_none": .null]])
        await #expect(throws: StepFailure.self) { try await summary([["aggregation": "sum", "field": ""]]) }
    }

    @Test func `names of fields lose dots and brackets in the result`() async throws {
        let config: JSONObject = ["fieldsToSummarize": ["values": [["aggregation": "sum", "field": "a['b c'].d"]]]]
        let made = try await harness.node(.make("summarize", 1.1, config), inputs: [items(["a": ["b c": ["d": 2]]])])[0]
        #expect(made == [["sum_a'b_c'_d": 2]])
    }

    @Test func `computed fields come first, then the group's keys from the innermost out`() async throws {
        let made = try await summary([["aggregation": "sum", "field": "amount"]], by: "city, year")
        #expect(made.first?.object?.keys == ["sum_amount", "year", "city"])
    }

    @Test func `items without the field are a group without a key, apart from null`() async throws {
        let config: JSONObject = ["fieldsToSummarize": ["values": [["field": "n"]]], "fieldsToSplitBy": "g"]
        let input = items(["n": 1], ["n": 2, "g": .null], ["n": 3, "g": 7])
        let made = try await harness.node(.make("summarize", 1.1, config), inputs: [input])[0]
        #expect(made == [["count_n": 1], ["count_n": 1, "g": .null], ["count_n": 1, "g": 7]])
        let old = try await harness.node(.make("summarize", 1, config), inputs: [input])[0]
        #expect(old == [["count_n": 1, "g": "undefined"], ["count_n": 1, "g": "null"], ["count_n": 1, "g": "7"]])
    }
}
