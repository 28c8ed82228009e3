/// Derives schemas by decoding a type from nothing and noting which keys, of which types, it asks for.
final class SchemaProbe {
    private(set) var components: [String: Schema] = [:]
    private var begun: Set<String> = []

    func schema(of type: any Decodable.Type) -> Schema {
        switch type {
        case let type as any SchemaProviding.Type: return type.schema
        case let type as any Wrapping.Type: return type.schema(in: self)
        case is String.Type: return Schema(.string)
        case is Bool.Type: return Schema(.boolean)
        case let type as any FixedWidthInteger.Type: return SchemaProbe.integer(type)
        case is any BinaryFloatingPoint.Type: return Schema(.number)
        case let type as any (CaseIterable & RawRepresentable).Type:
            if let values = SchemaProbe.texts(type) { return Schema(.string, values: values) }
        default: break
        }
        let name = SchemaProbe.componentName(of: type)
        if begun.contains(name) { return Schema(.reference(name)) }
        begun.insert(name)
        let (record, _) = probe(type)
        guard case .fields(let fields) = record.found else {
            begun.remove(name)
            if case .value(let schema) = record.found { return schema }
            preconditionFailure("\(type) asks its decoder for nothing; let it be SchemaProviding")
        }
        components[name] = annotated(Schema(.object(fields)), by: type)
        return Schema(.reference(name))
    }

    /// A value of the type to go on with; its fields do not matter.
    func sample<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let plain: Any? =
            switch type {
            case let type as any SchemaProviding.Type: type.sample
            case let type as any Wrapping.Type: type.emptySample
            case is String.Type: ""
            case is Bool.Type: false
            case let type as any (FixedWidthInteger & Decodable).Type: SchemaProbe.zero(type)
            case is Double.Type: Double(0)
            case is Float.Type: Float(0)
            case let type as any CaseIterable.Type: SchemaProbe.firstCase(type)
            default: nil
            }
        if let plain = plain as? Value { return plain }
        let (_, value) = probe(type)
        guard let value = value as? Value else {
            preconditionFailure("\(type) refuses to be decoded from a probe; let it be CaseIterable or SchemaProviding")
        }
        return value
    }

    private func probe(_ type: any Decodable.Type) -> (ProbeRecord, Any?) {
        let record = ProbeRecord()
        let value: Any? = try? type.init(from: ProbeDecoder(probe: self, record: record))
        return (record, value)
    }

    private func annotated(_ schema: Schema, by type: any Decodable.Type) -> Schema {
        guard let described = type as? any Described.Type, case .object(var fields) = schema.shape else { return schema }
        for note in described.notes {
            guard let index = fields.firstIndex(where: { $0.name == note.name }) else {
                preconditionFailure("\(type) describes \(note.name), which it does not have")
            }
            note.apply(to: &fields[index].schema)
        }
        var schema = schema
        schema.shape = .object(fields)
        schema.description = described.typeDescription
        return schema
    }

    /// `CreateWorkflow`, `WorkflowView.Step`, `PageOfWorkflowView`: the type's name without its module.
    static func componentName(of type: Any.Type) -> String {
        func plain(_ text: Substring) -> String {
            let parts = text.split(separator: ".").filter { !$0.contains("(") }
            return (parts.count > 1 ? parts.dropFirst() : parts[...]).joined(separator: ".")
        }
        let full = String(reflecting: type).replacing(#/\(unknown context at [^)]*\)\./#, with: "")
        let parts = full.split(whereSeparator: { "<>, ".contains($0) })
        return parts.map(plain).joined(separator: "Of")
    }

    /// Bounded by the type, and by what JSON's readers keep exact.
    private static func integer<Value: FixedWidthInteger>(_: Value.Type) -> Schema {
        var schema = Schema(.integer)
        schema.minimum = max(Double(Value.min), -9_007_199_254_740_991)
        schema.maximum = min(Double(Value.max), 9_007_199_254_740_991)
        return schema
    }

    private static func texts<Value: CaseIterable & RawRepresentable>(_: Value.Type) -> [String]? {
        let texts = Value.allCases.compactMap { $0.rawValue as? String }
        return texts.isEmpty ? nil : texts
    }

    private static func firstCase<Value: CaseIterable>(_: Value.Type) -> Any? { Value.allCases.first }
    private static func zero<Value: FixedWidthInteger>(_: Value.Type) -> Any { Value.zero }
}

/// Optionals, arrays, sets and dictionaries: empty while probed, which also ends recursion.
private protocol Wrapping {
    static func schema(in probe: SchemaProbe) -> Schema
    static var emptySample: Any { get }
}

extension Optional: Wrapping where Wrapped: Decodable {
    static func schema(in probe: SchemaProbe) -> Schema { probe.schema(of: Wrapped.self).nullable }
    static var emptySample: Any { Wrapped?.none as Any }
}

extension Array: Wrapping where Element: Decodable {
    static func schema(in probe: SchemaProbe) -> Schema { Schema(.array(probe.schema(of: Element.self))) }
    static var emptySample: Any { [Element]() }
}

extension Set: Wrapping where Element: Decodable {
    static func schema(in probe: SchemaProbe) -> Schema { Schema(.array(probe.schema(of: Element.self))) }
    static var emptySample: Any { Set<Element>() }
}

extension Dictionary: Wrapping where Key: Decodable, Value: Decodable {
    static func schema(in probe: SchemaProbe) -> Schema { Schema(.map(probe.schema(of: Value.self))) }
    static var emptySample: Any { [Key: Value]() }
}
