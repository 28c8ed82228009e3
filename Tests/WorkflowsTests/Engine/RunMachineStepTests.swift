import Kernel
import Testing
@testable import Workflows

@Suite struct RunMachineStepTests {
    static let line = ["t -> a", "a -> b"]
    static let failure = StepFailure("http_error", "500")

    @Test func `a failure stops the run and names its step`() {
        var player = Player(Graph(.n8nV1, Self.line).compiled) { name, _, _ in name == "a" ? .failure(Self.failure) : .counts([1]) }
        player.run()
        #expect(player.end == RunEnd(status: .failed, failure: Self.failure, step: StepKey(node: 1, runIndex: 0)))
        #expect(player.machine.on(.timerFired(StepKey(node: 1, runIndex: 0))).isEmpty)
    }

    @Test func `a failed step is tried again after its wait, and then fails for good`() {
        let graph = Graph(.n8nV1, Self.line).changing("a") { $0.retry = .init(attempts: 3, waitMilliseconds: 1_500) }
        var player = Player(graph.compiled) { name, _, _ in name == "a" ? .failure(Self.failure) : .counts([1]) }
        player.run()
        let waits = player.effects.compactMap { if case .wait(_, let until) = $0 { until } else { nil } }
        #expect(waits == [Timestamp(milliseconds: 1_500), Timestamp(milliseconds: 1_500)])
        #expect(player.trace == ["t#0(1)", "a#0(1)", "a#0(1)", "a#0(1)"])
        #expect(player.end?.status == .failed)
    }

    @Test func `a failure that trying again cannot help is not tried again`() {
        let graph = Graph(.n8nV1, Self.line).changing("a") { $0.retry = .init(attempts: 3, waitMilliseconds: 0) }
        var failure = Self.failure
        failure.isRetryable = false
        var player = Player(graph.compiled) { name, _, _ in name == "a" ? .failure(failure) : .counts([1]) }
        player.run()
        #expect(player.trace.count == 2)
    }

    @Test func `a second attempt that works lets the run go on`() {
        let graph = Graph(.n8nV1, Self.line).changing("a") { $0.retry = .init(attempts: 2, waitMilliseconds: 0) }
        var player = Player(graph.compiled) { name, request, _ in name == "a" && request.attempt == 1 ? .failure(Self.failure) : .counts([1]) }
        player.run()
        #expect(player.trace == ["t#0(1)", "a#0(1)", "a#0(1)", "b#0(1)"])
        #expect(player.machine.ended[1][0]?.attempt == 2)
    }

    @Test func `a step that waits is called again when its time has come`() {
        var resumed = false
        var player = Player(Graph(.n8nV1, Self.line).compiled) { name, request, _ in
            guard name == "a" else { return .counts([1]) }
            if case .timer? = request.resume { resumed = true }
            return resumed ? .counts([1]) : .wait(Timestamp(seconds: 60))
        }
        player.run()
        #expect(resumed)
        #expect(player.trace == ["t#0(1)", "a#0(1)", "a#0(1)", "b#0(1)"])
    }

    @Test func `a wait holds up everything in n8n's orders, and only its branch in parallel`() {
        for (order, expected) in [(WorkflowSettings.Order.n8nV1, 1), (.parallel, 2)] {
            var player = Player(Graph(order, ["t -> a", "t -> b"]).compiled) { name, _, _ in
                name == "a" ? .wait(Timestamp(seconds: 60)) : .counts([1])
            }
            player.feed(.started(trigger: 0, items: .single))
            player.step()
            player.step()
            #expect(player.pending.count == expected)
        }
    }

    @Test func `a call goes on with the results in the order of its runs`() {
        var got: [Int] = []
        var player = Player(Graph(.n8nV1, Self.line).compiled) { name, request, _ in
            guard name == "a" else { return .counts([1]) }
            guard case .called(let results)? = request.resume else { return .call(3, waits: true) }
            got = results.map { (try? $0.get().count) ?? -1 }
            return .counts([got.count])
        }
        player.run()
        #expect(got == [1, 2, 3])
        #expect(player.trace.last == "b#0(3)")
    }

    @Test func `a call that does not wait goes on at once`() {
        var player = Player(Graph(.n8nV1, Self.line).compiled) { name, request, _ in
            name == "a" && request.resume == nil ? .call(2, waits: false) : .counts([1])
        }
        player.run()
        #expect(player.trace == ["t#0(1)", "a#0(1)", "a#0(1)", "b#0(1)"])
    }

    @Test func `only the first answer reaches the caller`() {
        var player = Player(Graph(.n8nV1, Self.line).compiled) { name, _, _ in .answer(name == "a" ? 201 : 202) }
        player.run()
        let answers = player.effects.compactMap { if case .respond(let answer) = $0 { answer.status } else { nil } }
        #expect(answers == [202])
    }

    @Test func `a node's state reaches its next run`() {
        var seen: [JSON] = []
        var player = Player(Graph(.n8nV1, ["t -> loop", "loop.1 -> loop"]).compiled) { name, request, machine in
            guard name == "loop" else { return .counts([1]) }
            let state = machine.state(of: request.step.node)
            seen.append(state)
            let next = (state.integer ?? 0) + 1
            return .state(.number(Double(next)), next < 3 ? [0, 1] : [1, 0])
        }
        player.run()
        #expect(seen == [.null, 1, 2])
    }

    @Test func `a cancelled run takes in nothing more`() {
        var player = Player(Graph(.parallel, ["t -> a", "t -> b"]))
        player.feed(.started(trigger: 0, items: .single))
        player.step()
        player.feed(.cancelled)
        #expect(player.end?.status == .cancelled)
        player.finish()
        #expect(player.machine.ended[1].isEmpty)
    }

    @Test func `an uncertain step asks, and runs again when told`() {
        var player = Player(Graph(.n8nV1, Self.line))
        player.feed(.started(trigger: 0, items: .single))
        player.step()
        player.pending = []
        player.feed(.stepIntended(StepKey(node: 1, runIndex: 0), attempt: 1))
        player.feed(.stepUncertain(StepKey(node: 1, runIndex: 0)))
        #expect(player.end?.status == .uncertain)
        player.feed(.stepRepeated(StepKey(node: 1, runIndex: 0)))
        player.finish()
        #expect(player.end?.status == .succeeded)
        #expect(player.trace == ["t#0(1)", "a#0(1)", "b#0(1)"])
    }
}
