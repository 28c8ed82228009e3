import Kernel
import Testing
@testable import Workflows

@Suite struct RunMachineOrderTests {
    static let fork = ["t -> a", "t -> b", "a -> a2", "b -> b2"]
    /// b lies above a.
    static let positions: [String: [Double]] = ["t": [0, 0], "a": [1, 100], "b": [1, -100], "a2": [2, 100], "b2": [2, -100]]

    @Test func `v1 runs the upper branch to its end before the lower one`() {
        var player = Player(Graph(.n8nV1, Self.fork, at: Self.positions))
        player.run()
        #expect(player.trace == ["t#0(1)", "b#0(1)", "b2#0(1)", "a#0(1)", "a2#0(1)"])
        #expect(player.end?.status == .succeeded)
    }

    @Test func `v1 takes the left one of two at the same height, then what comes last in the document`() {
        var player = Player(Graph(.n8nV1, ["t -> a", "t -> b", "t -> c"], at: ["a": [5, 0], "b": [1, 0], "c": [5, 0]]))
        player.run()
        #expect(player.trace == ["t#0(1)", "b#0(1)", "c#0(1)", "a#0(1)"])
    }

    @Test func `v0 runs breadth first in the order of connections`() {
        var player = Player(Graph(.n8nV0, Self.fork, at: Self.positions))
        player.run()
        #expect(player.trace == ["t#0(1)", "a#0(1)", "b#0(1)", "a2#0(1)", "b2#0(1)"])
    }

    @Test func `parallel branches are handed out side by side`() {
        var player = Player(Graph(.parallel, Self.fork))
        player.feed(.started(trigger: 0, items: .single))
        player.step()
        #expect(player.pending.count == 2)
        player.finish()
        #expect(player.end?.status == .succeeded)
    }

    @Test func `n8n's orders hand out one step at a time`() {
        for order in [WorkflowSettings.Order.n8nV0, .n8nV1] {
            var player = Player(Graph(order, Self.fork))
            player.feed(.started(trigger: 0, items: .single))
            while !player.pending.isEmpty {
                #expect(player.pending.count == 1)
                player.step()
            }
        }
    }

    @Test func `an output without items ends its branch`() {
        var player = Player(Graph(.n8nV1, ["t -> if", "if.0 -> yes", "if.1 -> no"]), ["if": [[0, 3]]])
        player.run()
        #expect(player.trace == ["t#0(1)", "if#0(1)", "no#0(3)"])
    }

    @Test func `alwaysOutput gives one empty item made from all that came in`() {
        let graph = Graph(.n8nV1, ["t -> filter", "filter -> next"]).changing("filter") { $0.alwaysOutput = true }
        var player = Player(graph, ["filter": [[0]]])
        player.run(items: 2)
        #expect(player.trace.last == "next#0(1)")
        let output = player.machine.ended[1][0]?.outputs[0]
        #expect(output?.lineage == .explicit([[PairedItem(item: 0), PairedItem(item: 1)]]))
    }

    @Test func `a disabled node passes its first input on without being run`() {
        let graph = Graph(.n8nV1, ["t -> off", "off -> next"]).changing("off") { $0.disabled = true }
        var player = Player(graph)
        player.run(items: 3)
        #expect(player.trace == ["t#0(3)", "next#0(3)"])
        #expect(player.machine.ended[1][0]?.outputs[0]?.lineage == .identity(input: 0))
        #expect(player.machine.ended[1][0]?.outputs[0]?.items === player.machine.ended[1][0]?.inputs[0]?.items)
    }

    @Test func `two connections into one input are two runs`() {
        var player = Player(Graph(.n8nV1, ["t -> a", "t -> b", "a -> end", "b -> end"], at: ["a": [1, 0], "b": [1, 1]]))
        player.run()
        #expect(player.trace == ["t#0(1)", "a#0(1)", "end#0(1)", "b#0(1)", "end#1(1)"])
    }

    @Test func `a cycle counts its runs and ends when its output is empty`() {
        var player = Player(Graph(.n8nV1, ["t -> loop", "loop.1 -> body", "body -> loop", "loop.0 -> done"]), ["loop": [[0, 1], [0, 1], [2, 0]]])
        player.run(items: 2)
        #expect(player.trace == ["t#0(2)", "loop#0(2)", "body#0(1)", "loop#1(1)", "body#1(1)", "loop#2(1)", "done#0(2)"])
    }

    @Test func `an endless cycle is stopped`() {
        var player = Player(Graph(.n8nV1, ["t -> a", "a -> a"]))
        player.run()
        #expect(player.end?.status == .failed)
        #expect(player.end?.failure?.code == "too_many_steps")
    }

    @Test func `v1 runs the outputs of a node that lead to one place from the last to the first`() {
        var player = Player(Graph(.n8nV1, ["t -> if", "if.0 -> n", "if.1 -> n"]), ["if": [[1, 2]]])
        player.run()
        #expect(player.trace == ["t#0(1)", "if#0(1)", "n#0(2)", "n#1(1)"])
    }

    @Test func `the output that leads to a node is that of the shortest way`() {
        let graph = Graph(.n8nV1, ["t -> l", "l.1 -> b", "b -> l", "l.0 -> d"]).compiled
        func output(_ source: String, _ node: String) -> Int? {
            graph.leadingOutput(of: graph.index(ofNode: source)!, to: graph.index(ofNode: node)!)
        }
        #expect(output("l", "b") == 1 && output("l", "d") == 0 && output("t", "b") == 0 && output("d", "t") == nil)
    }
}
