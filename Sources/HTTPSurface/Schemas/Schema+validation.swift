package import Kernel

extension TypeSchema {
    /// Everything that is wrong with a value, each with its place; empty where it fits.
    package func faults(in value: JSON) -> [Refusal.Fault] {
        var found: [Refusal.Fault] = []
        check(value, root, "", &found)
        return found
    }

    private func check(_ value: JSON, _ schema: Schema, _ path: String, _ found: inout [Refusal.Fault]) {
        guard found.count < Limits.faults else { return }
        let schema = resolvedKeepingNotes(schema)
        if value.isNull, schema.isNullable || schema.shape == .any { return }
        func fault(_ code: String, _ message: String) {
            let place = path.isEmpty ? "body" : path
            found.append(Refusal.Fault(field: place, code: code, message: "\(place) \(message)."))
        }
        switch (schema.shape, value) {
        case (.any, _), (.boolean, .bool): break
        case (.integer, .number(let number)):
            guard value.integer != nil else { return fault("not_an_integer", "must be an integer") }
            checkRange(number, schema, fault)
        case (.number, .number(let number)): checkRange(number, schema, fault)
        case (.string, .string(let text)): checkText(text, schema, fault)
        case (.array(let element), .array(let elements)):
            if let least = schema.minItems, elements.count < least { fault("too_few", "must have at least \(least) elements") }
            if let most = schema.maxItems, elements.count > most { return fault("too_many", "must have at most \(most) elements") }
            for (index, item) in elements.enumerated() { check(item, element, "\(path)[\(index)]", &found) }
        case (.map(let element), .object(let members)):
            for (key, item) in members {
                if key.utf8.contains(0) { fault("nul_character", "must not hold the character U+0000 in a name") }
                check(item, element, path.isEmpty ? key : "\(path).\(key)", &found)
            }
        case (.object(let fields), .object(let members)):
            for field in fields {
                let place = path.isEmpty ? field.name : "\(path).\(field.name)"
                if let item = members[field.name] {
                    check(item, field.schema, place, &found)
                } else if field.isRequired {
                    found.append(Refusal.Fault(field: place, code: "required", message: "\(place) is missing."))
                }
            }
        default: fault("wrong_type", "must be \(schema.noun)")
        }
    }

    private func resolvedKeepingNotes(_ schema: Schema) -> Schema {
        guard case .reference(let name) = schema.shape, let target = components[name] else { return schema }
        var copy = schema
        copy.shape = target.shape
        return copy
    }

    private func checkRange(_ number: Double, _ schema: Schema, _ fault: (String, String) -> Void) {
        if let least = schema.minimum, number < least { fault("too_small", "must be at least \(JSON.numberText(least))") }
        if let most = schema.maximum, number > most { fault("too_large", "must be at most \(JSON.numberText(most))") }
    }

    private func checkText(_ text: String, _ schema: Schema, _ fault: (String, String) -> Void) {
        // No text of PostgreSQL holds it.
        if text.utf8.contains(0) { return fault("nul_character", "must not hold the character U+0000") }
        if let values = schema.values, !values.contains(text) {
            return fault("unknown_value", "must be one of \(values.joined(separator: ", "))")
        }
        let count = schema.minLength == nil && schema.maxLength == nil ? 0 : text.unicodeScalars.count
        if let least = schema.minLength, count < least {
            fault("too_short", least == 1 ? "must not be empty" : "must have at least \(least) characters")
        }
        if let most = schema.maxLength, count > most { fault("too_long", "must have at most \(most) characters") }
        switch schema.format {
        case "uuid" where ID<Schema>(text) == nil: fault("not_a_uuid", "must be a UUID")
        case "date-time" where Timestamp(text) == nil: fault("not_a_time", "must be a time as in RFC 3339")
        default: break
        }
    }
}

extension Schema {
    fileprivate var noun: String {
        switch shape {
        case .any: "a value"
        case .boolean: "true or false"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .map, .object, .reference: "an object"
        }
    }
}

extension Limits {
    /// Faults listed of one request; further ones are found when these are mended.
    package static let faults = 100
}
