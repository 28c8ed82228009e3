internal import Kernel

/// One comparison of a filter, after both sides have their type; nil stands for `undefined`.
struct FilterComparison: Sendable {
    let left: JSON?
    let right: JSON?
    let operation: String
    let ignoresCase: Bool
    let timeZone: String
    let test: PatternTest

    /// Whether a type has an operation; all have `exists` and `notExists`.
    static func knows(_ operation: String, of type: String) -> Bool {
        ["exists", "notExists"].contains(operation) || operations[type]?.contains(operation) == true
    }

    private static let operations: [String: Set<String>] = [
        "string": [
            "empty", "notEmpty", "equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith", "regex",
            "notRegex"
        ],
        "number": ["empty", "notEmpty", "equals", "notEquals", "gt", "lt", "gte", "lte"],
        "dateTime": ["empty", "notEmpty", "equals", "notEquals", "after", "before", "afterOrEquals", "beforeOrEquals"],
        "boolean": ["empty", "notEmpty", "true", "false", "equals", "notEquals"],
        "array": [
            "empty", "notEmpty", "contains", "notContains", "lengthEquals", "lengthNotEquals", "lengthGt", "lengthLt", "lengthGte", "lengthLte"
        ],
        "object": ["empty", "notEmpty"]
    ]

    private var isMissing: Bool { left == nil || left == .null }

    /// nil where the type has no such operation.
    func result(type: String) async throws -> Bool? {
        switch type {
        case "string": try await string()
        case "number": number()
        case "dateTime": dateTime()
        case "boolean": boolean()
        case "array": array()
        case "object": object()
        default: nil
        }
    }

    private func folded(_ value: JSON?) -> String { ignoresCase ? (value?.text ?? "").lowercased() : value?.text ?? "" }

    private func string() async throws -> Bool? {
        let text = folded(left)
        let other = folded(right)
        switch operation {
        case "empty": return text.isEmpty
        case "notEmpty": return !text.isEmpty
        case "equals": return text == other
        case "notEquals": return text != other
        case "contains": return other.isEmpty || text.contains(other)
        case "notContains": return !(other.isEmpty || text.contains(other))
        case "startsWith": return text.hasPrefix(other)
        case "notStartsWith": return !text.hasPrefix(other)
        case "endsWith": return text.hasSuffix(other)
        case "notEndsWith": return !text.hasSuffix(other)
        case "regex": return try await test.matches(left?.text ?? "", pattern: right?.text ?? "", ignoresCase: ignoresCase)
        case "notRegex": return try await !test.matches(left?.text ?? "", pattern: right?.text ?? "", ignoresCase: ignoresCase)
        default: return nil
        }
    }

    /// A missing number is none, and null counts as 0, as in ECMAScript.
    private func number() -> Bool? {
        let a = left?.coercedNumber ?? .nan
        let b = right?.coercedNumber ?? .nan
        switch operation {
        case "empty": return isMissing
        case "notEmpty": return !isMissing
        case "equals": return left == right
        case "notEquals": return left != right
        case "gt": return a > b
        case "lt": return a < b
        case "gte": return a >= b
        case "lte": return a <= b
        default: return nil
        }
    }

    private func dateTime() -> Bool? {
        if operation == "empty" { return isMissing }
        if operation == "notEmpty" { return !isMissing }
        let known = ["equals", "notEquals", "after", "before", "afterOrEquals", "beforeOrEquals"]
        guard known.contains(operation) else { return nil }
        guard let left, let right, let a = LooseTime.parse(left, timeZone: timeZone)?.milliseconds,
            let b = LooseTime.parse(right, timeZone: timeZone)?.milliseconds
        else { return false }
        switch operation {
        case "equals": return a == b
        case "notEquals": return a != b
        case "after": return a > b
        case "before": return a < b
        case "afterOrEquals": return a >= b
        default: return a <= b
        }
    }

    private func boolean() -> Bool? {
        switch operation {
        case "empty": isMissing
        case "notEmpty": !isMissing
        case "true": left?.isTruthy ?? false
        case "false": !(left?.isTruthy ?? false)
        case "equals": left == right
        case "notEquals": left != right
        default: nil
        }
    }

    private func array() -> Bool? {
        let elements = left?.array ?? []
        let count = Double(elements.count)
        let length = right?.coercedNumber ?? .nan
        switch operation {
        case "empty": return elements.isEmpty
        case "notEmpty": return !elements.isEmpty
        case "contains": return contains(elements)
        case "notContains": return !contains(elements)
        case "lengthEquals": return count == length
        case "lengthNotEquals": return count != length
        case "lengthGt": return count > length
        case "lengthLt": return count < length
        case "lengthGte": return count >= length
        case "lengthLte": return count <= length
        default: return nil
        }
    }

    /// Objects and lists are equal to none but themselves, as in ECMAScript, and so are never contained.
    private func contains(_ elements: [JSON]) -> Bool {
        guard let right, right.array == nil, right.object == nil else { return false }
        guard ignoresCase, case .string(let wanted) = right else { return elements.contains(right) }
        return elements.contains { $0.text.map { $0.lowercased() == wanted.lowercased() } ?? false }
    }

    private func object() -> Bool? {
        switch operation {
        case "empty": left?.object?.isEmpty ?? true
        case "notEmpty": !(left?.object?.isEmpty ?? true)
        default: nil
        }
    }
}
