import Kernel
import Testing
@testable import Workflows

@Suite struct RunMachineMergeTests {
    static let diamond = ["t -> a", "t -> b", "a -> m.0", "b -> m.1", "m -> end"]

    @Test(arguments: WorkflowSettings.Order.allCases)
    func `a merge waits until every input has arrived`(order: WorkflowSettings.Order) {
        var player = Player(Graph(order, Self.diamond), ["a": [[2]], "b": [[3]], "m": [[5]]])
        player.run()
        #expect(player.trace.filter { $0.hasPrefix("m") } == ["m#0(2,3)"])
        #expect(player.trace.last == "end#0(5)")
    }

    @Test func `v1 runs a merge with what it has when nothing else can run`() {
        var player = Player(
            Graph(.n8nV1, ["t -> if", "if.0 -> m.0", "if.1 -> m.1", "t -> late"], at: ["if": [1, 0], "m": [2, 0], "late": [1, 9]]), ["if": [[2, 0]]])
        player.run()
        #expect(player.trace == ["t#0(1)", "if#0(1)", "late#0(1)", "m#0(2,-)"])
    }

    @Test func `v0 tells a merge's later inputs that nothing comes, so it runs at once`() {
        var player = Player(Graph(.n8nV0, ["t -> if", "if.0 -> m.0", "if.1 -> m.1"]), ["if": [[2, 0]]])
        player.run()
        #expect(player.trace == ["t#0(1)", "if#0(1)", "m#0(2,0)"])
    }

    @Test func `v0 runs the ancestors of a merge's other inputs though nothing led to them`() {
        var player = Player(Graph(.n8nV0, ["t -> m.0", "x -> y", "y -> m.1", "m -> end"]), ["x": [[4]]])
        player.run()
        #expect(player.trace == ["t#0(1)", "x#0(1)", "y#0(4)", "m#0(1,4)", "end#0(4)"])
    }

    @Test func `v1 does not run ancestors that nothing led to`() {
        var player = Player(Graph(.n8nV1, ["t -> m.0", "x -> y", "y -> m.1", "m -> end"]))
        player.run()
        #expect(player.trace == ["t#0(1)", "m#0(1,-)", "end#0(1)"])
    }

    @Test func `a merge that needs all inputs is given up where one never comes`() {
        let graph = Graph(.n8nV1, ["t -> m.0", "x -> m.1", "m -> end"]).changing("m") {
            $0.kind = "merge"
            $0.config = ["mode": "chooseBranch"]
        }
        var player = Player(graph)
        player.run()
        #expect(player.trace == ["t#0(1)"])
        #expect(player.end?.status == .succeeded)
    }

    @Test func `of two waiting merges the earlier in the flow runs first, and feeds the later`() {
        var player = Player(Graph(.n8nV1, ["t -> m2.0", "t -> m1.0", "x -> m1.1", "m1 -> m2.1"]))
        player.run()
        #expect(player.trace == ["t#0(1)", "m1#0(1,-)", "m2#0(1,1)"])
    }

    @Test func `several rounds into a merge fill one run after the other`() {
        // `two` sends twice into slot 0; slot 1 is filled once: the second round is run with what it has.
        var player = Player(
            Graph(.n8nV1, ["t -> a", "t -> b", "t -> c", "a -> m.0", "b -> m.0", "c -> m.1"], at: ["a": [1, 0], "b": [1, 1], "c": [1, 2]]))
        player.run()
        #expect(player.trace == ["t#0(1)", "a#0(1)", "b#0(1)", "c#0(1)", "m#0(1,1)", "m#1(1,-)"])
    }

    @Test func `a merge with one connected input waits in n8n's orders and runs at once in parallel`() {
        let edges = ["t -> m.1", "t -> z"]
        var n8n = Player(Graph(.n8nV1, edges, at: ["m": [1, 0], "z": [1, 5]]))
        n8n.run()
        #expect(n8n.trace == ["t#0(1)", "z#0(1)", "m#0(-,1)"])
        var parallel = Player(Graph(.parallel, edges))
        parallel.run()
        #expect(parallel.trace == ["t#0(1)", "m#0(-,1)", "z#0(1)"])
    }
}
