internal import Kernel
internal import OrderedCollections

/// Reading properties (ECMA-262, 13.3.2).
extension Evaluator {
    func propertyName(_ key: Value) throws -> String {
        switch key {
        case .string(let name): name
        case .number(let value): JSON.numberText(value)
        default: try key.text()
        }
    }

    func member(_ receiver: Value, key: Value) throws -> Value {
        if case .number(let position) = key, position >= 0, position < 4_294_967_295, position.rounded(.towardZero) == position {
            let index = Int(position)
            switch receiver {
            case .data(.array(let elements)): return index < elements.count ? Value(elements[index]) : .undefined
            case .array(let elements): return index < elements.count ? elements[index] : .undefined
            default: break
            }
        }
        return try member(receiver, try propertyName(key))
    }

    func member(_ receiver: Value, _ name: String) throws -> Value {
        switch receiver {
        case .data(.object(let members)):
            if let value = members[name] {
                if Syntax.deniedNames.contains(name) { throw denied(name) }
                return Value(value)
            }
            return try inherited(name, Evaluator.objectNames)
        case .data(.array(let elements)):
            if name == "length" { return .number(Double(elements.count)) }
            if let index = Value.arrayIndex(name) { return index < elements.count ? Value(elements[index]) : .undefined }
            return try inherited(name, Evaluator.arrayNames)
        case .string(let text): return try stringMember(text, name)
        case .undefined, .null: throw Interruption.thrown("Cannot read properties of \(try receiver.text()) (reading '\(name)')")
        case .object(let members):
            if let value = members[name] {
                if Syntax.deniedNames.contains(name) { throw denied(name) }
                return value
            }
            return try inherited(name, Evaluator.objectNames)
        case .array(let elements):
            if name == "length" { return .number(Double(elements.count)) }
            if let index = Value.arrayIndex(name) { return index < elements.count ? elements[index] : .undefined }
            return try inherited(name, Evaluator.arrayNames)
        case .bool, .data: return try inherited(name, Evaluator.objectNames)
        case .number: return try inherited(name, Evaluator.numberNames)
        case .dateTime(let value): return try dateTimeMember(value, name)
        case .duration(let value): return try durationMember(value, name)
        case .host(let host):
            if Syntax.deniedNames.contains(name) { throw denied(name) }
            return try member(of: host, name)
        case .date, .function:
            if Syntax.deniedNames.contains(name) { throw denied(name) }
            throw Interruption.sandbox
        }
    }

    private func stringMember(_ text: String, _ name: String) throws -> Value {
        if name == "length" { return .number(Double(text.utf16.count)) }
        if let index = Value.arrayIndex(name) {
            let units = Array(text.utf16)
            return index < units.count ? .string(try Evaluator.text(units[index...index])) : .undefined
        }
        return try inherited(name, Evaluator.stringNames)
    }

    /// A name that is no own property: a built-in one is a function (left to the sandbox), any other is undefined.
    private func inherited(_ name: String, _ builtIn: Set<String>) throws -> Value {
        if Syntax.deniedNames.contains(name) { throw denied(name) }
        if builtIn.contains(name) { throw Interruption.sandbox }
        return .undefined
    }

    static let objectNames: Set<String> = [
        "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"
    ]
    static let numberNames: Set<String> = objectNames.union(["toExponential", "toFixed", "toPrecision"])
    static let arrayNames: Set<String> = objectNames.union([
        "at", "concat", "copyWithin", "entries", "every", "fill", "filter", "find", "findIndex", "findLast", "findLastIndex", "flat", "flatMap",
        "forEach", "includes", "indexOf", "join", "keys", "lastIndexOf", "map", "pop", "push", "reduce", "reduceRight", "reverse", "shift", "slice",
        "some", "sort", "splice", "toReversed", "toSorted", "toSpliced", "unshift", "values", "with"
    ])
    static let stringNames: Set<String> = objectNames.union([
        "anchor", "at", "big", "blink", "bold", "charAt", "charCodeAt", "codePointAt", "concat", "endsWith", "fixed", "fontcolor", "fontsize",
        "includes", "indexOf", "isWellFormed", "italics", "lastIndexOf", "link", "localeCompare", "match", "matchAll", "normalize", "padEnd",
        "padStart", "repeat", "replace", "replaceAll", "search", "slice", "small", "split", "startsWith", "strike", "sub", "substr", "substring",
        "sup", "toLocaleLowerCase", "toLocaleUpperCase", "toLowerCase", "toUpperCase", "toWellFormed", "trim", "trimEnd", "trimLeft",
        "trimRight", "trimStart"
    ])
}
