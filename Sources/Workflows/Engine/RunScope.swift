internal import Kernel
internal import Scripting
internal import Synchronization

/// What the expressions and scripts of one step may look at: its own items, and what has run before it.
final class RunScope: ExpressionScope {
    private let machine: RunMachine
    private let node: Int
    /// With `executeOnce` applied.
    private let inputs: [StepInput?]
    /// The input that `$json` means: the first that has items.
    private let primary: Int
    let facts: ExpressionFacts
    private let known: ReadItems

    /// - Parameter known: what of the lists has been read already.
    init(machine: RunMachine, node: Int, inputs: [StepInput?], facts: ExpressionFacts, known: ReadItems = ReadItems()) {
        self.known = known
        self.machine = machine
        self.node = node
        self.inputs = inputs
        self.facts = facts
        primary = inputs.firstIndex { !($0?.items.isEmpty ?? true) } ?? 0
    }

    private init(_ scope: RunScope, facts: ExpressionFacts) {
        machine = scope.machine
        node = scope.node
        inputs = scope.inputs
        primary = scope.primary
        known = scope.known
        self.facts = facts
    }

    /// The same with further roots.
    func adding(_ roots: JSONObject) -> RunScope {
        guard !roots.isEmpty else { return self }
        var facts = facts
        facts.extraRoots.merge(roots)
        return RunScope(self, facts: facts)
    }

    /// The same with these files' bytes in base64, by the files' ids.
    func showing(_ bytes: [String: String]) -> RunScope {
        RunScope(machine: machine, node: node, inputs: inputs, facts: facts, known: known.showing(bytes))
    }

    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] {
        let input = input == 0 ? primary : input
        guard inputs.indices.contains(input), let arrived = inputs[input] else { return [] }
        if let shown = known.shown(input) { return shown }
        let items = try read(arrived.items).enumerated().map { known.json($1, pairedItem: [PairedItem(item: $0, input: input)]) }
        known.keep(shown: items, of: input)
        return items
    }

    /// Without showing all the others.
    func inputItem(_ index: Int) throws(ScopeError) -> JSON? {
        if let shown = known.shown(primary) { return RunScope.element(index, of: shown) }
        if let item = known.last(index) { return item }
        guard inputs.indices.contains(primary), let arrived = inputs[primary] else { return nil }
        let items = try read(arrived.items)
        guard items.indices.contains(index) else { return JSON?.none }
        let item = known.json(items[index], pairedItem: [PairedItem(item: index, input: primary)])
        known.keep(last: item, at: index)
        return item
    }

    /// Written out, since a literal nil beside a JSON value is the JSON null.
    private static func element(_ index: Int, of items: [JSON]) -> JSON? {
        guard items.indices.contains(index) else { return JSON?.none }
        return items[index]
    }

    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] {
        let runs = try executedRuns(of: name)
        let ended: RunMachine.Ended
        if let run, run >= 0 {
            guard runs.indices.contains(run), let found = runs[run] else {
                throw ScopeError(code: "no_such_run", message: "The node '\(name)' has no run \(run).")
            }
            ended = found
        } else {
            ended = lastRun(runs)
        }
        guard ended.outputs.indices.contains(output), let given = ended.outputs[output] else { return [] }
        return try read(given.items).enumerated().map { known.json($1, pairedItem: given.lineage.parents(of: $0)) }
    }

    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON {
        _ = try executedRuns(of: name)
        let target = try index(of: name)
        var places = LineageWalk(machine: machine, target: target)
        guard inputs.indices.contains(primary), let arrived = inputs[primary], itemIndex < arrived.items.count else {
            throw ScopeError(code: "no_paired_item", message: "There is no item \(itemIndex) to find its match in '\(name)' for.")
        }
        places.follow(arrived.source, item: itemIndex)
        guard let place = places.found.first else {
            guard machine.workflow.ancestors(of: node).contains(target) else {
                throw ScopeError(
                    code: "no_path", message: "No connection leads from '\(name)' to '\(facts.nodeName)', so no item of it can be matched.")
            }
            throw ScopeError(
                code: "no_paired_item",
                message: "It is not known from which item of '\(name)' item \(itemIndex) was made. Use .first(), .last() or .all()[i].")
        }
        guard places.found.count == 1 else {
            throw ScopeError(
                code: "ambiguous_paired_item",
                message: "Item \(itemIndex) was made from several items of '\(name)'. Use .first(), .last() or .all()[i].")
        }
        guard let output = machine.output(place.source) else { return .null }
        let items = try read(output.items)
        guard items.indices.contains(place.item) else { return .null }
        return known.json(items[place.item], pairedItem: output.lineage.parents(of: place.item))
    }

    func leadingOutput(ofNode name: String) -> Int {
        machine.workflow.index(ofNode: name).flatMap { machine.workflow.leadingOutput(of: $0, to: node) } ?? 0
    }

    func isExecuted(_ name: String) -> Bool {
        guard let index = machine.workflow.index(ofNode: name) else { return false }
        return machine.ended[index].contains { $0 != nil }
    }

    func parameters(ofNode name: String) throws(ScopeError) -> JSON { .object(machine.workflow.nodes[try index(of: name)].node.config) }

    func context(ofNode name: String) throws(ScopeError) -> JSON {
        let state = machine.state(of: try index(of: name))
        return state.isNull ? [:] : state
    }

    /// `{name, outputIndex, runIndex}` of where the items came from.
    static func previousNode(_ inputs: [StepInput?], _ workflow: CompiledWorkflow) -> JSON {
        guard let source = inputs.lazy.compactMap({ $0?.source }).first else { return [:] }
        return [
            "name": .string(workflow.nodes[source.node].node.name), "outputIndex": .number(Double(source.output)),
            "runIndex": .number(Double(source.runIndex))
        ]
    }

    private func index(of name: String) throws(ScopeError) -> Int {
        guard let index = machine.workflow.index(ofNode: name) else {
            throw ScopeError(code: "no_such_node", message: "There is no node named '\(name)'.")
        }
        return index
    }

    private func executedRuns(of name: String) throws(ScopeError) -> [RunMachine.Ended?] {
        let runs = machine.ended[try index(of: name)]
        guard runs.contains(where: { $0 != nil }) else {
            throw ScopeError(code: "not_executed", message: "The node '\(name)' has not run yet.")
        }
        return runs
    }

    private func lastRun(_ runs: [RunMachine.Ended?]) -> RunMachine.Ended { runs.lazy.compactMap { $0 }.last! }

    private func read(_ list: ItemList) throws(ScopeError) -> [Item] {
        do { return try known.items(list) } catch { throw ScopeError(code: "unreadable_payload", message: "Stored items cannot be read: \(error)") }
    }
}

