internal import Kernel
internal import OrderedCollections

/// Finds the method of a value: n8n's own first where the name is one of them, then the built-in one.
extension Evaluator {
    func invoke(_ receiver: Value, _ name: String, _ arguments: [Value], isExtended: Bool) throws -> Value {
        try step(receiver.elements?.count ?? 1)
        if isExtended, let value = try extensionCall(receiver, name, arguments) { return value }
        switch receiver {
        case .undefined, .null: throw Interruption.thrown("Cannot read properties of \(try receiver.text()) (reading '\(name)')")
        case .string(let text):
            let result = try stringMethod(text, name, arguments)
            if case .string(let new) = result { return try made(new) }
            try step(result.elements?.count ?? 0)
            return result
        case .data(.array(_)), .array:
            let result = try arrayMethod(receiver.elements ?? [], name, arguments)
            if case .string(let new) = result { return try made(new) }
            if case .array(let new) = result { try step(new.count) }
            return result
        case .number(let value): return try numberMethod(value, name, arguments)
        case .bool(let value):
            guard name == "toString" || name == "valueOf" else { throw Interruption.sandbox }
            return name == "toString" ? .string(value ? "true" : "false") : receiver
        case .data, .object: return try objectMethod(receiver, name, arguments)
        case .dateTime(let value): return try dateTimeMethod(value, name, arguments)
        case .duration(let value): return try durationMethod(value, name, arguments)
        case .date(let value): return try dateMethod(value, name, arguments)
        case .host(let host): return try hostMethod(host, name, arguments)
        case .function: throw Interruption.sandbox
        }
    }

    private func objectMethod(_ receiver: Value, _ name: String, _ arguments: [Value]) throws -> Value {
        let members = receiver.members ?? [:]
        if let own = members[name] {
            guard case .function = own else { throw Interruption.thrown("\(name) is not a function") }
            return try call(own, arguments)
        }
        switch name {
        case "hasOwnProperty": return .bool(members[try propertyName(arguments.first ?? .undefined)] != nil)
        case "toString" where arguments.isEmpty: return .string("[object Object]")
        case "valueOf": return receiver
        default: throw Interruption.sandbox
        }
    }

    /// `Math.round(…)`, `Object.keys(…)`, `DateTime.now()`: the receiver is a name of the language.
    func staticMethod(_ root: Root, _ method: Syntax.Method) throws -> Value {
        let name = method.name
        if Syntax.deniedNames.contains(name) { throw denied(name) }
        switch root {
        case .math: return try mathCall(name, try list(method.arguments))
        case .JSONNamespace: return try jsonCall(name, try list(method.arguments))
        case .object:
            // `assign` changes its target in place, so the target has to be one that nobody else holds.
            if name == "assign" { guard case .object? = method.arguments.first?.value else { throw Interruption.sandbox } }
            return try objectCall(name, try list(method.arguments))
        case .array: return try arrayCall(name, try list(method.arguments))
        case .numberFunction: return try numberCall(name, try list(method.arguments))
        case .stringFunction: return try stringCall(name, try list(method.arguments))
        case .date: return try dateCall(name, try list(method.arguments))
        case .dateTime: return try dateTimeCall(name, try list(method.arguments))
        default:
            let receiver = try value(of: root)
            if method.isOptionalMember, receiver.isNullish { throw Interruption.shortCircuit }
            if Evaluator.changingMethods.contains(name) { throw Interruption.sandbox }
            return try invoke(receiver, name, try list(method.arguments), isExtended: method.isExtended)
        }
    }
}
