package import Kernel

/// The JSON of requests and answers, to and from `Codable` types.
///
/// Keys are snake_case on the wire. A type names its properties in camelCase and writes no CodingKeys for that: the names of its
/// coding keys (`priceMonthly`) are turned into `price_monthly`, both ways and in schemas. Keys that are data, those of dictionaries
/// and of `JSON` values, stay as they are. Optional properties that are nil are left out.
package enum Wire {
    /// - Throws: `EncodingError` for integers beyond ±2^53, which JSON readers would change.
    package static func encode(_ value: some Encodable) throws -> JSON {
        let node = WireNode()
        try node.write(value, path: [])
        return node.json
    }

    /// - Throws: a `Refusal` of kind `invalid` that names the field.
    package static func decode<Value: Decodable>(_ type: Value.Type, from json: JSON) throws -> Value {
        do {
            return try WireDecoder(json: json, codingPath: []).value(type)
        } catch let error as DecodingError {
            throw refusal(error)
        }
    }

    private static func refusal(_ error: DecodingError) -> Refusal {
        switch error {
        case .keyNotFound(let key, let context):
            .invalid(path(context.codingPath + [key]), "required", "\(path(context.codingPath + [key])) is missing.")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            .invalid(path(context.codingPath), "invalid", "\(path(context.codingPath)): \(context.debugDescription).")
        @unknown default: Refusal(.invalid, "invalid", "The body does not have the expected form.")
        }
    }

    /// `nodes[2].config.url`
    static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + name(of: key)
            }
        }
        return text.isEmpty ? "body" : text
    }

    /// The name of a key on the wire: declared keys, which are enumerations, in snake_case; keys made at run time as they are.
    static func name(of key: some CodingKey) -> String {
        let text = key.stringValue
        guard text.utf8.contains(where: { $0 >= 65 && $0 <= 90 }), Mirror(reflecting: key).displayStyle == .enum else { return text }
        return snakeCase(text)
    }

    /// `isHTTPOnly` is `is_http_only`, `userID` is `user_id`, `n8nTypes` is `n8n_types`.
    static func snakeCase(_ text: String) -> String {
        let letters = Array(text)
        var out = ""
        for (index, letter) in letters.enumerated() {
            if letter.isUppercase, index > 0, letters[index - 1] != "_" {
                let startsWord = !letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase)
                if startsWord { out += "_" }
            }
            out += letter.lowercased()
        }
        return out
    }

    static func camelCase(_ text: String) -> String {
        let parts = text.split(separator: "_")
        return (parts.first.map(String.init) ?? "") + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

/// An index into an array as a coding path holds it.
struct IndexKey: CodingKey {
    let intValue: Int?
    var stringValue: String { String(intValue ?? 0) }
    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { nil }
}

/// The key `super`, as inheritance in Codable uses it.
struct SuperKey: CodingKey {
    let stringValue = "super"
    var intValue: Int? { nil }
    init() {}
    init?(intValue: Int) { nil }
    init?(stringValue: String) { nil }
}
