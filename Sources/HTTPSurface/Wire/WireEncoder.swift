internal import Kernel

/// A place in the JSON being written; containers fill it in the order of the calls.
final class WireNode {
    private enum Content {
        case nothing
        case value(JSON)
        case object([(String, WireNode)])
        case array([WireNode])
    }

    private var content = Content.nothing

    var json: JSON {
        switch content {
        case .nothing: .object([:])
        case .value(let value): value
        case .object(let members): .object(JSONObject(members.map { ($0, $1.json) }))
        case .array(let elements): .array(elements.map(\.json))
        }
    }

    var count: Int { if case .array(let elements) = content { elements.count } else { 0 } }

    func set(_ value: JSON) { content = .value(value) }

    func member(_ name: String) -> WireNode {
        let node = WireNode()
        if case .object(var members) = content {
            content = .nothing
            members.append((name, node))
            content = .object(members)
        } else {
            content = .object([(name, node)])
        }
        return node
    }

    func element() -> WireNode {
        let node = WireNode()
        if case .array(var elements) = content {
            content = .nothing
            elements.append(node)
            content = .array(elements)
        } else {
            content = .array([node])
        }
        return node
    }

    func becomeObject() { if case .nothing = content { content = .object([]) } }
    func becomeArray() { if case .nothing = content { content = .array([]) } }

    func write(_ value: some Encodable, path: [any CodingKey]) throws {
        switch value {
        case let value as JSON: set(value)
        case let value as String: set(.string(value))
        case let value as Bool: set(.bool(value))
        case let value as Double: set(.number(value))
        case let value as Float: set(.number(Double(value)))
        case let value as any BinaryInteger: set(try WireNode.number(value, path: path))
        default: try value.encode(to: WireEncoder(node: self, codingPath: path))
        }
    }

    private static func number(_ value: some BinaryInteger, path: [any CodingKey]) throws -> JSON {
        guard let exact = Int64(exactly: value), exact.magnitude <= 1 << 53 else {
            throw EncodingError.invalidValue(value, .init(codingPath: path, debugDescription: "an integer beyond 2^53"))
        }
        return .number(Double(exact))
    }
}

struct WireEncoder: Encoder {
    let node: WireNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        node.becomeObject()
        return KeyedEncodingContainer(Keyed(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeArray()
        return Unkeyed(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, codingPath: codingPath) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: WireNode
        let codingPath: [any CodingKey]

        mutating func encodeNil(forKey key: Key) { node.member(Wire.name(of: key)).set(.null) }
        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            try node.member(Wire.name(of: key)).write(value, path: codingPath + [key])
        }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
            WireEncoder(node: node.member(Wire.name(of: key)), codingPath: codingPath + [key]).container(keyedBy: Nested.self)
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            WireEncoder(node: node.member(Wire.name(of: key)), codingPath: codingPath + [key]).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder { WireEncoder(node: node.member("super"), codingPath: codingPath + [SuperKey()]) }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            WireEncoder(node: node.member(Wire.name(of: key)), codingPath: codingPath + [key])
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let node: WireNode
        let codingPath: [any CodingKey]
        var count: Int { node.count }
        private var here: [any CodingKey] { codingPath + [IndexKey(count)] }

        mutating func encodeNil() { node.element().set(.null) }
        mutating func encode(_ value: some Encodable) throws {
            let path = here
            try node.element().write(value, path: path)
        }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
            WireEncoder(node: node.element(), codingPath: here).container(keyedBy: Nested.self)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            WireEncoder(node: node.element(), codingPath: here).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder { WireEncoder(node: node.element(), codingPath: here) }
    }

    struct Single: SingleValueEncodingContainer {
        let node: WireNode
        let codingPath: [any CodingKey]
        mutating func encodeNil() { node.set(.null) }
        mutating func encode(_ value: some Encodable) throws { try node.write(value, path: codingPath) }
    }
}
