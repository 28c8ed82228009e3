internal import Kernel

/// Reads a `Codable` value from JSON whose keys are as `Wire` says.
struct WireDecoder: Decoder {
    let json: JSON
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = json else { throw mismatch([String: JSON].self, "an object") }
        return KeyedDecodingContainer(Keyed(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = json else { throw mismatch([JSON].self, "an array") }
        return Unkeyed(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "must be \(expected)"))
    }

    /// Any type: the plain ones directly, the others by their own `init(from:)`.
    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let plain: Any?
        switch type {
        case is JSON.Type: plain = json
        case is String.Type: plain = try text()
        case is Bool.Type: plain = try boolean()
        case is Double.Type: plain = try number()
        case is Float.Type: plain = Float(try number())
        case let integer as any (FixedWidthInteger & Decodable).Type: plain = try self.integer(integer)
        default: plain = nil
        }
        // Nothing at all would cast to an optional of anything.
        if let plain, let value = plain as? Value { return value }
        return try Value(from: self)
    }

    private func text() throws -> String {
        guard case .string(let value) = json else { throw mismatch(String.self, "a string") }
        return value
    }

    private func boolean() throws -> Bool {
        guard case .bool(let value) = json else { throw mismatch(Bool.self, "true or false") }
        return value
    }

    private func number() throws -> Double {
        guard case .number(let value) = json else { throw mismatch(Double.self, "a number") }
        return value
    }

    private func integer<Value: FixedWidthInteger>(_: Value.Type) throws -> Value {
        guard let whole = json.integer, let value = Value(exactly: whole) else { throw mismatch(Value.self, "an integer") }
        return value
    }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: JSONObject
        let codingPath: [any CodingKey]

        var allKeys: [Key] { members.keys.compactMap { Key(stringValue: $0) ?? Key(stringValue: Wire.camelCase($0)) } }
        func contains(_ key: Key) -> Bool { members.contains(key: Wire.name(of: key)) }
        func decodeNil(forKey key: Key) throws -> Bool { try at(key).json.isNull }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try at(key).value(type) }

        private func at(_ key: Key) throws -> WireDecoder {
            guard let json = members[Wire.name(of: key)] else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "missing"))
            }
            return WireDecoder(json: json, codingPath: codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
            try at(key).container(keyedBy: Nested.self)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try at(key).unkeyedContainer() }
        func superDecoder() -> any Decoder { WireDecoder(json: members["super"] ?? .null, codingPath: codingPath + [SuperKey()]) }
        func superDecoder(forKey key: Key) throws -> any Decoder { try at(key) }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [JSON]
        let codingPath: [any CodingKey]
        var currentIndex = 0

        init(elements: [JSON], codingPath: [any CodingKey]) {
            self.elements = elements
            self.codingPath = codingPath
        }

        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        private mutating func next() throws -> WireDecoder {
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(JSON.self, .init(codingPath: codingPath, debugDescription: "has too few elements"))
            }
            defer { currentIndex += 1 }
            return WireDecoder(json: elements[currentIndex], codingPath: codingPath + [IndexKey(currentIndex)])
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, elements[currentIndex].isNull else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().value(type) }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
            try next().container(keyedBy: Nested.self)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
        mutating func superDecoder() throws -> any Decoder { try next() }
    }

    struct Single: SingleValueDecodingContainer {
        let decoder: WireDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }
        func decodeNil() -> Bool { decoder.json.isNull }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.value(type) }
    }
}
