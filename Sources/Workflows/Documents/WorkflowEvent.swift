package import Kernel
package import Persistence

/// What happened to a workflow: `{workflow, name, version}`.
package protocol WorkflowEvent: Event {
    var workflow: Workflow { get }
}

extension WorkflowEvent {
    package static var version: Int { 1 }
    package var subject: String { "workflow:\(workflow.id)" }
    package var payload: JSON {
        [
            "workflow": .string(workflow.id.description), "name": .string(workflow.name),
            "version": workflow.publishedVersion.map { .number(Double($0)) } ?? .null,
        ]
    }
}
