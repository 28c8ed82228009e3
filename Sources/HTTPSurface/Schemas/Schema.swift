package import Kernel

/// What a JSON value must look like; written into the OpenAPI document and checked before a handler runs, so that both agree.
package struct Schema: Sendable, Hashable {
    package indirect enum Shape: Sendable, Hashable {
        case any, boolean, integer, number, string
        case array(Schema)
        /// An object whose member names are data.
        case map(Schema)
        case object([Field])
        /// A component of the same `TypeSchema`, by name.
        case reference(String)
    }

    package struct Field: Sendable, Hashable {
        package var name: String
        package var schema: Schema
        package var isRequired: Bool
    }

    package var shape: Shape
    package var isNullable = false
    package var description: String?
    package var example: JSON?
    /// `uuid` and `date-time` are checked; others inform.
    package var format: String?
    /// The allowed texts of a string.
    package var values: [String]?
    /// In Unicode scalars, as JSON Schema counts.
    package var minLength: Int?
    /// An ECMAScript regular expression; documents what the one who reads the text checks.
    package var pattern: String?
    package var maxLength: Int?
    package var minimum: Double?
    package var maximum: Double?
    package var minItems: Int?
    package var maxItems: Int?

    package init(_ shape: Shape, format: String? = nil, values: [String]? = nil, example: JSON? = nil) {
        self.shape = shape
        self.format = format
        self.values = values
        self.example = example
    }

    var nullable: Schema {
        var copy = self
        copy.isNullable = true
        return copy
    }
}

/// The schema of a type with those of the types within, by component name.
package struct TypeSchema: Sendable, Hashable {
    package var root: Schema
    package var components: [String: Schema]

    /// Derived by decoding the type from a probe that notes which keys are asked for.
    package init(of type: any Decodable.Type) {
        let probe = SchemaProbe()
        root = probe.schema(of: type)
        components = probe.components
    }

    /// The schema with a reference followed.
    package func resolved(_ schema: Schema) -> Schema {
        guard case .reference(let name) = schema.shape, var found = components[name] else { return schema }
        found.isNullable = schema.isNullable
        return found
    }

    /// The fields of an object type.
    package var fields: [Schema.Field] { if case .object(let fields) = resolved(root).shape { fields } else { [] } }
}
