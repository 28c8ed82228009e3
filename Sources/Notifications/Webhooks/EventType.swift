internal import Kernel

/// The kinds of events that a tenant's endpoints can be told of: a closed list, each declared by the module that emits it.
package struct EventType: Sendable, Hashable {
    /// `execution.failed`
    package let name: String
    /// Of its text.
    var key: String { "notifications.event.\(name)" }

    private init(_ name: String) { self.name = name }

    package static let all: [EventType] = [
        "execution.succeeded", "execution.failed", "execution.cancelled", "workflow.created", "workflow.published", "workflow.unpublished",
        "workflow.archived", "workflow.deleted", LimitNear.name, LimitReached.name, EndpointDisabled.name
    ].map(EventType.init)

    /// Nil for a name that is not on the list.
    package static func named(_ name: String) -> EventType? { all.first { $0.name == name } }

    /// Sent on demand, to try an endpoint; nobody subscribes to it.
    static let test = "webhook_endpoint.test"
}
