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
}
