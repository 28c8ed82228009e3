internal import OrderedCollections

/// n8n's methods on arrays and objects.
extension Evaluator {
    static let arrayExtensions: Set<String> = [
        "removeDuplicates", "unique", "first", "last", "pluck", "randomItem", "sum", "min", "max", "average", "isNotEmpty", "isEmpty", "compact",
        "smartJoin", "chunk", "renameKeys", "merge", "union", "difference", "intersection", "append", "toJsonString", "toInt", "toFloat", "toBoolean",
        "toDateTime",
    ]
    static let objectExtensions: Set<String> = [
        "isEmpty", "isNotEmpty", "hasField", "removeField", "removeFieldsContaining", "keepFieldsContaining", "compact", "urlEncode", "keys", "values",
        "toJsonString", "toInt", "toFloat", "toBoolean", "toDateTime",
    ]

    func arrayExtension(_ elements: [Value], _ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "first": return elements.first ?? .undefined
        case "last": return elements.last ?? .undefined
        case "isEmpty": return .bool(elements.isEmpty)
        case "isNotEmpty": return .bool(!elements.isEmpty)
        case "sum", "min", "max", "average": return .number(try statistic(elements, name))
        case "unique", "removeDuplicates": return .array(try unique(elements, by: try arguments.map { try $0.text() }))
        case "compact": return .array(try compacted(elements))
        case "chunk":
            guard case .number(let size)? = arguments.first, size >= 1, size.rounded() == size else { throw Interruption.sandbox }
            let width = Int(min(size, 1e9))
            return .array(stride(from: 0, to: elements.count, by: width).map { .array(Array(elements[$0..<min($0 + width, elements.count)])) })
        case "pluck": return .array(try plucked(elements, arguments))
        case "smartJoin": return try smartJoined(elements, arguments)
        case "renameKeys": return .array(try renamed(elements, arguments))
        case "append": return .array(elements + arguments)
        case "union", "difference", "intersection": return .array(try combined(elements, name, arguments.first))
        case "merge" where arguments.isEmpty:
            var out = Value.Record()
            for element in elements {
                for (key, value) in element.members ?? [:] where out[key] == nil { out[key] = value }
            }
            return .object(out)
        case "toJsonString": return try Value.array(elements).stringified().map { .string($0) } ?? .undefined
        case "toInt", "toFloat", "toBoolean", "toDateTime": return .undefined
        default: throw Interruption.sandbox
        }
    }

    private func statistic(_ elements: [Value], _ name: String) throws -> Double {
        let numbers = try elements.map { element in
            guard case .number(let value) = element else { throw Interruption.raised("\(name)(): all array elements must be numbers") }
            return value
        }
        switch name {
        case "sum": return numbers.reduce(0, +)
        case "average": return numbers.isEmpty ? 0 : numbers.reduce(0, +) / Double(numbers.count)
        default: return try mathCall(name, elements).numeric()
        }
    }

    /// Keeps the first of equal elements; with field names only those are compared.
    private func unique(_ elements: [Value], by fields: [String] = []) throws -> [Value] {
        func key(_ value: Value) -> Value {
            guard !fields.isEmpty, let members = value.members else { return value }
            return .object(Value.Record(fields.map { ($0, members[$0] ?? .undefined) }, uniquingKeysWith: { _, last in last }))
        }
        var out: [(key: Value, value: Value)] = []
        for element in elements {
            try step(out.count)
            let wanted = key(element)
            if try !out.contains(where: { try Value.deeplyEqual($0.key, wanted) }) { out.append((wanted, element)) }
        }
        return out.map(\.value)
    }

    private func isBlank(_ value: Value) throws -> Bool {
        switch value {
        case .undefined, .null: true
        case .string(let text): text.isEmpty || text == "nil"
        case .date, .dateTime, .duration, .function, .host: throw Interruption.sandbox
        default: (value.elements?.isEmpty ?? value.members?.isEmpty) == true
        }
    }

    private func compacted(_ elements: [Value]) throws -> [Value] {
        try elements.filter { try !isBlank($0) }.map { element in
            // n8n makes an object of an array inside, index by index; that is left to the sandbox.
            if element.elements != nil { throw Interruption.sandbox }
            return element.members == nil ? element : try compacted(element)
        }
    }

    private func compacted(_ object: Value) throws -> Value {
        var out = Value.Record()
        for (key, value) in object.members ?? [:] where try !isBlank(value) {
            if value.elements != nil { throw Interruption.sandbox }
            out[key] = value.members == nil ? value : try compacted(value)
        }
        return .object(out)
    }

    private func plucked(_ elements: [Value], _ fields: [Value]) throws -> [Value] {
        if fields.isEmpty { return elements }
        return try elements.compactMap { element in
            guard let members = element.members else {
                if element.isObject { throw Interruption.sandbox }
                return nil
            }
            var found: [Value] = []
            for (key, value) in members {
                for field in fields { if case .string(let name) = field, name == key { found.append(value) } }
            }
            return found.isEmpty ? nil : found.count == 1 ? found[0] : .array(found)
        }
    }

    private func smartJoined(_ elements: [Value], _ arguments: [Value]) throws -> Value {
        guard arguments.count >= 2, case .string(let keyField) = arguments[0], case .string(let valueField) = arguments[1], !keyField.isEmpty,
            !valueField.isEmpty
        else { throw Interruption.raised("smartJoin(): expected two string args, e.g. .smartJoin(\"name\", \"value\")") }
        var out = Value.Record()
        for element in elements {
            guard let members = element.members, let key = members[keyField], let value = members[valueField] else { continue }
            out[try propertyName(key)] = value
        }
        return .object(out)
    }

    private func renamed(_ elements: [Value], _ arguments: [Value]) throws -> [Value] {
        guard !arguments.isEmpty, arguments.count % 2 == 0 else { throw Interruption.raised("renameKeys(): expected an even amount of args: from1, to1 [, from2, to2, ...]. e.g. .renameKeys(\"name\", \"title\")") }
        let names = try arguments.map { try $0.text() }
        return elements.map { element in
            guard var members = element.members else { return element }
            for index in stride(from: 0, to: names.count, by: 2) {
                guard let value = members[names[index]], names[index] != names[index + 1] else { continue }
                members[names[index + 1]] = value
                members.removeValue(forKey: names[index])
            }
            return .object(members)
        }
    }

    private func combined(_ elements: [Value], _ name: String, _ other: Value?) throws -> [Value] {
        guard let others = other?.elements else { throw Interruption.raised("\(name)(): expected array arg, e.g. .\(name)([1, 2, 3, 4])") }
        func holds(_ list: [Value], _ value: Value) throws -> Bool {
            try step(list.count)
            return try list.contains { try Value.deeplyEqual($0, value) }
        }
        switch name {
        case "union": return try unique(elements + others)
        case "difference": return try unique(elements.filter { try !holds(others, $0) })
        default: return try unique(elements.filter { try holds(others, $0) } + others.filter { try holds(elements, $0) })
        }
    }

    // MARK: Objects

    func objectExtension(_ object: Value, _ name: String, _ arguments: [Value]) throws -> Value {
        let members = object.members ?? [:]
        switch name {
        case "isEmpty": return .bool(members.isEmpty)
        case "isNotEmpty": return .bool(!members.isEmpty)
        case "keys": return .array(members.keys.map { .string($0) })
        case "values": return .array(Array(members.values))
        case "hasField":
            let field = try propertyName(arguments.first ?? .undefined)
            if Evaluator.objectNames.contains(field) || Syntax.deniedNames.contains(field) { throw Interruption.sandbox }
            return .bool(members[field] != nil)
        case "removeField":
            var out = members
            out.removeValue(forKey: try propertyName(arguments.first ?? .undefined))
            return .object(out)
        case "removeFieldsContaining", "keepFieldsContaining":
            guard case .string(let wanted)? = arguments.first, !wanted.isEmpty else {
                throw Interruption.raised("\(name)(): expected non-empty string arg")
            }
            return .object(try members.filter { _, value in
                guard case .string(let text) = value else { return name == "removeFieldsContaining" }
                return try stringMethod(text, "includes", [.string(wanted)]).isTrue == (name == "keepFieldsContaining")
            })
        case "compact": return try compacted(object)
        case "urlEncode":
            let pairs = try members.map { Evaluator.formEncoded($0.key) + "=" + Evaluator.formEncoded(try $0.value.text()) }
            return .string(pairs.joined(separator: "&"))
        case "toJsonString": return try object.stringified().map { .string($0) } ?? .undefined
        case "toInt", "toFloat", "toBoolean", "toDateTime": return .undefined
        default: throw Interruption.sandbox
        }
    }

    /// application/x-www-form-urlencoded (WHATWG URL, 5.2).
    private static func formEncoded(_ text: String) -> String {
        percentEncoded(text, keeping: "-_.* ").replacing(" ", with: "+")
    }
}
