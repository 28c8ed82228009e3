import Kernel
import Scripting
import Testing
@testable import Workflows

/// Kinds that look at lineage and failures, for runs in memory.
private struct ShapeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        ["copy", "reverse", "pair", "bare", "fail_odd", "throw", "ask", "count"].map {
            NodeKind(kind: $0, category: .action, title: $0, summary: "", parameters: [Parameter("of", .string, "Of")])
        }
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch step.node.kind {
        case "reverse": return .items([step.items.reversed()])
        case "pair":
            let both = step.items.indices.map { PairedItem(item: $0) }
            return .items([[Item(json: ["all": true], pairedItem: both)]])
        case "bare": return .items([(0..<3).map { Item(json: ["made": .number(Double($0))]) }])
        case "fail_odd":
            return .items([
                step.items.enumerated().map { index, item in
                    index % 2 == 0 ? item : Item(json: ["error": "odd"], pairedItem: [PairedItem(item: index)], error: ["message": "odd"])
                }
            ])
        case "throw": throw StepFailure("broken", "it broke", isRetryable: false)
        case "ask":
            var answers: [Item] = []
            for index in step.items.indices {
                do {
                    let found = try await step.parameter("of", item: index) ?? .null
                    answers.append(Item(json: ["found": found]))
                } catch let failure as StepFailure {
                    answers.append(Item(json: ["code": .string(failure.code)]))
                }
            }
            return .items([answers])
        case "count": return .items([[Item(json: ["count": .number(Double(step.items.count))])]])
        default: return .items([step.items])
        }
    }
}

@Suite struct LocalRunTests {
    private static let kinds = KindRegistry(executors: [ManualTrigger.self, NoOperation.self, ShapeNode.self])

    private func run(_ graph: Graph, _ kinds: [String: String], items: Int, change: (inout [WorkflowNode]) -> Void = { _ in }) async throws
        -> [String: [[Item]]]
    {
        var document = graph.document(kinds.merging(["t": "manual"]) { first, _ in first })
        change(&document.nodes)
        let ids = IDs(clock: .system)
        let local = LocalRun(services: .plain, clock: .system, ids: ids, tenant: ids.next()) { _ in throw Refusal.missing("workflow") }
        let given = (0..<items).map { Item(json: ["n": .number(Double($0))]) }
        let outcome = try await local.run(CompiledWorkflow(document, kinds: Self.kinds), trigger: "t", items: given)
        return Dictionary(uniqueKeysWithValues: try outcome.outputs().map { ($0.node, $0.outputs) })
    }

    private func asking(_ expression: String) -> (inout [WorkflowNode]) -> Void {
        { nodes in nodes[nodes.firstIndex { $0.name == "ask" }!].config = ["of": .string(expression)] }
    }

    @Test func `an item is followed back through nodes that reorder`() async throws {
        let out = try await run(
            Graph(.n8nV1, ["t -> r", "r -> c", "c -> ask"]), ["r": "reverse", "c": "copy", "ask": "ask"], items: 3, change: asking("=$('t').item"))
        #expect(out["ask"]?[0].map { $0.json["found"]?["n"] } == [2, 1, 0])
    }

    @Test func `an item made of several has no single ancestor`() async throws {
        let out = try await run(Graph(.n8nV1, ["t -> p", "p -> ask"]), ["p": "pair", "ask": "ask"], items: 2, change: asking("=$('t').item"))
        #expect(out["ask"]?[0].map { $0.json["code"] } == ["ambiguous_paired_item"])
    }

    @Test func `lineage is filled in where counts agree, and unknown where they do not`() async throws {
        let same = try await run(Graph(.n8nV1, ["t -> b", "b -> ask"]), ["b": "bare", "ask": "ask"], items: 3, change: asking("=$('t').item"))
        #expect(same["ask"]?[0].map { $0.json["found"]?["n"] } == [0, 1, 2])
        let other = try await run(Graph(.n8nV1, ["t -> b", "b -> ask"]), ["b": "bare", "ask": "ask"], items: 2, change: asking("=$('t').item"))
        #expect(other["ask"]?[0].map { $0.json["code"] } == ["no_paired_item", "no_paired_item", "no_paired_item"])
        let one = try await run(Graph(.n8nV1, ["t -> b", "b -> ask"]), ["b": "bare", "ask": "ask"], items: 1, change: asking("=$('t').item"))
        #expect(one["ask"]?[0].map { $0.json["found"]?["n"] } == [0, 0, 0])
    }

