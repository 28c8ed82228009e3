package import Kernel
package import Persistence

/// An execution of a published workflow is over: `{execution, workflow, workflow_name, version, mode, status, error?, started_at, finished_at}`.
package protocol ExecutionEvent: Event {
    init(_ facts: ExecutionFacts)
    var facts: ExecutionFacts { get }
}

extension ExecutionEvent {
    package static var version: Int { 1 }
    package var subject: String { "execution:\(facts.run)" }
    package var key: String? { "execution:\(facts.run)" }
    package var payload: JSON { facts.json }
}

package enum ExecutionEvents {
    package struct Succeeded: ExecutionEvent {
        package static let name = "execution.succeeded"
        package let facts: ExecutionFacts
        package init(_ facts: ExecutionFacts) { self.facts = facts }
    }
    package struct Failed: ExecutionEvent {
        package static let name = "execution.failed"
        package let facts: ExecutionFacts
        package init(_ facts: ExecutionFacts) { self.facts = facts }
    }
    package struct Cancelled: ExecutionEvent {
        package static let name = "execution.cancelled"
        package let facts: ExecutionFacts
        package init(_ facts: ExecutionFacts) { self.facts = facts }
    }

    /// Nil for a status that is no end.
    package static func name(of status: RunStatus) -> String? {
        switch status {
        case .succeeded: Succeeded.name
        case .failed: Failed.name
        case .cancelled: Cancelled.name
        default: nil
        }
    }

    /// Tells of the end of a run, in the transaction that ends it.
    package static func emit(_ facts: RunFacts, _ status: RunStatus, in tx: TenantTransaction) throws {
        let row = try RunStore(tx: tx).find(facts.id)
        let ended = ExecutionFacts(
            run: facts.id, workflow: facts.workflow, workflowName: try WorkflowStore(tx: tx).workflow(facts.workflow)?.name ?? "",
            version: max(0, facts.version), mode: facts.mode, status: status, error: row?.failure.map { ($0.code, $0.message) },
            startedAt: row?.createdAt ?? tx.clock.now(), finishedAt: tx.clock.now())
        switch status {
        case .succeeded: try tx.emit(Succeeded(ended))
        case .failed: try tx.emit(Failed(ended))
        case .cancelled: try tx.emit(Cancelled(ended))
        default: return
        }
    }
}

package struct ExecutionFacts: Sendable {
    let run: RunID
    let workflow: WorkflowID
    let workflowName: String
    let version: Int
    let mode: String
    let status: RunStatus
    let error: (code: String, message: String)?
    let startedAt: Timestamp
    let finishedAt: Timestamp

    private static let errorLength = 2_000

    var json: JSON {
        var members: JSONObject = [
            "execution": .string(run.description), "workflow": .string(workflow.description), "workflow_name": .string(workflowName),
            "version": .number(Double(version)), "mode": .string(mode), "status": .string(status.rawValue)
        ]
        if let error { members["error"] = ["code": .string(error.code), "message": .string(String(error.message.prefix(Self.errorLength)))] }
        members["started_at"] = .string(startedAt.description)
        members["finished_at"] = .string(finishedAt.description)
        return .object(members)
    }
}
