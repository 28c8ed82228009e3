internal import Kernel
internal import OrderedCollections

/// Evaluates one block for one item; asks the scope only for what the block really uses.
final class Evaluator {
    let scope: any ExpressionScope
    let itemIndex: Int
    lazy var facts: ExpressionFacts = scope.facts
    private var steps = 0
    private var depth = 0
    private var nestingSteps = 0
    private var frame: Value.Frame?
    var parameterDepth = 0

    init(scope: any ExpressionScope, itemIndex: Int) {
        self.scope = scope
        self.itemIndex = itemIndex
    }

    /// Counts work, so that no expression holds its thread for long.
    func step(_ count: Int = 1) throws {
        steps += count
        guard steps <= Limits.expressionSteps else { throw Interruption.sandbox }
    }

    /// Counts steps that may each nest a value one level deeper: reading or freeing a value walks its levels on the stack.
    func nestingStep() throws {
        nestingSteps += 1
        guard nestingSteps <= Limits.expressionNestingSteps else { throw Interruption.sandbox }
    }

    /// A new string, counted by its size.
    func made(_ text: String) throws -> Value {
        guard text.utf8.count <= Limits.expressionString else { throw Interruption.sandbox }
        try step(text.utf8.count / 64)
        return .string(text)
    }

    func evaluate(_ syntax: Syntax) throws -> Value {
        steps += 1
        depth += 1
        defer { depth -= 1 }
        guard steps <= Limits.expressionSteps, depth <= Limits.evaluationDepth else { throw Interruption.sandbox }
        switch syntax {
        case .undefined: return .undefined
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .number(let value): return .number(value)
        case .string(let value): return .string(value)
        case .literalPattern: throw Interruption.sandbox
        case .template(let texts, let values): return try template(texts, values)
        case .array(let elements): return .array(try list(elements))
        case .object(let properties): return .object(try record(properties))
        case .local(let depth, let slot): return local(depth, slot)
        case .root(let root): return try value(of: root)
        case .extra(let name): return try extra(name)
        case .member(let object, let name, let isOptional):
            let receiver = try evaluate(object)
            if isOptional, receiver.isNullish { throw Interruption.shortCircuit }
            return try member(receiver, name)
        case .index(let object, let key, let isOptional):
            let receiver = try evaluate(object)
            if isOptional, receiver.isNullish { throw Interruption.shortCircuit }
            return try member(receiver, key: try evaluate(key))
        case .call(let callee, let arguments, let isOptional):
            let function = try evaluate(callee)
            if isOptional, function.isNullish { throw Interruption.shortCircuit }
            return try call(function, try list(arguments))
        case .method(let method): return try self.method(method)
        case .chain(let inner):
            do { return try evaluate(inner) } catch Interruption.shortCircuit { return .undefined }
        case .construct(_, let arguments): return try newDate(try list(arguments))
        case .unary(let sign, let operand): return try unary(sign, operand)
        case .binary(let sign, let left, let right): return try binary(sign, try evaluate(left), try evaluate(right))
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .coalesce(let left, let right):
            let value = try evaluate(left)
            return value.isNullish ? try evaluate(right) : value
        case .conditional(let test, let yes, let no): return try evaluate(try evaluate(test).isTrue ? yes : no)
        case .arrow(let arrow): return .function(Value.Closure(arrow: arrow, frame: frame))
        }
    }

    private func template(_ texts: [String], _ values: [Syntax]) throws -> Value {
        var out = texts[0]
        for (value, text) in zip(values, texts.dropFirst()) {
            out += try evaluate(value).text()
            out += text
            guard out.utf8.count <= Limits.expressionString else { throw Interruption.sandbox }
        }
        return try made(out)
    }

    func list(_ elements: [Syntax.Element]) throws -> [Value] {
        var out: [Value] = []
        out.reserveCapacity(elements.count)
        for element in elements {
            let value = try evaluate(element.value)
            if element.isSpread {
                let spread = try iterated(value)
                try step(spread.count)
                out.append(contentsOf: spread)
            } else {
                out.append(value)
            }
        }
        return out
    }

