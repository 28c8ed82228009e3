internal import Kernel

/// Comparison that overlooks types: 3 and "3", true and "true", null and "" are equal.
enum FuzzyValue {
    /// Two values are loosely equal where their normal forms are equal.
    static func normal(_ value: JSON) -> JSON {
        switch value {
        case .null, "", "null", "undefined": return .null
        case .string(let text):
            if text.lowercased() == "true" { return true }
            if text.lowercased() == "false" { return false }
            let number = value.coercedNumber
            return number.isNaN ? value : .number(number)
        case .array(let elements): return elements.isEmpty ? .null : .array(elements.map(normal))
        case .object(let members):
            return members.isEmpty ? .null : .object(JSONObject(members.map { ($0.key, normal($0.value)) }))
        default: return value
        }
    }

    /// Comparison as n8n's "fuzzy compare" has it: of equal types strictly, else by what a text says; nothing, an empty text and an
    /// empty list are the same.
    static func equal(_ left: JSON?, _ right: JSON?) -> Bool {
        if let left, let right, !left.isNull, !right.isNull, type(left) == type(right) { return left == right }
        if isNothing(left), isNothing(right) { return true }
        guard let left, let right else { return false }
        return reads(left, as: right) || reads(right, as: left) || left == right
    }

    /// Equal values have equal buckets; the reverse is not so.
    static func bucket(_ value: JSON) -> JSON {
        if let parsed = parsed(value) { return normal(parsed) }
        switch normal(value) {
        case .bool(let flag): return .number(flag ? 1 : 0)
        case let normal: return normal
        }
    }

    /// ECMAScript's `typeof`.
    private static func type(_ value: JSON) -> String { value.array == nil ? value.typeName : "object" }

    private static func isNothing(_ value: JSON?) -> Bool { value == nil || value == .null || value == "" || value == [] }

    private static func parsed(_ value: JSON) -> JSON? {
        guard let text = value.text, text.hasPrefix("{") || text.hasPrefix("[") else { return nil }
        return try? JSON(parsing: text)
    }

    private static func reads(_ value: JSON, as other: JSON) -> Bool {
        switch (value, other) {
        case (.string(let text), .number(let number)): text == JSON.numberText(number)
        case (.string(let text), .bool(let flag)): text.lowercased() == (flag ? "true" : "false") || text == (flag ? "1" : "0")
        case (.number(let number), .bool(let flag)): number == (flag ? 1 : 0)
        case (.string, .array), (.string, .object): parsed(value) == other
        default: false
        }
    }
}
