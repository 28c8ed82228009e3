package import Kernel
internal import Synchronization

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

    private struct Key: Hashable {
        var tenant: TenantID
        var method: String
        var path: String
    }

    private struct Kept {
        var target: Target
        var until: Timestamp
    }

    private struct State {
        var kept: [Key: Kept] = [:]
        /// Raised by each publication, so that a lookup that began before it is not kept.
        var generation = 0
    }

    static let validity: Duration = .seconds(1)
    static let entriesMaximum = 10_000
    private let state = Mutex(State())
    private let clock: Clock

    package init(clock: Clock) { self.clock = clock }

    func find(
        _ tenant: TenantID, _ method: String, _ path: String, look: () async throws -> Target?
    ) async throws -> Target? {
        let (key, now) = (Key(tenant: tenant, method: method, path: path), clock.now())
        let (known, generation) = state.withLock { state in (state.kept[key], state.generation) }
        if let known, known.until > now { return known.target }
        guard let found = try await look() else { return nil }
        guard found.parameters.isEmpty else { return found }
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.kept.count >= Self.entriesMaximum { state.kept.removeAll() }
            state.kept[key] = Kept(target: found, until: now + Self.validity)
        }
        return found
    }

    /// Called after a commit that changed what is published.
    func changed(in tenant: TenantID) {
        state.withLock { state in
            state.generation += 1
            state.kept = state.kept.filter { $0.key.tenant != tenant }
        }
    }
}
