internal import Kernel

/// Reads a query string, `a=1&tag=x&tag=y`.
struct QueryReader {
    let pairs: [(name: String, value: String)]

    init(_ raw: String) {
        pairs = raw.split(separator: "&").prefix(Limits.queryPairs).map { part in
            let equals = part.firstIndex(of: "=")
            let name = part[..<(equals ?? part.endIndex)]
            let value = equals.map { part[part.index(after: $0)...] } ?? ""
            return (
                Percent.decode(name, plusIsSpace: true) ?? String(name), Percent.decode(value, plusIsSpace: true) ?? String(value)
            )
        }
    }

    /// The parameters a schema names, each as its type says where the text allows it; what is not becomes a fault of validation.
    func json(as schema: TypeSchema) -> JSON {
        var object = JSONObject()
        for field in schema.fields {
            let texts = pairs.filter { $0.name == field.name }.map(\.value)
            guard let last = texts.last else { continue }
            if case .array(let element) = field.schema.shape {
                object[field.name] = .array(texts.map { QueryReader.value($0, element) })
            } else {
                object[field.name] = QueryReader.value(last, field.schema)
            }
        }
        return .object(object)
    }

    private static func value(_ text: String, _ schema: Schema) -> JSON {
        switch schema.shape {
        case .integer: Int(text).map { .number(Double($0)) } ?? .string(text)
        case .number: Double(text).map { .number($0) } ?? .string(text)
        case .boolean: text == "true" ? .bool(true) : text == "false" ? .bool(false) : .string(text)
        default: .string(text)
        }
    }
}

extension Limits {
    /// Pairs read of a query string; further ones are ignored.
    package static let queryPairs = 200
}
