internal import Foundation
internal import Kernel

/// The nodes by number instead of by id, with all that the machine asks at every step worked out. Made once for each version.
package final class CompiledWorkflow: Sendable {
    struct Edge: Sendable, Hashable {
        var output: Int
        var to: Int
        var input: Int
    }

    struct Parent: Sendable, Hashable {
        var node: Int
        var output: Int
    }

    /// How many inputs must have arrived before a node may run with what it has.
    enum RequiredInputs: Sendable, Hashable {
        case any
        case all
    }

    /// An object, since every step looks at some: a copy would count the references to all that it holds.
    final class Node: Sendable {
        let node: WorkflowNode
        let kind: NodeKind?
        let executor: (any NodeExecutor)?
        /// Data-flow edges, in the document's order, by output.
        let edges: [Edge]
        /// The edges in the order in which n8n's v1 runs children: top-most, then left-most.
        let edgesByPosition: [Edge]
        /// By input, which outputs lead to it; its length is the number of slots.
        let parents: [[Parent]]
        /// The slots that a run of the node waits for; empty where it has one slot and runs at each arrival.
        let awaited: [Bool]
        let required: RequiredInputs
        /// Regular outputs; the error output, where there is one, comes after them.
        let outputCount: Int
        /// A kind that gives its items on as they are, so that they need not be looked into.
        let isIdentity: Bool

        /// Of its steps in figures and traces.
        var kindName: String { kind?.kind ?? "unknown" }

        /// - Parameters:
        ///   - edges: in the document's order.
        ///   - positions: of all nodes.
        init(_ node: WorkflowNode, edges: [Edge], parents: [[Parent]], order: WorkflowSettings.Order, positions: [[Double]], kinds: KindRegistry) {
            self.node = node
            kind = kinds.kind(node.kind)
            executor = kinds.executor(for: node.kind)
            outputCount = kind.map { max(1, $0.outputNames(of: node).count) } ?? 1
            isIdentity = CompiledWorkflow.identityKinds.contains(node.kind)
            // n8n's merge needs all inputs to choose a branch and any one otherwise.
            let mode = node.config["mode"]?.text
            required = node.kind == "merge" && (mode == "chooseBranch" || mode == "choose_branch") ? .all : .any
            let sorted = edges.enumerated().sorted { ($0.element.output, $0.offset) < ($1.element.output, $1.offset) }.map(\.element)
            func place(_ edge: Edge) -> (Double, Double) {
                let position = positions[edge.to]
                return (position.count > 1 ? position[1] : 0, position.first ?? 0)
            }
            self.edges = sorted
            edgesByPosition = sorted.enumerated().sorted { left, right in
                let (first, second) = (place(left.element), place(right.element))
                // They are put in front from the last to the first; those at one place in the order of their outputs, as n8n does.
                return first == second ? left.offset > right.offset : first < second
            }.map(\.element)
            self.parents = parents
            // n8n counts the slots up to the last connected one, connected or not.
            let slots: [Bool] = parents.count > 1 ? parents.map { order != .parallel || !$0.isEmpty } : []
            awaited = slots.filter { $0 }.count < 2 ? [] : slots
        }
    }

    package let document: WorkflowDocument
    let nodes: [Node]
    private let indexByName: [String: Int]
    private let indexByID: [String: Int]
    let order: WorkflowSettings.Order
    /// Whether any of its texts speaks of static data, which is then read when a run starts.
    let usesStaticData: Bool
    /// Whether any speaks of `$vars`, which are then read for each of its steps.
    let usesVariables: Bool
    /// Whether any speaks of the addresses that its run can be answered at.
    let usesAddresses: Bool

    package init(_ document: WorkflowDocument, kinds: KindRegistry) {
        self.document = document
        order = document.settings.order
        usesStaticData = document.nodes.contains { JSON.object($0.config).mentions("StaticData") }
        usesAddresses = document.nodes.contains { JSON.object($0.config).mentions("$execution.resume") }
        usesVariables = document.nodes.contains { JSON.object($0.config).mentions("$vars") }
        indexByID = Dictionary(document.nodes.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        indexByName = Dictionary(document.nodes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var edges: [[Edge]] = Array(repeating: [], count: document.nodes.count)
        var parents: [[[Parent]]] = Array(repeating: [], count: document.nodes.count)
        for (source, node) in document.nodes.enumerated() {
            for connection in node.connections where connection.kind == "main" {
                guard let target = indexByID[connection.to] else { continue }
                edges[source].append(Edge(output: connection.output, to: target, input: connection.input))
                while parents[target].count <= connection.input { parents[target].append([]) }
                parents[target][connection.input].append(Parent(node: source, output: connection.output))
            }
        }
        let positions = document.nodes.map(\.position)
        nodes = document.nodes.indices.map { index in
            Node(
                document.nodes[index], edges: edges[index], parents: parents[index], order: document.settings.order, positions: positions,
                kinds: kinds)
        }
    }

    static let identityKinds: Set<String> = ["manual", "start", "webhook", "no_op"]

    package func index(ofNode name: String) -> Int? { indexByName[name] }
    package func index(ofNodeID id: String) -> Int? { indexByID[id] }

    /// All nodes from which data can reach this one, the nearest first; itself where it stands in a cycle.
    func ancestors(of node: Int) -> [Int] {
        var found: [Int] = []
        var seen: Set<Int> = []
        var frontier = [node]
        while !frontier.isEmpty {
            frontier = frontier.flatMap { nodes[$0].parents.joined().map(\.node) }.filter { seen.insert($0).inserted }
            found += frontier
        }
        return found
    }

    /// The output by which data of a node reach another one, on the shortest way and of several by the first input: what n8n reads where an
    /// expression names no output.
    func leadingOutput(of source: Int, to node: Int) -> Int? {
        var seen: Set<Int> = [node]
        var frontier = [node]
        while !frontier.isEmpty {
            let parents = frontier.flatMap { nodes[$0].parents.joined() }
            if let found = parents.first(where: { $0.node == source }) { return found.output }
            frontier = parents.map(\.node).filter { seen.insert($0).inserted }
        }
        return nil
    }
}

extension CompiledWorkflow.Node {
    /// A node that runs nothing: its input 0 is its output 0.
    var isPassThrough: Bool { node.disabled }
    /// How many attempts a step of this node has.
    var attempts: Int { node.retry.map { min(max($0.attempts, 2), Limits.attemptsPerStep) } ?? 1 }

    /// How long to wait before the next attempt. Exponential backoff doubles after each; jitter takes up to half of it away, chosen by the
    /// time of the failure so that a journal tells it again.
    func retryWait(after attempt: Int, at time: Timestamp) -> Duration {
        guard let retry = node.retry else { return .zero }
        let first = Double(max(retry.waitMilliseconds, 0))
        let cap = Double(min(retry.maxWaitMilliseconds ?? Limits.retryWaitMilliseconds.upperBound, Limits.retryWaitMilliseconds.upperBound))
        var wait = min(retry.backoff == .exponential ? first * pow(2, Double(attempt - 1)) : first, cap)
        if retry.jitter {
            var hash = UInt64(bitPattern: time.microseconds) &* 0x9E37_79B9_7F4A_7C15
            hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
            wait *= 1 - Double((hash ^ (hash >> 27)) >> 11) / Double(1 << 53) / 2
        }
        return .milliseconds(Int64(wait))
    }
}

extension JSON {
    fileprivate func mentions(_ word: String) -> Bool {
        switch self {
        case .string(let text): text.contains(word)
        case .array(let elements): elements.contains { $0.mentions(word) }
        case .object(let members): members.contains { $0.value.mentions(word) }
        default: false
        }
    }
}
