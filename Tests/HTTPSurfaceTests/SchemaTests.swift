import HTTPSurface
import Kernel
import Testing

struct SchemaTests {
    struct Inner: Codable, Sendable { var value: Double }
    struct Tree: Codable, Sendable {
        var name: String
        var parent: [Tree]?
        var byName: [String: Tree]
    }
    struct Everything: Codable, Sendable {
        enum Kind: String, Codable, CaseIterable { case one, two }
        var id: TenantID
        var at: Timestamp?
        var isHTTPOnly: Bool
        var small: UInt8
        var kind: Kind
        var inner: Inner
        var free: JSON?
        var set: Set<String>
    }
    struct Custom: Codable, Sendable {
        var count: Int
        enum CodingKeys: String, CodingKey { case count }
        init(from decoder: any Decoder) throws {
            count = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int.self, forKey: .count) ?? 7
        }
    }
    struct Wrapped: Codable, Sendable {
        var text: String
        init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }

    func kind(_ type: any Decodable.Type, _ name: String) -> Schema? { TypeSchema(of: type).fields.first { $0.name == name }?.schema }

    @Test func `fields, optionality, enumerations and nested types come from the type itself`() {
        let schema = TypeSchema(of: Everything.self)
        #expect(schema.fields.map(\.name) == ["id", "at", "is_http_only", "small", "kind", "inner", "free", "set"])
        #expect(schema.fields.filter { !$0.isRequired }.map(\.name) == ["at", "free"])
        #expect(kind(Everything.self, "id")?.format == "uuid")
        #expect(kind(Everything.self, "at")?.isNullable == true)
        #expect(kind(Everything.self, "small")?.maximum == 255)
        #expect(kind(Everything.self, "kind")?.values == ["one", "two"])
        #expect(kind(Everything.self, "inner")?.shape == .reference("SchemaTests.Inner"))
        #expect(kind(Everything.self, "set")?.shape == .array(Schema(.string)))
        #expect(schema.components.keys.sorted() == ["SchemaTests.Everything", "SchemaTests.Inner"])
    }

    @Test func `a type that contains itself refers to itself`() {
        let schema = TypeSchema(of: Tree.self)
        #expect(schema.components.count == 1)
        #expect(schema.faults(in: ["name": "a", "by_name": ["Any Key": ["name": 1, "by_name": [:]]]]).map(\.field) == ["by_name.Any Key.name"])
    }

    @Test func `a default written by hand makes a field optional, a single value is its own schema`() {
        #expect(TypeSchema(of: Custom.self).fields.map(\.isRequired) == [false])
        #expect(TypeSchema(of: Wrapped.self).root.shape == .string)
        #expect(TypeSchema(of: Page<Inner>.self).root.shape == .reference("PageOfSchemaTests.Inner"))
    }

    @Test func `what does not fit is told with its place`() {
        let schema = TypeSchema(of: Everything.self)
        let faults = schema.faults(in: [
            "id": "x", "at": "yesterday", "is_http_only": 1, "small": 256, "kind": "three", "inner": ["value": "no"], "set": ["a\u{0}"]
        ])
        #expect(
            faults.map { "\($0.field) \($0.code)" } == [
                "id not_a_uuid", "at not_a_time", "is_http_only wrong_type", "small too_large", "kind unknown_value", "inner.value wrong_type",
                "set[0] nul_character"
            ])
        #expect(schema.faults(in: []).map(\.field) == ["body"])
        #expect(schema.faults(in: 9.5).count == 1)
    }

    @Test func `values go through the wire and back`() throws {
        let value = Everything(
            id: TenantID(high: 1, low: 2), at: nil, isHTTPOnly: true, small: 3, kind: .two, inner: Inner(value: 1.5), free: ["keepMe": [1, nil]],
            set: ["a"])
        let json = try Wire.encode(value)
        #expect(TypeSchema(of: Everything.self).faults(in: json).isEmpty)
        #expect(json["free"] == ["keepMe": [1, nil]])
        #expect(json["at"] == nil)
        let back = try Wire.decode(Everything.self, from: json)
        #expect(back.free == value.free && back.isHTTPOnly && back.kind == .two)
        #expect(throws: EncodingError.self) { try Wire.encode([1 << 60]) }
    }

    @Test func `names become snake case`() throws {
        struct Names: Codable {
            var userID = 1, n8nTypes = 2, isHTTPOnly = 3, a = 4, priceMonthlyUSD = 5
        }
        #expect(try Wire.encode(Names()).object?.keys == ["user_id", "n8n_types", "is_http_only", "a", "price_monthly_usd"])
    }
}
