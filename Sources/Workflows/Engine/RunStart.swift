package import Kernel

/// What a run is started with.
package struct RunStart: Sendable {
    /// Where files are stored for the run before it is started; nil takes a new one.
    package var id: RunID?
    package var tenant: TenantID
    package var workflow: WorkflowID
    package var version: Int
    /// nil where this version has been run by this process before.
    package var document: WorkflowDocument?
    /// The version, where whoever starts it has it at hand.
    var compiled: CompiledWorkflow?
    /// The trigger's name.
    package var trigger: String
    package var items: ItemList
    package var mode: String
    package var timeZone: String
    /// A second start of the workflow with the same key is the first run again.
    package var idempotencyKey: String?

    package init(
        tenant: TenantID, workflow: WorkflowID, version: Int, document: WorkflowDocument?, compiled: CompiledWorkflow? = nil, trigger: String,
        items: ItemList, mode: String,
        timeZone: String = "UTC", idempotencyKey: String? = nil, id: RunID? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.workflow = workflow
        self.version = version
        self.document = document
        self.compiled = compiled
        self.trigger = trigger
        self.items = items
        self.mode = mode
        self.timeZone = timeZone
        self.idempotencyKey = idempotencyKey
    }
}
