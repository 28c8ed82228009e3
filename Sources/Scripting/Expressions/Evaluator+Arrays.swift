internal import OrderedCollections

/// Array.prototype (ECMA-262, 23.1.3) on values that are never changed in place.
extension Evaluator {
    func arrayMethod(_ elements: [Value], _ name: String, _ arguments: [Value]) throws -> Value {
        let first = arguments.first
        switch name {
        case "join": return .string(try Value.join(elements, try separator(first)))
        case "toString": return .string(try Value.join(elements, ","))
        case "at":
            let position = try Evaluator.integer(first)
            let index = position < 0 ? position + Double(elements.count) : position
            return index >= 0 && index < Double(elements.count) ? elements[Int(index)] : .undefined
        case "slice": return .array(Array(elements[try range(elements.count, arguments)]))
        case "concat": return .array(try elements + arguments.flatMap { argument in try concatenated(argument) })
        case "includes": return .bool(try elements.contains { try sameValueZero($0, first ?? .undefined) })
        case "indexOf", "lastIndexOf":
            guard arguments.count == 1 else { throw Interruption.sandbox }
            let same = try elements.map { try Value.strictlyEqual($0, arguments[0]) }
            return .number(Double((name == "indexOf" ? same.firstIndex(of: true) : same.lastIndex(of: true)) ?? -1))
        case "flat": return .array(try flattened(elements, depth: arguments.isEmpty ? 1 : try Evaluator.integer(first)))
        case "reverse", "toReversed": return .array(elements.reversed())
        case "sort", "toSorted": return .array(try sorted(elements, first))
        case "pop": return elements.last ?? .undefined
        case "shift": return elements.first ?? .undefined
        case "keys", "values", "entries": throw Interruption.sandbox
        default: return try iteration(elements, name, arguments)
        }
    }

    private func separator(_ value: Value?) throws -> String {
        switch value {
        case nil, .undefined?: ","
        case .some(let value): try value.text()
        }
    }

    private func range(_ count: Int, _ arguments: [Value]) throws -> Range<Int> {
        func position(_ index: Int, fallback: Double) throws -> Int {
            guard index < arguments.count else { return Int(fallback) }
            if case .undefined = arguments[index] { return Int(fallback) }
            let value = try Evaluator.integer(arguments[index])
            return Int(value < 0 ? max(Double(count) + value, 0) : min(value, Double(count)))
        }
        let start = try position(0, fallback: 0)
        return start..<max(start, try position(1, fallback: Double(count)))
    }

    private func concatenated(_ value: Value) throws -> [Value] {
        if let elements = value.elements { return elements }
        if case .host = value { throw Interruption.sandbox }
        return [value]
    }

    private func sameValueZero(_ left: Value, _ right: Value) throws -> Bool {
        if case .number(let left) = left, case .number(let right) = right { return left == right || (left.isNaN && right.isNaN) }
        return try Value.strictlyEqual(left, right)
    }

    private func flattened(_ elements: [Value], depth: Double) throws -> [Value] {
        guard depth >= 1 else { return elements }
        var out: [Value] = []
        for element in elements {
            if let inner = element.elements { out += try flattened(inner, depth: depth - 1) } else { out.append(element) }
        }
        return out
    }

    /// Stable; undefined goes last; without a function by UTF-16 text.
    private func sorted(_ elements: [Value], _ order: Value?) throws -> [Value] {
        let missing = elements.filter { if case .undefined = $0 { true } else { false } }
        let present = elements.filter { if case .undefined = $0 { false } else { true } }
        if let order, !order.isNullish {
            return try present.sorted { left, right in
                try step()
                return try call(order, [left, right]).numeric() < 0
            } + missing
        }
        if case .null? = order { throw Interruption.sandbox }
        let keyed = try present.map { (key: try $0.text(), value: $0) }
        return keyed.sorted { Value.precedes($0.key, $1.key) }.map(\.value) + missing
    }

    private func iteration(_ elements: [Value], _ name: String, _ arguments: [Value]) throws -> Value {
        guard let function = arguments.first, arguments.count <= 2 else { throw Interruption.sandbox }
        guard isCallable(function) else { throw Interruption.sandbox }
        let receiver = Value.array(elements)
        func each(_ index: Int) throws -> Value { try call(function, [elements[index], .number(Double(index)), receiver]) }
        switch name {
        case "map": return .array(try elements.indices.map(each))
        case "filter": return .array(try elements.indices.filter { try each($0).isTrue }.map { elements[$0] })
        case "find": return try elements.indices.first { try each($0).isTrue }.map { elements[$0] } ?? .undefined
        case "findLast": return try elements.indices.last { try each($0).isTrue }.map { elements[$0] } ?? .undefined
        case "findIndex": return .number(Double(try elements.indices.first { try each($0).isTrue } ?? -1))
        case "findLastIndex": return .number(Double(try elements.indices.last { try each($0).isTrue } ?? -1))
        case "some": return .bool(try elements.indices.contains { try each($0).isTrue })
        case "every": return .bool(try elements.indices.allSatisfy { try each($0).isTrue })
        case "flatMap": return .array(try flattened(elements.indices.map(each), depth: 1))
        case "forEach":
            for index in elements.indices { _ = try each(index) }
            return .undefined
        case "reduce": return try reduced(elements, function, arguments, receiver, Array(elements.indices))
        case "reduceRight": return try reduced(elements, function, arguments, receiver, elements.indices.reversed())
        default: throw Interruption.sandbox
        }
    }

    private func isCallable(_ value: Value) -> Bool {
        switch value {
        case .function: true
        case .host(.root(let root)):
            switch root {
            case .stringFunction, .numberFunction, .booleanFunction, .isNaN, .isFinite, .encodeURIComponent, .decodeURIComponent, .parseFloat: true
            default: false
            }
        default: false
        }
    }

    private func reduced(_ elements: [Value], _ function: Value, _ arguments: [Value], _ receiver: Value, _ order: [Int]) throws -> Value {
        var order = order[...]
        var sum: Value
        if arguments.count > 1 {
            sum = arguments[1]
        } else {
            guard let index = order.popFirst() else { throw Interruption.thrown("Reduce of empty array with no initial value") }
            sum = elements[index]
        }
        for index in order {
            sum = try call(function, [sum, elements[index], .number(Double(index)), receiver])
            if sum.isObject { try nestingStep() }
        }
        return sum
    }

    // MARK: Array.*

    func arrayCall(_ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "isArray": return .bool(arguments.first?.elements != nil)
        case "of": return .array(arguments)
        case "from":
            guard let source = arguments.first, arguments.count <= 2 else { throw Interruption.sandbox }
            var elements: [Value]
            if let count = try lengthOnly(source) { elements = Array(repeating: .undefined, count: count) } else { elements = try iterated(source) }
            try step(elements.count)
            if arguments.count == 2 {
                for index in elements.indices { elements[index] = try call(arguments[1], [elements[index], .number(Double(index))]) }
            }
            return .array(elements)
        default: throw Interruption.sandbox
        }
    }

    /// `{length: n}`, the usual way to count.
    private func lengthOnly(_ value: Value) throws -> Int? {
        guard let members = value.members else { return nil }
        guard members.count == 1, case .number(let count)? = members["length"], count >= 0, count <= 100_000 else { throw Interruption.sandbox }
        return Int(count)
    }
}
