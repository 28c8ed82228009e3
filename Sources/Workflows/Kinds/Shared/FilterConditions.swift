internal import Kernel

/// Conditions of `if` 2, `filter` 2 and `switch` 3: `{options, combinator, conditions: [{leftValue, rightValue, operator}]}`.
struct FilterConditions: Sendable {
    struct Condition: Sendable {
        var left: JSON?
        var right: JSON?
        var type: String
        var rightType: String
        var operation: String
        /// Whether the right side was written as it is; it is then converted even where types are strict.
        var rightIsLiteral: Bool
    }

    var conditions: [Condition]
    var matchesAny: Bool
    var caseSensitive: Bool
    var strict: Bool
    /// Of the format; from 2 on, loose booleans read the words true and false.
    var version: Double

    /// - Parameters:
    ///   - value: with its expressions evaluated.
    ///   - raw: the same as written.
    init(_ value: JSON, raw: JSON?) throws {
        let options = value["options"]
        caseSensitive = options.map { $0["caseSensitive"]?.isTruthy ?? false } ?? true
        strict = options.map { $0["typeValidation"] == "strict" } ?? true
        version = options?["version"]?.double ?? 1
        matchesAny = value["combinator"] == "or"
        conditions = try (value["conditions"]?.array ?? []).enumerated().map { index, condition in
            guard let type = condition["operator"]?["type"]?.text, let operation = condition["operator"]?["operation"]?.text else {
                throw StepFailure.invalid("conditions", "Condition \(index + 1) has no operator.")
            }
            let written = raw?["conditions"]?[index]?["rightValue"]?.text ?? ""
            return Condition(
                left: condition["leftValue"], right: condition["rightValue"], type: type,
                rightType: condition["operator"]?["rightType"]?.text ?? FilterConditions.rightType(type, operation), operation: operation,
                rightIsLiteral: !written.hasPrefix("="))
        }
    }

    /// What an operator compares with where it does not say: an array's elements have any type, its length is a number.
    private static func rightType(_ type: String, _ operation: String) -> String {
        guard type == "array" else { return type }
        return operation.hasPrefix("length") ? "number" : "any"
    }

    /// - Throws: `invalid_type` where types are strict and a value has another one.
    func hold(for test: PatternTest) async throws -> Bool {
        for (index, condition) in conditions.enumerated() {
            let met = try await holds(condition, at: index, test)
            if met == matchesAny { return met }
        }
        return !matchesAny
    }

    private func holds(_ condition: Condition, at index: Int, _ test: PatternTest) async throws -> Bool {
        let left = try typed(condition.left, as: condition.type, strict: strict, at: index, test)
        switch condition.operation {
        case "exists": return left != nil && left != .null
        case "notExists": return left == nil || left == .null
        default: break
        }
        let isUnary = ["empty", "notEmpty", "true", "false"].contains(condition.operation)
        let rightStrict = strict && !condition.rightIsLiteral
        let right = isUnary ? nil : try typed(condition.right, as: condition.rightType, strict: rightStrict, at: index, test)
        let comparison = FilterComparison(
            left: left, right: right, operation: condition.operation, ignoresCase: !caseSensitive, timeZone: test.step.timeZone, test: test)
        // n8n takes a condition with an unknown operator as unmet.
        return try await comparison.result(type: condition.type) ?? false
    }

    private func typed(_ value: JSON?, as type: String, strict: Bool, at index: Int, _ test: PatternTest) throws -> JSON? {
        guard let value, value != .null, type != "any" else { return value }
        if type == "boolean", !strict {
            if version >= 2, let read = TypeConversion.convert(value, to: "boolean", timeZone: test.step.timeZone) { return read }
            return .bool(value.isTruthy)
        }
        // From version 3 of the format on, an empty text or list is no number instead of 0.
        if type == "number", version >= 3, value == [] || value.text?.allSatisfy(\.isWhitespace) == true { return .null }
        let converted = strict ? strictly(value, type, test) : TypeConversion.convert(value, to: type, timeZone: test.step.timeZone)
        if let converted { return converted }
        let place = "[condition \(index), item \(test.item)]"
        let shown = value.coercedText.prefix(100)
        let message =
            strict
            ? "Wrong type: '\(shown)' is \(TypeConversion.article(value.typeName)) but was expecting \(TypeConversion.article(type)) \(place)"
            : "Conversion error: the \(value.typeName) '\(shown)' can't be converted to \(TypeConversion.article(type)) \(place)"
        throw StepFailure("invalid_type", message, itemIndex: test.item, isRetryable: false)
    }

    private func strictly(_ value: JSON, _ type: String, _ test: PatternTest) -> JSON? {
        switch type {
        case "dateTime": TypeConversion.convert(value, to: type, timeZone: test.step.timeZone)
        case value.typeName: value
        default: nil
        }
    }
}
