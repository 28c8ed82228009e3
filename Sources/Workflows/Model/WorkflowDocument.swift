package import Kernel

/// A workflow as it is stored, versioned and run; its JSON form is `schema 1` of the document format (keys in snake_case).
package struct WorkflowDocument: Sendable, Hashable {
    package var name: String
    package var nodes: [WorkflowNode]
    package var settings: WorkflowSettings
    /// Items shown in place of a node's output in manual runs, by node name: `[{"json": {…}}]`.
    package var pinnedData: [String: JSON]
    /// What an import could not express (`{"format": "n8n", …}`); opaque, given back by the export.
    package var origin: JSON?

    package init(
        name: String, nodes: [WorkflowNode] = [], settings: WorkflowSettings = .init(), pinnedData: [String: JSON] = [:],
        origin: JSON? = nil
    ) {
        self.name = name
        self.nodes = nodes
        self.settings = settings
        self.pinnedData = pinnedData
        self.origin = origin
    }
}

package struct WorkflowNode: Sendable, Hashable {
    package enum Category: String, Sendable, Hashable, CaseIterable {
        case trigger, action, condition
        case aiProcessing = "ai_processing"
    }
    package enum OnError: String, Sendable, Hashable, CaseIterable {
        case stop
        /// Goes on with the failed items as `{error}` on the regular output.
        case continueRegular = "continue"
        /// Failed items leave by an additional last output.
        case continueErrorOutput = "error_output"
    }
    package struct Retry: Sendable, Hashable {
        /// Attempts in all, at least 2.
        package var attempts: Int
        package enum Backoff: String, Sendable, Hashable, CaseIterable { case fixed, exponential }
        /// Before the second attempt.
        package var waitMilliseconds: Int
        package var backoff: Backoff
        /// No wait is longer; nil is the most there is.
        package var maxWaitMilliseconds: Int?
        /// Takes up to half of each wait away, so that what failed together does not come back together.
        package var jitter: Bool
        package init(
            attempts: Int, waitMilliseconds: Int, backoff: Backoff = .fixed, maxWaitMilliseconds: Int? = nil, jitter: Bool = false
        ) {
            self.attempts = attempts
            self.waitMilliseconds = waitMilliseconds
            self.backoff = backoff
            self.maxWaitMilliseconds = maxWaitMilliseconds
            self.jitter = jitter
        }
    }

    package var id: String
    package var category: Category
    /// `set`, `http_request`; an unknown one from an import keeps its foreign name, `n8n:n8n-nodes-base.foo`.
    package var kind: String
    /// n8n's typeVersion for imported nodes; ours begin at the declaration's current version.
    package var kindVersion: Double
    /// Unique in the document; expressions name nodes by it.
    package var name: String
    package var position: [Double]
    /// Parameters as written; strings beginning with `=` are expressions.
    package var config: JSONObject
    package var connections: [WorkflowConnection]
    /// Credential id (or null until mapped) and name by credential type.
    package var credentials: [String: CredentialReference]
    package var onError: OnError
    package var retry: Retry?
    /// How long one attempt may take.
    package var timeoutSeconds: Int?
    package var executeOnce: Bool
    package var alwaysOutput: Bool
    package var disabled: Bool
    package var notes: String?

    package init(
        id: String, category: Category, kind: String, kindVersion: Double = 1, name: String, position: [Double] = [0, 0],
        config: JSONObject = [:], connections: [WorkflowConnection] = [], credentials: [String: CredentialReference] = [:],
        onError: OnError = .stop, retry: Retry? = nil, timeoutSeconds: Int? = nil, executeOnce: Bool = false, alwaysOutput: Bool = false,
        disabled: Bool = false, notes: String? = nil
    ) {
        self.id = id
        self.category = category
        self.kind = kind
        self.kindVersion = kindVersion
        self.name = name
        self.position = position
        self.config = config
        self.connections = connections
        self.credentials = credentials
        self.onError = onError
        self.retry = retry
        self.timeoutSeconds = timeoutSeconds
        self.executeOnce = executeOnce
        self.alwaysOutput = alwaysOutput
        self.disabled = disabled
        self.notes = notes
    }
}

/// An edge that leaves a node.
package struct WorkflowConnection: Sendable, Hashable {
    package var output: Int
    /// The target node's id.
    package var to: String
    package var input: Int
    /// `main`, or `ai_languageModel`, `ai_tool`, … for edges that are no data flow.
    package var kind: String
    package init(output: Int = 0, to: String, input: Int = 0, kind: String = "main") {
        self.output = output
        self.to = to
        self.input = input
        self.kind = kind
    }
}

package struct CredentialReference: Sendable, Hashable {
    package var id: String?
    package var name: String
    package init(id: String?, name: String) {
        self.id = id
        self.name = name
    }
}

package struct WorkflowSettings: Sendable, Hashable {
    package enum Order: String, Sendable, Hashable, CaseIterable {
        /// Branches run side by side: our own documents.
        case parallel
        /// n8n's orders: breadth first, and depth first by position.
        case n8nV0 = "n8n_v0"
        case n8nV1 = "n8n_v1"
    }
    package var order: Order
    /// IANA name; nil means the tenant's.
    package var timeZone: String?
    package var errorWorkflow: String?
    package var timeoutSeconds: Int?
    package var concurrency: Concurrency?
    /// Among runs of the tenant that wait for room, which goes first.
    package var priority: Priority
    /// What becomes of the slots of schedules that passed while nothing served.
    package var catchUp: CatchUp

    package enum CatchUp: String, Sendable, Hashable, CaseIterable {
        /// They are over.
        case none
        /// One run stands for all of them.
        case one
        /// Each has its run, those of the last seven days.
        case all
    }

    package enum Priority: String, Sendable, Hashable, CaseIterable { case low, normal, high }

    /// How many runs may be under way at once.
    package struct Concurrency: Sendable, Hashable {
        /// What becomes of a run that finds no place.
        package enum WhenFull: String, Sendable, Hashable, CaseIterable {
            case queue
            /// It is refused.
            case skip
            /// It takes the place of the oldest, which is cancelled.
            case cancelOldest = "cancel_oldest"
        }
        package var limit: Int
        /// An expression on the trigger's first item; runs of another value do not count. nil counts all of the workflow.
        package var key: String?
        package var whenFull: WhenFull

        package init(limit: Int, key: String? = nil, whenFull: WhenFull = .queue) {
            self.limit = limit
            self.key = key
            self.whenFull = whenFull
        }
    }

    package init(
        order: Order = .parallel, timeZone: String? = nil, errorWorkflow: String? = nil, timeoutSeconds: Int? = nil,
        concurrency: Concurrency? = nil, priority: Priority = .normal, catchUp: CatchUp = .one
    ) {
        self.catchUp = catchUp
        self.concurrency = concurrency
        self.priority = priority
        self.order = order
        self.timeZone = timeZone
        self.errorWorkflow = errorWorkflow
        self.timeoutSeconds = timeoutSeconds
    }
}
