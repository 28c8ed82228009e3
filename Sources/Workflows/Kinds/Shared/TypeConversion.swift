internal import Foundation
internal import Kernel

/// n8n's loose conversion of a value to a field type.
enum TypeConversion {
    /// - Returns: nil where the value cannot be read as this type.
    static func convert(_ value: JSON, to type: String, timeZone: String) -> JSON? {
        switch type {
        case "string": return .string(value.displayText)
        case "number": return number(value)
        case "boolean": return boolean(value)
        case "array": return array(value)
        case "object": return object(value)
        case "dateTime":
            guard LooseTime.parse(value, timeZone: timeZone) != nil else { return nil }
            return value
        default: return value
        }
    }

    /// Whether a value is of a type as it stands; types that are written as texts are not asked for.
    static func isOf(_ value: JSON, _ type: String) -> Bool {
        switch (type, value) {
        case ("string", .string), ("number", .number), ("boolean", .bool), ("array", .array), ("object", .object): true
        case ("string", _), ("number", _), ("boolean", _), ("array", _), ("object", _): false
        default: true
        }
    }

    /// `a number`, `an object`
    static func article(_ type: String) -> String { (["array", "object"].contains(type) ? "an " : "a ") + type }

    private static func number(_ value: JSON) -> JSON? {
        guard value.array == nil, value.object == nil else { return nil }
        let number = value.coercedNumber
        return number.isNaN ? nil : .number(number)
    }

    private static func boolean(_ value: JSON) -> JSON? {
        switch value {
        case .bool: return value
        case .string(let text) where ["true", "false"].contains(text.lowercased()): return .bool(text.lowercased() == "true")
        case .number, .string:
            let number = value.coercedNumber
            if value == "" { return nil }
            return number == 1 ? true : number == 0 ? false : nil
        default: return nil
        }
    }

    private static func array(_ value: JSON) -> JSON? {
        if value.array != nil { return value }
        guard let text = value.text else { return nil }
        guard let value = parsed(text), value.array != nil else { return nil }
        return value
    }

    private static func object(_ value: JSON) -> JSON? {
        if value.object != nil { return value }
        guard let text = value.text else { return nil }
        guard let value = parsed(text) ?? LooseJSON.parse(text), value.object != nil else { return nil }
        return value
    }

    /// JSON, also with single quotes for double ones.
    private static func parsed(_ text: String) -> JSON? {
        if let value = try? JSON(parsing: text) { return value }
        return try? JSON(parsing: text.replacingOccurrences(of: "'", with: "\""))
    }
}
