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
            "version": workflow.publishedVersion.map { .number(Double($0)) } ?? .null
        ]
    }
}

package enum WorkflowEvents {
    /// `workflow.created`, payload `{workflow, name}`; the others alike.
    package struct Created: WorkflowEvent {
        package static let name = "workflow.created"
        package let workflow: Workflow
    }
    package struct Published: WorkflowEvent {
        package static let name = "workflow.published"
        package let workflow: Workflow
    }
    package struct Unpublished: WorkflowEvent {
        package static let name = "workflow.unpublished"
        package let workflow: Workflow
    }
    package struct Archived: WorkflowEvent {
        package static let name = "workflow.archived"
        package let workflow: Workflow
    }
    package struct Deleted: WorkflowEvent {
        package static let name = "workflow.deleted"
        package let workflow: Workflow
    }
}
