import Kernel
import Testing

@testable import Workflows

/// n8n's filter: every operator of every type, with types strict and loose.
@Suite struct KindsFilterTests {
    let harness = KindsHarness()

    /// Values are given as expressions, so that nothing counts as written by hand.
    func holds(
        _ left: JSON?, _ type: String, _ operation: String, _ right: JSON? = nil, strict: Bool = true, caseSensitive: Bool = true, version: Int = 2
    ) async throws -> Bool {
        let options: JSON = [
            "caseSensitive": .bool(caseSensitive), "typeValidation": strict ? "strict" : "loose", "version": .number(Double(version))
        ]
        let condition: JSON = [
            "leftValue": "={{ $json.l }}", "rightValue": "={{ $json.r }}", "operator": ["type": .string(type), "operation": .string(operation)]
        ]
        let config: JSONObject = ["conditions": ["options": options, "combinator": "and", "conditions": [condition]]]
        var json = JSONObject()
        json["l"] = left
        json["r"] = right
        return try await harness.items(.make("if", 2.2, config), inputs: [[Item(json: json)]])[0].count == 1
    }

    @Test(arguments: [
        ("equals", "a", "a", true), ("equals", "a", "A", false), ("notEquals", "a", "b", true), ("contains", "abc", "b", true),
        ("contains", "abc", "", true), ("notContains", "abc", "b", false), ("startsWith", "abc", "ab", true), ("notStartsWith", "abc", "b", true),
        ("endsWith", "abc", "bc", true), ("notEndsWith", "abc", "c", false), ("regex", "abc", "^a.c$", true), ("notRegex", "abc", "^b", true),
        ("regex", "ABC", "/b/i", true), ("nonsense", "a", "a", false)
    ]) func `texts`(_ operation: String, _ left: String, _ right: String, _ expected: Bool) async throws {
        #expect(try await holds(.string(left), "string", operation, .string(right)) == expected)
    }

    @Test func `case can be ignored, in patterns too`() async throws {
        #expect(try await holds("aBc", "string", "equals", "AbC", caseSensitive: false))
        #expect(try await holds("aBc", "string", "contains", "BC", caseSensitive: false))
        #expect(try await holds("ABC", "string", "regex", "B", caseSensitive: false))
        #expect(try await holds("abc", "string", "regex", "B", caseSensitive: false))
        #expect(try await !holds("abc", "string", "regex", "B"))
        #expect(try await holds(["A"], "array", "contains", "a", caseSensitive: false))
    }

    @Test func `a missing text is an empty one`() async throws {
        for missing: JSON? in [nil, .null] {
            #expect(try await holds(missing, "string", "equals", ""))
            #expect(try await holds(missing, "string", "empty"))
            #expect(try await holds(missing, "string", "notExists"))
            #expect(try await holds(missing, "string", "contains", ""))
            #expect(try await !holds(missing, "string", "contains", "a"))
            #expect(try await holds(missing, "string", "notEquals", "a"))
        }
        #expect(try await holds("", "string", "exists"))
        #expect(try await holds("x", "string", "notEmpty"))
    }

    @Test(arguments: [
        ("equals", 1.0, 1.0, true), ("notEquals", 1, 2, true), ("gt", 2, 1, true), ("gt", 1, 1, false), ("lt", 1, 2, true), ("gte", 1, 1, true),
        ("lte", 2, 1, false)
    ]) func `numbers`(_ operation: String, _ left: Double, _ right: Double, _ expected: Bool) async throws {
        #expect(try await holds(.number(left), "number", operation, .number(right)) == expected)
    }

    @Test func `null counts as nought, and a missing number as none`() async throws {
        #expect(try await holds(.null, "number", "gt", -1))
        #expect(try await holds(.null, "number", "lte", 0))
        #expect(try await !holds(nil, "number", "gt", -1))
        #expect(try await !holds(nil, "number", "lt", 1))
        #expect(try await holds(nil, "number", "empty"))
        #expect(try await holds(.null, "number", "empty"))
        #expect(try await holds(0, "number", "notEmpty"))
        #expect(try await holds(.null, "number", "equals", .null))
        #expect(try await !holds(.null, "number", "equals", 0))
        #expect(try await holds("", "number", "equals", 0, strict: false), "until version 2 an empty text is 0")
        #expect(try await holds("", "number", "empty", strict: false, version: 3))
        #expect(try await !holds("", "number", "equals", 0, strict: false, version: 3))
    }

