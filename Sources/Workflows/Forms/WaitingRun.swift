internal import Kernel
internal import Persistence

/// A run as its journal tells it now, looked at by somebody who may answer it.
struct WaitingRun: Sendable {
    let run: Run
    let machine: RunMachine

    /// A step that waits for somebody, and what it asks.
    struct Question: Sendable {
        var step: StepKey
        var node: WorkflowNode
        /// As the step kept it.
        var page: JSON

        var kind: String { page["kind"]?.text ?? "" }
    }

    static func load(_ id: RunID, tenant: TenantID, database: any Database, blobs: any BlobStore, kinds: KindRegistry) async throws -> WaitingRun? {
        let found = try await database.read(in: tenant) { tx -> (Run, [UInt8])? in
            guard let run = try RunStore(tx: tx).find(id), let bytes = try WorkflowStore(tx: tx).document(of: run.workflow, version: run.version)
            else {
                return nil
            }
            return (run, bytes)
        }
        guard let (run, bytes) = found else { return nil }
        let workflow = CompiledWorkflow(try WorkflowDocument(stored: bytes), kinds: kinds)
        let machine = try await database.read(in: tenant) { tx in
            let payloads = PayloadReader(tx: tx, run: id, blobs: blobs)
            var machine = RunMachine(workflow)
            guard let trigger = workflow.index(ofNode: run.trigger) else { throw Refusal.missing("page") }
            _ = machine.on(.started(trigger: trigger, items: try payloads.input(run)))
            for event in try JournalStore(tx: tx).events(of: id, workflow: workflow, payloads: payloads) { _ = machine.on(event.event) }
            return machine
        }
        return WaitingRun(run: run, machine: machine)
    }

    var questions: [Question] { machine.questions }

    /// The page that a form's last node left, and the file that it offers.
    var completion: (page: JSON, step: StepKey)? {
        var found: (position: Int, page: JSON, step: StepKey)?
        for (node, runs) in machine.ended.enumerated() where machine.workflow.nodes[node].node.kind == "form" {
            for (index, ended) in runs.enumerated() {
                guard let ended, let page = machine.state(of: node)["completion"], ended.position > (found?.position ?? -1) else { continue }
                found = (ended.position, page, StepKey(node: node, runIndex: index))
            }
        }
        return found.map { ($0.page, $0.step) }
    }

    /// A file of the items that went into a step.
    func file(_ name: String, of step: StepKey) -> BinaryReference? {
        guard machine.ended[step.node].indices.contains(step.runIndex), let inputs = machine.ended[step.node][step.runIndex]?.inputs else {
            return nil
        }
        return inputs.lazy.compactMap { try? $0?.items.items() }.joined().lazy.compactMap { $0.binary[name] }.first
    }
}

extension RunMachine {
    /// The steps that wait for somebody, in the document's order.
    var questions: [WaitingRun.Question] {
        active.compactMap { step, active -> WaitingRun.Question? in
            guard case .waiting(_, false) = active.phase, let page = active.state?["page"] else { return nil }
            return WaitingRun.Question(step: step, node: workflow.nodes[step.node].node, page: page)
        }.sorted { ($0.step.node, $0.step.runIndex) < ($1.step.node, $1.step.runIndex) }
    }

    /// `node.runIndex`
    func place(of question: WaitingRun.Question) -> String { "\(question.node.id).\(question.step.runIndex)" }
}
