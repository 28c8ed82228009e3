/// What a probed type asked for.
final class ProbeRecord {
    enum Found {
        case nothing
        case value(Schema)
        case fields([Schema.Field])
    }

    var found = Found.nothing

    /// A later, plainer mention of the same key does not replace the first.
    func note(_ field: Schema.Field) {
        guard case .fields(var fields) = found else { return found = .fields([field]) }
        guard !fields.contains(where: { $0.name == field.name }) else { return }
        fields.append(field)
        found = .fields(fields)
    }
}

/// A decoder that answers every question with an empty value and writes down what was asked.
struct ProbeDecoder: Decoder {
    let probe: SchemaProbe
    let record: ProbeRecord
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedDecodingContainer<Key> {
        if case .nothing = record.found { record.found = .fields([]) }
        return KeyedDecodingContainer(Keyed(probe: probe, record: record))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { Unkeyed(probe: probe, record: record) }
    func singleValueContainer() -> any SingleValueDecodingContainer { Single(probe: probe, record: record) }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let probe: SchemaProbe
        let record: ProbeRecord
        /// Keys asked for by `contains` or `decodeNil` first are optional.
        private let maybe = ProbeRecord()
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        init(probe: SchemaProbe, record: ProbeRecord) {
            self.probe = probe
            self.record = record
        }

        func contains(_ key: Key) -> Bool {
            maybe.note(Schema.Field(name: Wire.name(of: key), schema: Schema(.any), isRequired: false))
            return true
        }
        func decodeNil(forKey key: Key) -> Bool {
            _ = contains(key)
            return false
        }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            let name = Wire.name(of: key)
            var isOptional = false
            if case .fields(let fields) = maybe.found { isOptional = fields.contains { $0.name == name } }
            let schema = probe.schema(of: type)
            record.note(Schema.Field(name: name, schema: isOptional ? schema.nullable : schema, isRequired: !isOptional))
            return try probe.sample(type)
        }
        func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
            record.note(Schema.Field(name: Wire.name(of: key), schema: probe.schema(of: type).nullable, isRequired: false))
            return nil
        }

        private func inner(_ key: Key) -> ProbeDecoder {
            record.note(Schema.Field(name: Wire.name(of: key), schema: Schema(.any), isRequired: true))
            return ProbeDecoder(probe: probe, record: ProbeRecord())
        }
        func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedDecodingContainer<Nested> {
            inner(key).container(keyedBy: Nested.self)
        }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer { inner(key).unkeyedContainer() }
        func superDecoder() -> any Decoder { ProbeDecoder(probe: probe, record: ProbeRecord()) }
        func superDecoder(forKey key: Key) -> any Decoder { inner(key) }
    }

    /// One element, then the end.
    struct Unkeyed: UnkeyedDecodingContainer {
        let probe: SchemaProbe
        let record: ProbeRecord
        var codingPath: [any CodingKey] { [] }
        var count: Int? { nil }
        var currentIndex = 0
        var isAtEnd: Bool { currentIndex > 0 }

        init(probe: SchemaProbe, record: ProbeRecord) {
            self.probe = probe
            self.record = record
            record.found = .value(Schema(.array(Schema(.any))))
        }

        mutating func decodeNil() -> Bool { false }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            currentIndex += 1
            record.found = .value(Schema(.array(probe.schema(of: type))))
            return try probe.sample(type)
        }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedDecodingContainer<Nested> {
            currentIndex += 1
            return ProbeDecoder(probe: probe, record: ProbeRecord()).container(keyedBy: Nested.self)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer {
            currentIndex += 1
            return Unkeyed(probe: probe, record: ProbeRecord())
        }
        mutating func superDecoder() -> any Decoder {
            currentIndex += 1
            return ProbeDecoder(probe: probe, record: ProbeRecord())
        }
    }

    struct Single: SingleValueDecodingContainer {
        let probe: SchemaProbe
        let record: ProbeRecord
        var codingPath: [any CodingKey] { [] }
        func decodeNil() -> Bool { false }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            record.found = .value(probe.schema(of: type))
            return try probe.sample(type)
        }
    }
}