    @Test(arguments: [
        ("equals", "2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00", true), ("notEquals", "2026-03-01", "2026-03-02", true),
        ("after", "2026-03-02", "2026-03-01", true), ("before", "2026-03-02", "2026-03-01", false),
        ("afterOrEquals", "2026-03-01", "2026-03-01", true),
        ("beforeOrEquals", "2026-03-01", "2026-02-28", false)
    ]) func `times`(_ operation: String, _ left: String, _ right: String, _ expected: Bool) async throws {
        #expect(try await holds(.string(left), "dateTime", operation, .string(right)) == expected)
    }

    @Test func `a missing time is neither before nor after`() async throws {
        #expect(try await !holds(nil, "dateTime", "before", "2026-03-01"))
        #expect(try await !holds(nil, "dateTime", "after", "2026-03-01"))
        #expect(try await holds(nil, "dateTime", "empty"))
        #expect(try await holds("2026-03-01", "dateTime", "notEmpty"))
        await #expect(throws: StepFailure.self) { try await holds("soon", "dateTime", "after", "2026-03-01") }
    }

    @Test func `booleans`() async throws {
        #expect(try await holds(true, "boolean", "true"))
        #expect(try await holds(false, "boolean", "false"))
        #expect(try await holds(nil, "boolean", "false"))
        #expect(try await holds(true, "boolean", "equals", true))
        #expect(try await holds(true, "boolean", "notEquals", false))
        #expect(try await holds(nil, "boolean", "empty"))
        #expect(try await holds(false, "boolean", "exists"))
        #expect(try await holds("false", "boolean", "true", strict: false, version: 1), "in version 1 every text is true")
        #expect(try await holds("false", "boolean", "false", strict: false))
        #expect(try await holds("yes", "boolean", "true", strict: false))
    }

    @Test func `lists and objects`() async throws {
        let list: JSON = [1, "a", ["k": 1]]
        #expect(try await holds(list, "array", "contains", 1))
        #expect(try await holds(list, "array", "contains", "a"))
        #expect(try await !holds(list, "array", "contains", "1"))
        #expect(try await !holds(list, "array", "contains", ["k": 1]), "objects are equal to themselves alone")
        #expect(try await holds(list, "array", "notContains", "b"))
        #expect(try await holds(list, "array", "lengthEquals", 3))
        #expect(try await holds(list, "array", "lengthNotEquals", 2))
        #expect(try await holds(list, "array", "lengthGt", 2))
        #expect(try await holds(list, "array", "lengthLt", 4))
        #expect(try await !holds(list, "array", "lengthGte", 4))
        #expect(try await holds(list, "array", "lengthLte", 3))
        #expect(try await holds([], "array", "empty"))
        #expect(try await holds(nil, "array", "empty"))
        #expect(try await holds(["k": 1], "object", "notEmpty"))
        #expect(try await holds([:], "object", "empty"))
        #expect(try await holds(nil, "object", "notExists"))
    }

    @Test(
        arguments: [
            ("string", .number(1)), ("number", "1"), ("boolean", "true"), ("array", "[1]"), ("object", "{}"), ("string", .bool(true)),
            ("number", .bool(true))
        ] as [(String, JSON)]) func `strict types take no other, loose ones convert`(_ type: String, _ value: JSON) async throws
    {
        let failure = await #expect(throws: StepFailure.self) { try await holds(value, type, "exists") }
        #expect(failure?.message.hasPrefix("Wrong type: '") == true && failure?.message.hasSuffix("[condition 0, item 0]") == true)
        #expect(try await holds(value, type, "exists", strict: false))
    }

    @Test(arguments: [("number", "many"), ("array", "x"), ("object", "[1]"), ("dateTime", "soon")])
    func `what cannot be converted is an error`(_ type: String, _ value: String) async throws {
        let failure = await #expect(throws: StepFailure.self) { try await holds(.string(value), type, "exists", strict: false) }
        #expect(failure?.message.hasPrefix("Conversion error: the string '\(value)' can't be converted to a") == true)
    }
}