    @Test(
        arguments: [
            ([["json": ["m": 1]], ["json": ["m": 2]]], [0, 1]), ([["m": 1], ["m": 2]], [0, 1]), ([["json": ["m": 1]]], [0]),
            ([["json": ["m": 1], "pairedItem": ["item": 1]], ["json": ["m": 2], "pairedItem": 0]], [1, 0])
        ] as [(JSON, [JSON])])
    func `pinned items are followed back by the place they were pinned with, or as those that a node makes`(_ pinned: JSON, _ found: [JSON])
        async throws
    {
        var document = Graph(.n8nV1, ["t -> p", "p -> ask"]).document(["t": "manual", "p": "bare", "ask": "ask"])
        asking("=$('t').item")(&document.nodes)
        document.pinnedData = ["p": pinned]
        let ids = IDs(clock: .system)
        let local = LocalRun(services: .plain, clock: .system, ids: ids, tenant: ids.next()) { _ in throw Refusal.missing("workflow") }
        let given = [Item(json: ["n": 0]), Item(json: ["n": 1])]
        let outcome = try await local.run(CompiledWorkflow(document, kinds: Self.kinds), trigger: "t", items: given)
        let asked = try outcome.outputs().first { $0.node == "ask" }
        #expect(asked?.outputs[0].map { $0.json["found"]?["n"] ?? .null } == found)
    }

    @Test func `data of a node that has not run, or is not there, is refused by name`() async throws {
        let graph = Graph(.n8nV1, ["t -> ask", "ask -> late"])
        let late = try await run(graph, ["ask": "ask"], items: 1, change: asking("=$('late').item"))
        #expect(late["ask"]?[0][0].json["code"] == "not_executed")
        let none = try await run(graph, ["ask": "ask"], items: 1, change: asking("=$('nobody').item"))
        #expect(none["ask"]?[0][0].json["code"] == "no_such_node")
    }

    @Test func `failed items leave by the error output, joined with what they were made from`() async throws {
        let out = try await run(Graph(.n8nV1, ["t -> f", "f.0 -> good", "f.1 -> bad"]), ["f": "fail_odd"], items: 4) {
            $0[1].onError = .continueErrorOutput
        }
        #expect(out["good"]?[0].map { $0.json["n"] } == [0, 2])
        #expect(out["bad"]?[0].map { $0.json["n"] } == [1, 3])
        #expect(out["bad"]?[0].map { $0.json["error"] } == ["odd", "odd"])
    }

    @Test func `a node that fails as a whole passes its input on, or sends it to the error output`() async throws {
        let graph = Graph(.n8nV1, ["t -> f", "f.0 -> good", "f.1 -> bad"])
        let regular = try await run(graph, ["f": "throw"], items: 2) { $0[1].onError = .continueRegular }
        #expect(regular["good"]?[0].count == 2)
        #expect(regular["bad"] == nil)
        let routed = try await run(graph, ["f": "throw"], items: 2) { $0[1].onError = .continueErrorOutput }
        #expect(routed["good"] == nil)
        #expect(routed["bad"]?[0].map { $0.json["error"] } == ["it broke", "it broke"])
    }

    @Test func `executeOnce gives a node its first item alone`() async throws {
        let out = try await run(Graph(.n8nV1, ["t -> c"]), ["c": "count"], items: 5) { $0[1].executeOnce = true }
        #expect(out["c"]?[0][0].json["count"] == 1)
    }

    @Test func `a list that is passed on is the same list`() async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> c"]).document(["t": "manual", "c": "copy"])
        let ids = IDs(clock: .system)
        let local = LocalRun(services: .plain, clock: .system, ids: ids, tenant: ids.next()) { _ in throw Refusal.missing("workflow") }
        let outcome = try await local.run(CompiledWorkflow(document, kinds: Self.kinds), trigger: "t", items: [Item(json: ["n": 1])])
        let lists = (0..<3).map { outcome.machine.ended[$0][0]?.outputs[0]?.items }
        #expect(lists[0] === lists[1])
        #expect(lists[0] === lists[2])
    }
}
