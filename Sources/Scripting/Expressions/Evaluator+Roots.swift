internal import Kernel
internal import OrderedCollections

/// n8n's names for the data around a step.
extension Evaluator {
    func value(of root: Root) throws -> Value {
        switch root {
        case .json, .data: return try currentItem(itemIndex)["json"].map(Value.init) ?? .undefined
        case .binary: return Value(try currentItem(itemIndex)["binary"] ?? [:])
        case .prevNode: return Value(facts.prevNode)
        case .itemIndex: return .number(Double(itemIndex))
        case .runIndex: return .number(Double(facts.runIndex))
        case .mode: return .string(facts.mode)
        case .now: return .dateTime(now)
        case .today: return .dateTime(now.start(of: .days))
        case .workflow: return Value(facts.workflow)
        case .execution: return Value(facts.execution)
        case .variables: return Value(facts.variables)
        case .rawParameter: return Value(try scope.parameters(ofNode: facts.nodeName))
        case .legacyNodes: return .host(.legacyNodes(itemIndex))
        default: return .host(.root(root))
        }
    }

    var zone: Zone { Zone(named: facts.timeZone) ?? .utc }
    var now: DateTime { DateTime(milliseconds: Double(facts.now.milliseconds), zone: zone) }

    /// The item at input 0; an empty one where there is none, so that its members read as undefined.
    private func currentItem(_ index: Int) throws -> JSON { try scope.inputItem(index) ?? [:] }

    func extra(_ name: String) throws -> Value {
        guard let value = facts.extraRoots[name] else { throw Interruption.sandbox }
        return Value(value)
    }

    func member(of host: Value.Host, _ name: String) throws -> Value {
        switch host {
        case .legacyNodes(let index): return .host(.legacyNode(name, index))
        case .root(.input): return try inputMember(name)
        case .root(.parameter): return try parameter(name)
        // n8n may be told to show the machine's environment; a multi-tenant server never does.
        case .root(.environment): throw Interruption.raised("the environment cannot be read here")
        case .root(.math): return try mathConstant(name)
        case .root(.numberFunction): return try numberConstant(name)
        case .node(let node): return try nodeMember(node, name)
        case .legacyNode(let node, let index): return try legacyNodeMember(node, name, index: index)
        case .item(let index): return try itemMember(index, name)
        case .root: throw Interruption.sandbox
        }
    }

    private func inputMember(_ name: String) throws -> Value {
        switch name {
        case "item": return Value(try currentItem(itemIndex))
        case "params": return Value(try scope.parameters(ofNode: facts.prevNode["name"]?.text ?? facts.nodeName))
        case "context": return Value(try scope.context(ofNode: facts.prevNode["name"]?.text ?? facts.nodeName))
        default: throw Interruption.sandbox
        }
    }

    private func nodeMember(_ node: String, _ name: String) throws -> Value {
        switch name {
        case "item": return Value(try scope.pairedItem(ofNode: node, itemIndex: itemIndex))
        case "isExecuted": return .bool(scope.isExecuted(node))
        case "params": return Value(try scope.parameters(ofNode: node))
        case "context": return Value(try scope.context(ofNode: node))
        default: throw Interruption.sandbox
        }
    }

    /// `$node['name']`: the item with the same index, whatever its lineage.
    private func legacyNodeMember(_ node: String, _ name: String, index: Int) throws -> Value {
        switch name {
        case "json", "data", "binary":
            let items = try scope.items(ofNode: node, output: scope.leadingOutput(ofNode: node), run: nil)
            guard items.indices.contains(index) else { return name == "binary" ? Value([:]) : .undefined }
            return name == "binary" ? Value(items[index]["binary"] ?? [:]) : items[index]["json"].map(Value.init) ?? .undefined
        case "context": return Value(try scope.context(ofNode: node))
        case "parameter": return Value(try scope.parameters(ofNode: node))
        default: throw Interruption.sandbox
        }
    }

    private func itemMember(_ index: Int, _ name: String) throws -> Value {
        guard let root = Root(rawValue: name) else { throw Interruption.sandbox }
        switch root {
        case .json, .data, .binary, .itemIndex, .legacyNodes: return try Evaluator(scope: scope, itemIndex: index).value(of: root)
        default: throw Interruption.sandbox
        }
    }

    /// A parameter of this node, with the expressions in it evaluated.
    private func parameter(_ name: String) throws -> Value {
        guard let raw = try scope.parameters(ofNode: facts.nodeName)[name] else { return .undefined }
        return Value(try evaluated(raw))
    }