    /// The values that a spread or `Array.from` takes out of an iterable.
    func iterated(_ value: Value) throws -> [Value] {
        if let elements = value.elements { return elements }
        switch value {
        case .string(let text): return text.unicodeScalars.map { .string(String($0)) }
        case .undefined, .null, .bool, .number: throw Interruption.thrown("not iterable")
        default: throw Interruption.sandbox
        }
    }

    private func record(_ properties: [Syntax.Property]) throws -> Value.Record {
        var out = Value.Record()
        for property in properties {
            switch property.key {
            case .name(let name): out[name] = try evaluate(property.value)
            case .computed(let key): out[try propertyName(evaluate(key))] = try evaluate(property.value)
            case .spread:
                let source = try evaluate(property.value)
                if let members = source.members {
                    out.merge(members.map { ($0.key, $0.value) }) { _, new in new }
                } else if let elements = source.elements {
                    for (index, element) in elements.enumerated() { out[String(index)] = element }
                } else if source.isObject {
                    throw Interruption.sandbox
                } else if case .string = source {
                    throw Interruption.sandbox
                }
            }
        }
        return out
    }

    private func local(_ depth: Int, _ slot: Int) -> Value {
        var frame = frame
        for _ in 0..<depth { frame = frame?.parent }
        return frame?.values[slot] ?? .undefined
    }

    // MARK: Calls

    func method(_ method: Syntax.Method) throws -> Value {
        if case .root(let root) = method.object, !method.isOptionalCall { return try staticMethod(root, method) }
        let receiver = try evaluate(method.object)
        if method.isOptionalMember, receiver.isNullish { throw Interruption.shortCircuit }
        if Syntax.deniedNames.contains(method.name) { throw denied(method.name) }
        if method.isOptionalCall { throw Interruption.sandbox }
        if let first = method.arguments.first, case .literalPattern(let pattern, let isGlobal) = first.value {
            return try replace(receiver, method.name, pattern, isGlobal, try list(Array(method.arguments.dropFirst())))
        }
        if Evaluator.changingMethods.contains(method.name), !isFresh(method.object) { throw Interruption.sandbox }
        return try invoke(receiver, method.name, try list(method.arguments), isExtended: method.isExtended)
    }

    /// Calls a function value: an arrow function, or one of the global functions.
    func call(_ function: Value, _ arguments: [Value]) throws -> Value {
        switch function {
        case .function(let closure): return try call(closure, arguments)
        case .host(.root(let root)): return try globalCall(root, arguments)
        case .undefined, .null, .bool, .number, .string, .data, .array, .object: throw Interruption.thrown("not a function")
        default: throw Interruption.sandbox
        }
    }

    private func call(_ closure: Value.Closure, _ arguments: [Value]) throws -> Value {
        let arrow = closure.arrow
        let inner = Value.Frame(values: Array(repeating: .undefined, count: arrow.slots), parent: closure.frame)
        for (index, pattern) in arrow.parameters.enumerated() {
            let argument = index < arguments.count ? arguments[index] : .undefined
            switch pattern {
            case .slot(let slot): inner.values[slot] = argument
            case .array(let slots):
                let elements = try iterated(argument)
                for (position, slot) in slots.enumerated() {
                    if let slot { inner.values[slot] = position < elements.count ? elements[position] : .undefined }
                }
            case .object(let members):
                for (key, slot) in members { inner.values[slot] = try member(argument, key) }
            }
        }
        let outer = frame
        frame = inner
        defer { frame = outer }
        return try evaluate(arrow.body)
    }

    static let changingMethods: Set<String> = ["sort", "reverse", "pop", "push", "shift", "unshift", "splice", "fill", "copyWithin"]

    /// Whether the value of this expression was just made, so that changing it in place cannot be seen elsewhere.
    private func isFresh(_ syntax: Syntax) -> Bool {
        switch syntax {
        case .array: true
        case .method(let method):
            switch method.name {
            case "map", "filter", "slice", "concat", "flat", "flatMap", "split", "keys", "values", "entries", "from", "of", "parse", "parseJson",
                "union", "difference", "intersection", "compact", "removeDuplicates", "unique", "chunk", "pluck", "toSorted", "toReversed":
                true
            case "sort", "reverse": isFresh(method.object)
            default: false
            }
        default: false
        }
    }

    func denied(_ name: String) -> Interruption { .raised("Cannot access \"\(name)\" due to security concerns") }
}
