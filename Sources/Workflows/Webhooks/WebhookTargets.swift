package import Kernel

/// Which published nodes answer which paths, kept for a moment so that a busy webhook asks the database only now and then.
///
/// What this process publishes holds at once; what another publishes, within `validity`. Paths with parameters are not kept, since a
/// caller chooses how many there are.
package final class WebhookTargets: Sendable {
    /// A node that answers, with all that is needed to start its run.
    final class Target: Sendable {
        let workflow: WorkflowID
        let version: Int
        let compiled: CompiledWorkflow
        let node: WorkflowNode
        let definition: WebhookDefinition
        let parameters: [String: String]

        init(
            workflow: WorkflowID, version: Int, compiled: CompiledWorkflow, node: WorkflowNode, definition: WebhookDefinition,
            parameters: [String: String]
        ) {
            self.workflow = workflow
            self.version = version
            self.compiled = compiled
            self.node = node
            self.definition = definition
            self.parameters = parameters
        }
    }

    static let validity: Duration = .seconds(1)
    private let kept = TimedCache<Target?>(lifetime: validity)
    private let clock: Clock

    package init(clock: Clock) { self.clock = clock }

    func find(
        _ tenant: TenantID, _ method: String, _ path: String, look: () async throws -> Target?
    ) async throws -> Target? {
        try await kept.value(
            of: CacheKey(tenant, path, method), now: clock.now(), isKept: { $0?.parameters.isEmpty ?? false }, load: look)
    }

    /// Called after a commit that changed what is published.
    func changed(in tenant: TenantID) { kept.forget { $0.tenant == tenant } }
}