    private func evaluated(_ value: JSON) throws -> JSON {
        switch value {
        case .string(let text) where text.utf8.first == UInt8(ascii: "="):
            guard parameterDepth < 8 else { throw Interruption.raised("The parameter refers to itself") }
            let inner = Evaluator(scope: scope, itemIndex: itemIndex)
            inner.parameterDepth = parameterDepth + 1
            return try Template(text).evaluate(inner).json
        case .array(let elements): return .array(try elements.map(evaluated))
        case .object(let members): return .object(JSONObject(try members.map { ($0.key, try evaluated($0.value)) }))
        default: return value
        }
    }

    // MARK: Calls

    /// `$('name')`, `$items()`, `$item(2)`, `$ifEmpty(a, b)` and their like.
    func globalCall(_ root: Root, _ arguments: [Value]) throws -> Value {
        switch root {
        case .node:
            guard case .string(let name)? = arguments.first else { throw Interruption.sandbox }
            return .host(.node(name))
        case .items: return try itemsCall(arguments)
        case .item:
            guard arguments.count == 1, case .number(let index) = arguments[0], index >= 0, index < 1e9 else { throw Interruption.sandbox }
            return .host(.item(Int(index)))
        case .fromAI: return try fromAI(arguments)
        case .ifEmpty:
            guard arguments.count == 2 else { throw Interruption.raised("expected two arguments (value, defaultValue) for this function") }
            return try isEmptyForDefault(arguments[0]) ? arguments[1] : arguments[0]
        case .not: return .bool(!(arguments.first ?? .undefined).isTrue)
        case .minimum: return try mathCall("min", arguments)
        case .maximum: return try mathCall("max", arguments)
        case .average: return try arrayExtension(arguments, "average", [])
        default: return try standardCall(root, arguments)
        }
    }

    private func isEmptyForDefault(_ value: Value) throws -> Bool {
        switch value {
        case .undefined, .null: return true
        case .string(let text): return text.isEmpty
        case .data, .array, .object: return (value.elements?.isEmpty ?? value.members?.isEmpty) == true
        case .bool, .number: return false
        default: throw Interruption.sandbox
        }
    }

    private func itemsCall(_ arguments: [Value]) throws -> Value {
        guard let first = arguments.first, !first.isNullish else { return .data(.array(try scope.inputItems(0))) }
        guard case .string(let name) = first else { throw Interruption.sandbox }
        // Unlike `$('name').all()` it reads output 0 where none is named.
        let output = arguments.count > 1 && !arguments[1].isNullish ? arguments[1] : .number(0)
        return .data(.array(try items(of: name, [output] + arguments.dropFirst(2))))
    }

    /// Items of a node by `(output?, run?)`; run -1 is the last one.
    func items(of node: String, _ arguments: [Value]) throws -> [JSON] {
        func integer(_ position: Int) throws -> Int? {
            guard position < arguments.count, !arguments[position].isNullish else { return nil }
            guard case .number(let value) = arguments[position], value.rounded() == value, abs(value) < 1e6 else { throw Interruption.sandbox }
            return Int(value)
        }
        let run = try integer(1)
        return try scope.items(ofNode: node, output: try integer(0) ?? scope.leadingOutput(ofNode: node), run: run.flatMap { $0 < 0 ? nil : $0 })
    }

    func hostMethod(_ host: Value.Host, _ name: String, _ arguments: [Value]) throws -> Value {
        func one(_ item: JSON?) -> Value { item.map(Value.init) ?? .undefined }
        switch (host, name) {
        case (.node(let node), "all"): return .data(.array(try items(of: node, arguments)))
        case (.node(let node), "first"): return one(try items(of: node, arguments).first)
        case (.node(let node), "last"): return one(try items(of: node, arguments).last)
        case (.node(let node), "itemMatching"), (.node(let node), "pairedItem"):
            guard case .number(let index) = arguments.first ?? .number(Double(itemIndex)), index >= 0, index < 1e9 else { throw Interruption.sandbox }
            return Value(try scope.pairedItem(ofNode: node, itemIndex: Int(index)))
        case (.root(.input), "all") where arguments.isEmpty: return .data(.array(try scope.inputItems(0)))
        case (.root(.input), "first") where arguments.isEmpty: return one(try scope.inputItems(0).first)
        case (.root(.input), "last") where arguments.isEmpty: return one(try scope.inputItems(0).last)
        default: throw Interruption.sandbox
        }
    }

    /// What the model chose for a tool's parameter: `$fromAI(key, description?, type?, default?)`.
    private func fromAI(_ arguments: [Value]) throws -> Value {
        guard case .string(let key)? = arguments.first, let values = facts.extraRoots["$fromAI"] else { throw Interruption.sandbox }
        if let value = values[key] { return Value(value) }
        return arguments.count > 3 ? arguments[3] : .undefined
    }
}
