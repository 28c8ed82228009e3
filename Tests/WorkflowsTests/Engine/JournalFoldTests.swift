import Kernel
import TestKit
import Testing
@testable import Workflows

/// Random graphs, outcomes and interleavings: a machine folded from any part of a journal is the machine that wrote it.
@Suite struct JournalFoldTests {
    struct Story {
        var graph: CompiledWorkflow
        var seed: UInt64

        init(seed: UInt64) {
            self.seed = seed
            var random = Seeded(seed)
            let count = Int.random(in: 2...9, using: &random)
            var nodes = (0..<count).map { index in
                WorkflowNode(
                    id: "n\(index)", category: .action, kind: "test", name: "n\(index)",
                    position: [Double(Int.random(in: 0...5, using: &random)), Double(Int.random(in: 0...5, using: &random))])
            }
            for index in nodes.indices {
                if Int.random(in: 0..<4, using: &random) == 0 { nodes[index].retry = .init(attempts: 2, waitMilliseconds: 100) }
                nodes[index].alwaysOutput = Int.random(in: 0..<6, using: &random) == 0
                nodes[index].disabled = index > 0 && Int.random(in: 0..<8, using: &random) == 0
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    // Mostly forward, now and then a cycle.
                    let target =
                        Int.random(in: 0..<6, using: &random) == 0
                        ? Int.random(in: 0..<count, using: &random) : min(count - 1, index + Int.random(in: 1...3, using: &random))
                    guard target != index else { continue }
                    nodes[index].connections.append(
                        WorkflowConnection(
                            output: Int.random(in: 0...1, using: &random), to: "n\(target)", input: Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0
                        ))
                }
            }
            let order = WorkflowSettings.Order.allCases.randomElement(using: &random)!
            graph = CompiledWorkflow(WorkflowDocument(name: "story", nodes: nodes, settings: .init(order: order)), kinds: KindRegistry(executors: []))
        }

        /// The same outcome for the same attempt of the same step, whenever it is asked.
        func outcome(_ request: StepRequest) -> Player.Outcome {
            var random = Seeded(seed ^ UInt64(request.step.node * 1_000_003 + request.step.runIndex * 7_919 + request.attempt))
            if request.resume == nil {
                switch Int.random(in: 0..<30, using: &random) {
                case 0, 1: return .failure(StepFailure("odd", "seed", itemIndex: 0, isRetryable: Bool.random(using: &random)))
                case 2, 3: return .wait(Timestamp(seconds: 5))
                case 4: return .call(Int.random(in: 0...2, using: &random), waits: Bool.random(using: &random))
                case 5: return .answer(200 + request.step.node)
                default: break
                }
            }
            // Cycles die out.
            guard request.step.runIndex < 3 else { return .counts([0, 0]) }
            let arrived = request.inputs.compactMap { $0?.items.count }.reduce(0, +)
            let outputs = (0...1).map { _ -> StepOutput? in
                let count = Int.random(in: 0...2, using: &random)
                let lineage: Lineage = [
                    .unknown, .identity(input: 0), .one(PairedItem(item: 0)),
                    Lineage((0..<count).map { $0 == 0 ? nil : [PairedItem(item: max(0, arrived - 1)), PairedItem(item: 0, input: 1)] })
                ].randomElement(using: &random)!
                return count == 0 && Bool.random(using: &random) ? nil : StepOutput(Player.list(count), lineage)
            }
            return Bool.random(using: &random) ? .outputs(outputs) : .state(.number(Double(request.step.runIndex)), [1, 0])
        }

