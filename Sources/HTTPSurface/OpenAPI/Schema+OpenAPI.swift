internal import Kernel

extension Schema {
    /// The schema in JSON Schema 2020-12, as OpenAPI 3.1 uses it.
    var openAPI: JSON {
        var members = JSONObject()
        switch shape {
        case .any: break
        case .boolean: type("boolean", &members)
        case .integer: type("integer", &members)
        case .number: type("number", &members)
        case .string:
            type("string", &members)
            if values == nil, format != "uuid", format != "date-time" { members["pattern"] = pattern.map { .string($0) } ?? Schema.withoutNUL }
        case .array(let element):
            type("array", &members)
            members["items"] = element.openAPI
        case .map(let element):
            type("object", &members)
            members["propertyNames"] = ["pattern": Schema.withoutNUL]
            members["additionalProperties"] = element.openAPI
        case .object(let fields): write(fields, to: &members)
        case .reference(let name):
            let reference: JSON = ["$ref": .string("#/components/schemas/\(name)")]
            if isNullable {
                members["anyOf"] = [reference, ["type": "null"]]
            } else {
                members["$ref"] = .string("#/components/schemas/\(name)")
            }
        }
        annotate(&members)
        return .object(members)
    }

    /// What validation refuses in every text.
    private static let withoutNUL: JSON = #"^[^\u0000]*$"#

    private func type(_ name: String, _ members: inout JSONObject) {
        members["type"] = isNullable ? [.string(name), "null"] : .string(name)
    }

    private func write(_ fields: [Field], to members: inout JSONObject) {
        type("object", &members)
        members["properties"] = .object(JSONObject(fields.map { ($0.name, $0.schema.openAPI) }))
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { members["required"] = .array(required) }
        members["additionalProperties"] = true
    }

    private func annotate(_ members: inout JSONObject) {
        members["description"] = description.map { .string($0) }
        members["format"] = format.map { .string($0) }
        if let values { members["enum"] = .array(values.map { .string($0) } + (isNullable ? [.null] : [])) }
        members["minLength"] = minLength.map { .number(Double($0)) }
        members["maxLength"] = maxLength.map { .number(Double($0)) }
        members["minimum"] = minimum.map { .number($0) }
        members["maximum"] = maximum.map { .number($0) }
        members["minItems"] = minItems.map { .number(Double($0)) }
        members["maxItems"] = maxItems.map { .number(Double($0)) }
        if let example { members["examples"] = [example] }
    }
}
