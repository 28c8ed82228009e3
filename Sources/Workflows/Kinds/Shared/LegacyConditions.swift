internal import Kernel

/// Conditions of `if` 1 and `filter` 1: lists by type, each entry `{value1, operation, value2}`, met all or any.
struct LegacyConditions: Sendable {
    private let conditions: JSON
    private let matchesAny: Bool

    init(_ conditions: JSON, matchesAny: Bool) {
        self.conditions = conditions
        self.matchesAny = matchesAny
    }

    /// Without any condition all are met.
    func hold(for test: PatternTest) async throws -> Bool {
        var seen = false
        for type in ["boolean", "dateTime", "number", "string"] {
            for entry in conditions[type]?.array ?? [] {
                seen = true
                let met = try await LegacyComparison(type: type, entry: entry, timeZone: test.step.timeZone).holds(test)
                if met == matchesAny { return met }
            }
        }
        return !matchesAny || !seen
    }
}

/// One comparison as `if` 1 and `switch` 1 and 2 make it, without conversion of types beyond ECMAScript's.
struct LegacyComparison: Sendable {
    let left: JSON?
    let right: JSON?
    let operation: String
    let timeZone: String

    init(type: String, entry: JSON, timeZone: String) {
        let fallback: [String: (JSON, String)] = [
            "boolean": (false, "equal"), "number": (0, "smaller"), "string": ("", "equal"), "dateTime": ("", "after")
        ]
        let (value, operation) = fallback[type] ?? ("", "equal")
        self.init(
            left: entry["value1"] ?? value, right: entry["value2"] ?? value, operation: entry["operation"]?.text ?? operation,
            timeZone: timeZone, comparesTimes: type == "dateTime")
    }

    init(left: JSON?, right: JSON?, operation: String, timeZone: String, comparesTimes: Bool = false) {
        func time(_ value: JSON?) -> JSON? {
            guard comparesTimes, let value else { return value }
            return LooseTime.parse(value, timeZone: timeZone).map { .number(Double($0.milliseconds)) } ?? .null
        }
        self.left = time(left)
        self.right = time(right)
        self.operation = operation
        self.timeZone = timeZone
    }

    func holds(_ test: PatternTest) async throws -> Bool {
        let text = LegacyComparison.text(left)
        let other = LegacyComparison.text(right)
        switch operation {
        case "equal": return left == right
        case "notEqual": return left != right
        case "larger", "after": return number(left) > number(right)
        case "largerEqual": return number(left) >= number(right)
        case "smaller", "before": return number(left) < number(right)
        case "smallerEqual": return number(left) <= number(right)
        case "contains": return other.isEmpty || text.contains(other)
        case "notContains": return !(other.isEmpty || text.contains(other))
        case "startsWith": return text.hasPrefix(other)
        case "notStartsWith": return !text.hasPrefix(other)
        case "endsWith": return text.hasSuffix(other)
        case "notEndsWith": return !text.hasSuffix(other)
        case "isEmpty": return isEmpty
        case "isNotEmpty": return !isEmpty
        case "regex": return try await test.matches(text, pattern: other)
        case "notRegex": return try await !test.matches(text, pattern: other)
        default: throw StepFailure.invalid("operation", "The operation '\(operation)' is unknown.", item: test.item)
        }
    }

    private var isEmpty: Bool {
        switch left {
        case nil, .null?, ""?: true
        case .array(let elements)?: elements.isEmpty
        case .object(let members)?: members.isEmpty
        case .number(let value)?: value.isNaN
        default: false
        }
    }

    private func number(_ value: JSON?) -> Double { value?.isTruthy == true ? value!.coercedNumber : 0 }
    private static func text(_ value: JSON?) -> String { value?.isTruthy == true ? value!.coercedText : "" }
}