        func player(shuffle: UInt64) -> Player {
            var player = Player(graph) { _, request, _ in outcome(request) }
            var random = Seeded(shuffle)
            player.pick = { Int.random(in: 0..<$0, using: &random) }
            return player
        }
    }

    /// Payloads by number, as a payload store keeps them.
    final class Payloads {
        var lists: [ItemList] = []
        var coding: PayloadCoding {
            PayloadCoding(
                write: {
                    self.lists.append(ItemList(bytes: $0.bytes, count: $0.count)); return .number(Double(self.lists.count - 1))
                },
                read: { name, count in
                    let list = self.lists[name.integer ?? -1]
                    #expect(list.count == count)
                    return list
                })
        }
    }

    private func journaled(_ events: [RunEvent]) throws -> [RunEvent] {
        let payloads = Payloads()
        return try events.map { event in
            let bytes = event.text(payloads.coding)
            return try RunEvent(kind: event.kind, step: event.step, attempt: event.attempt, data: JSON(parsing: bytes), payloads: payloads.coding)
        }
    }

    @Test(arguments: 0..<20)
    func `killing a run after any event and folding its journal changes nothing`(batch: Int) throws {
        for round in 0..<50 {
            let story = Story(seed: UInt64(batch * 50 + round) &* 0x1234_5678_9ABC_DEF1)
            var whole = story.player(shuffle: UInt64(round))
            whole.run()
            #expect(whole.end != nil, "a run ends")
            let events = try journaled(whole.events)
            var reference = RunMachine(story.graph)
            for (cut, event) in whole.events.enumerated() {
                var folded = RunMachine(story.graph)
                for event in events[..<cut] { _ = folded.on(event) }
                #expect(folded.fingerprint == reference.fingerprint)
                expectNothingRepeated(folded, events: events[..<cut])
                _ = reference.on(event)
            }
            #expect(reference.fingerprint == whole.machine.fingerprint)
            try expectResumedRunEnds(story, events: events, cut: Int(story.seed % UInt64(events.count)), shuffle: UInt64(round))
        }
    }

    /// What a folded machine wants executed is never a step whose end was journaled.
    private func expectNothingRepeated(_ machine: RunMachine, events: ArraySlice<RunEvent>) {
        let done = Set(events.compactMap { if case .stepFinished(let finish) = $0 { finish.step } else { nil } })
        for case .execute(let request) in machine.outstanding { #expect(!done.contains(request.step)) }
    }

    /// A run in one-step-at-a-time orders comes to the same end whether or not its process died in between.
    private func expectResumedRunEnds(_ story: Story, events: [RunEvent], cut: Int, shuffle: UInt64) throws {
        var player = story.player(shuffle: shuffle &+ 1)
        for event in events[..<cut] { _ = player.machine.on(event) }
        guard cut > 0 else { return }
        player.pending = player.machine.outstanding
        for (step, missing) in player.machine.calling {
            for index in missing { player.feed(.callReturned(step, index: index, .success(Player.list(index + 1)))) }
        }
        player.finish()
        #expect(player.machine.end != nil)
        guard story.graph.order != .parallel else { return }
        var whole = RunMachine(story.graph)
        for event in events { _ = whole.on(event) }
        #expect(player.machine.fingerprint == whole.fingerprint)
    }
}

extension RunMachine {
    /// All that decides how the run goes on, as text.
    var fingerprint: String {
        func text(_ inputs: [StepInput?]) -> String {
            inputs.map {
                $0.map { "\(String(decoding: $0.items.bytes, as: UTF8.self))@\($0.source.map { "\($0.node).\($0.output).\($0.runIndex)" } ?? "-")" }
                    ?? "nil"
            }.joined(separator: "|")
        }
        func text(_ outputs: [StepOutput?]) -> String {
            outputs.map { $0.map { "\(String(decoding: $0.items.bytes, as: UTF8.self))~\($0.lineage)" } ?? "nil" }.joined(separator: "|")
        }
        var lines = [
            "end \(String(describing: end))", "last \(String(describing: lastEnded))",
            "states \(states.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.serialized)" })"
        ]
        lines += queue.map { "queued \($0.node) \(text($0.inputs))" }
        lines += gathering.map { "gathering \($0.node) \(text($0.inputs))" }
        lines += active.sorted { ($0.key.node, $0.key.runIndex) < ($1.key.node, $1.key.runIndex) }.map { key, value in
            "active \(key) \(value.attempt) \(value.wasIntended) \(phase(value.phase)) \(value.resume.map { "\($0)".prefix(6) } ?? "-") \(text(value.inputs))"
        }
        for (node, runs) in ended.enumerated() {
            lines += runs.enumerated().map { run, end in
                "ended \(node)#\(run) \(end.map { "\($0.position) \($0.attempt) \(String(describing: $0.failure)) \(text($0.inputs)) => \(text($0.outputs))" } ?? "nil")"
            }
        }
        return lines.joined(separator: "\n")
    }

    private func phase(_ phase: Active.Phase) -> String {
        guard case .calling(let results) = phase else { return "\(phase)" }
        return "calling "
            + results.map { result in
                switch result {
                case nil: "-"
                case .success(let list)?: String(decoding: list.bytes, as: UTF8.self)
                case .failure(let failure)?: failure.code
                }
            }.joined(separator: ",")
    }
}