/// What a step has read of its lists: each that is set aside once, and the items that expressions have asked for.
final class ReadItems: Sendable {
    private struct State: Sendable {
        var lists: [ObjectIdentifier: [Item]] = [:]
        var shown: [Int: [JSON]] = [:]
        var last: (index: Int, item: JSON)?
    }

    private let state: Mutex<State>
    /// Of files that are shown with their bytes: in base64, by the files' ids.
    private let bytes: [String: String]

    init() {
        state = Mutex(State())
        bytes = [:]
    }

    private init(lists: [ObjectIdentifier: [Item]], bytes: [String: String]) {
        state = Mutex(State(lists: lists))
        self.bytes = bytes
    }

    func showing(_ bytes: [String: String]) -> ReadItems { ReadItems(lists: state.withLock { $0.lists }, bytes: bytes) }

    func json(_ item: Item, pairedItem: [PairedItem]?) -> JSON { ItemCodec.json(item, pairedItem: pairedItem, bytes: bytes) }

    /// - Parameter list: held by whoever asks for as long as this is used.
    func items(_ list: ItemList) throws -> [Item] {
        guard list.isSetAside else { return try list.items() }
        let key = ObjectIdentifier(list)
        if let known = state.withLock({ $0.lists[key] }) { return known }
        let items = try list.items()
        state.withLock { $0.lists[key] = items }
        return items
    }

    func keep(_ items: [Item], of list: ItemList) { state.withLock { $0.lists[ObjectIdentifier(list)] = items } }
    func shown(_ input: Int) -> [JSON]? { state.withLock { $0.shown[input] } }
    func keep(shown items: [JSON], of input: Int) { state.withLock { $0.shown[input] = items } }
    func last(_ index: Int) -> JSON? {
        state.withLock { state -> JSON? in
            guard let last = state.last, last.index == index else { return JSON?.none }
            return last.item
        }
    }
    func keep(last item: JSON, at index: Int) { state.withLock { $0.last = (index, item) } }
}

/// Follows an item back through the steps that made it, to the items of one node.
struct LineageWalk {
    struct Place: Hashable {
        var source: StepInput.Source
        var item: Int
    }

    let machine: RunMachine
    let target: Int
    private(set) var found: Set<Place> = []
    private var seen: Set<Place> = []

    init(machine: RunMachine, target: Int) {
        self.machine = machine
        self.target = target
    }

    mutating func follow(_ source: StepInput.Source?, item: Int) {
        guard let source else { return }
        var open = [Place(source: source, item: item)]
        while let place = open.popLast() {
            guard seen.insert(place).inserted else { continue }
            if place.source.node == target {
                found.insert(place)
                continue
            }
            for parent in machine.output(place.source)?.lineage.parents(of: place.item) ?? [] {
                let runs = machine.ended[place.source.node]
                let run = parent.run ?? place.source.runIndex
                guard runs.indices.contains(run), let inputs = runs[run]?.inputs, inputs.indices.contains(parent.input),
                    let next = inputs[parent.input]?.source
                else { continue }
                open.append(Place(source: next, item: parent.item))
            }
        }
    }
}

extension RunMachine {
    /// What an ended step gave to an output.
    func output(_ source: StepInput.Source) -> StepOutput? {
        guard ended[source.node].indices.contains(source.runIndex), let outputs = ended[source.node][source.runIndex]?.outputs,
            outputs.indices.contains(source.output)
        else { return nil }
        return outputs[source.output]
    }

    /// The items that the run's last step gave out: of its first output that has any.
    package var lastItems: ItemList {
        guard let step = lastEnded, let ended = ended[step.node][step.runIndex] else { return .empty }
        return ended.outputs.lazy.compactMap { $0?.items }.first { !$0.isEmpty } ?? .empty
    }
}
