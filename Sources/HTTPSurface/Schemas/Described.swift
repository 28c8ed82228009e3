package import Kernel

/// A type that says more about its fields than their types do. Bounds given here are enforced before the handler runs.
package protocol Described {
    /// One or two sentences about the type.
    static var typeDescription: String? { get }
    static var notes: [FieldNote] { get }
}

extension Described { package static var typeDescription: String? { nil } }

/// What is known about one field beside its type.
package struct FieldNote: Sendable {
    let name: String
    let description: String
    let example: JSON?
    let format: String?
    let length: ClosedRange<Int>?
    let range: ClosedRange<Double>?
    let items: ClosedRange<Int>?

    /// - Parameters:
    ///   - name: the property's name in Swift or on the wire.
    ///   - length: of a text, in Unicode scalars.
    ///   - range: of a number.
    ///   - items: of an array, how many.
    package init(
        _ name: String, _ description: String, example: JSON? = nil, format: String? = nil, length: ClosedRange<Int>? = nil,
        range: ClosedRange<Double>? = nil, items: ClosedRange<Int>? = nil
    ) {
        self.name = Wire.snakeCase(name)
        self.description = description
        self.example = example
        self.format = format
        self.length = length
        self.range = range
        self.items = items
    }

    func apply(to schema: inout Schema) {
        schema.description = description
        schema.example = example ?? schema.example
        schema.format = format ?? schema.format
        schema.minLength = length.flatMap { $0.lowerBound > 0 ? $0.lowerBound : nil }
        schema.maxLength = length.flatMap { $0.upperBound < .max ? $0.upperBound : nil }
        schema.minimum = range?.lowerBound ?? schema.minimum
        schema.maximum = range?.upperBound ?? schema.maximum
        schema.minItems = items.flatMap { $0.lowerBound > 0 ? $0.lowerBound : nil }
        schema.maxItems = items.flatMap { $0.upperBound < .max ? $0.upperBound : nil }
    }
}

/// A type whose schema cannot be probed, because it decodes itself from one value or refuses empty ones.
package protocol SchemaProviding: Decodable {
    static var schema: Schema { get }
    /// Any valid value; stands in while a type that contains this one is probed.
    static var sample: Self { get }
}

extension ID: SchemaProviding {
    package static var schema: Schema { Schema(.string, format: "uuid", example: "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3") }
    package static var sample: ID { ID(high: 0, low: 0) }
}

extension Timestamp: SchemaProviding {
    package static var schema: Schema { Schema(.string, format: "date-time", example: "2026-01-02T03:04:05.678901Z") }
    package static var sample: Timestamp { Timestamp(microseconds: 0) }
}

extension JSON: SchemaProviding {
    package static var schema: Schema { Schema(.any) }
    package static var sample: JSON { .null }
}
