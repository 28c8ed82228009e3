package import Kernel
package import Outbound
package import Scripting

/// What runs a node of one kind. Stateless; one value serves all runs.
package protocol NodeExecutor: Sendable {
    /// The kinds it runs, with their declarations.
    static var kinds: [NodeKind] { get }
    init()
    func run(_ step: StepContext) async throws -> StepOutcome
}

/// What a step gives back to the engine.
package enum StepOutcome: Sendable {
    /// Items for each output, in the order of the ports. An output without items ends its branch.
    case items([[Item]])
    /// The step goes on later: the engine writes a timer and calls `run` again with `resume` set.
    case wait(until: Timestamp)
    /// The step runs another workflow and goes on with its result in `resume`.
    case call(WorkflowCall)
    /// Items go on, and the caller of the webhook gets its answer.
    case respond(WebhookAnswer, [[Item]])
}

/// A call of another workflow, journaled as its own run.
package struct WorkflowCall: Sendable {
    package var workflow: String
    /// A document given inline instead of an id.
    package var document: WorkflowDocument?
    /// The workflow of each list of items, where they are not all of `workflow`.
    package var workflows: [String]
    /// One run for each list of items.
    package var inputs: [[Item]]
    package var waits: Bool
    package init(workflow: String, document: WorkflowDocument? = nil, workflows: [String] = [], inputs: [[Item]], waits: Bool) {
        self.workflow = workflow
        self.workflows = workflows
        self.document = document
        self.inputs = inputs
        self.waits = waits
    }
}

extension WorkflowCall {
    /// What each list of items runs; a workflow that several name is looked for once.
    func targets<Target>(_ resolve: (WorkflowCall) async throws -> Target) async throws -> [Target] {
        var known: [String: Target] = [:]
        var targets: [Target] = []
        for index in inputs.indices {
            var call = self
            call.workflow = workflows.indices.contains(index) ? workflows[index] : workflow
            let target: Target
            if let found = known[call.workflow] { target = found } else { target = try await resolve(call) }
            known[call.workflow] = target
            targets.append(target)
        }
        return targets
    }
}

package struct WebhookAnswer: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body
    package enum Body: Sendable {
        case none
        case bytes([UInt8], contentType: String)
        case binary(BinaryReference)
    }
    package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why a step is called again.
package enum StepResume: Sendable {
    case timer
    /// Somebody answered the page or called the address that the step waits at.
    case answered([Item])
    /// The last items of each run that was called.
    case called([Result<[Item], StepFailure>])
}

/// A node's failure as the run shows it and as `{error}` items carry it.
package struct StepFailure: Error, Sendable, Hashable {
    /// `http_error`, `code_error`, `invalid_parameter`, `stopped`, …
    package var code: String
    package var message: String
    package var details: JSON?
    /// The input item it happened at.
    package var itemIndex: Int?
    /// False where trying again cannot help (a malformed parameter).
    package var isRetryable: Bool
    package init(_ code: String, _ message: String, details: JSON? = nil, itemIndex: Int? = nil, isRetryable: Bool = true) {
        self.code = code
        self.message = message
        self.details = details
        self.itemIndex = itemIndex
        self.isRetryable = isRetryable
    }
}

/// All a step sees and may use. Made by the engine; a value for one attempt.
package struct StepContext: Sendable {
    package let node: WorkflowNode
    package let kind: NodeKind
    /// Items by input port; `executeOnce` has already been applied.
    package let inputs: [[Item]]
    package let runIndex: Int
    package let attempt: Int
    package let resume: StepResume?
    /// The same for every repeat of this step; of an item, `idempotencyKey(item:)`.
    package let idempotencyKey: String
    /// Of items that ask anew after a refusal.
    private let renewedKeys: [Int: String]
    package let now: Timestamp
    package let timeZone: String
    package let tenant: TenantID
    /// `manual`, `webhook`, `trigger`, …
    package let mode: String
    package let services: any StepServices
    /// Its own state between runs of the same node within a run (loop over items), and what it set before `StepOutcome.wait`.
    package let state: JSON

    package init(
        node: WorkflowNode, kind: NodeKind, inputs: [[Item]], runIndex: Int, attempt: Int, resume: StepResume?, idempotencyKey: String,
        renewedKeys: [Int: String] = [:], now: Timestamp, timeZone: String, tenant: TenantID, mode: String, services: any StepServices, state: JSON
    ) {
        self.node = node
        self.kind = kind
        self.inputs = inputs
        self.runIndex = runIndex
        self.attempt = attempt
        self.resume = resume
        self.idempotencyKey = idempotencyKey
        self.renewedKeys = renewedKeys
        self.now = now
        self.timeZone = timeZone
        self.tenant = tenant
        self.mode = mode
        self.services = services
        self.state = state
    }

    /// The same for every repeat of what this step does for an item.
    package func idempotencyKey(item: Int) -> String { renewedKeys[item] ?? "\(idempotencyKey)-\(item)" }

    /// Input 0.
    package var items: [Item] { inputs.first ?? [] }

    /// A parameter by path (`options.timeout`, `rules.values`) with every expression inside it evaluated for one input item; the
    /// declaration's default where it is left out, nil where there is neither.
    /// - Throws: `StepFailure` with the parameter's name where an expression fails.
    package func parameter(_ path: String, item: Int = 0) async throws -> JSON? {
        try await services.parameter(path, item: item)
    }

    /// The same without evaluation: expressions stay text.
    package func rawParameter(_ path: String) -> JSON? {
        var value: JSON? = .object(node.config)
        for part in path.split(separator: ".") { value = value?[String(part)] }
        return value
    }
}

/// What the engine lends a step.
package protocol StepServices: Sendable {
    func parameter(_ path: String, item: Int) async throws -> JSON?
    /// Evaluates any value with `=` strings inside, with further roots (`$response`, `$pageCount`).
    func evaluate(_ value: JSON, item: Int, roots: JSONObject) async throws -> JSON
    /// What expressions of this step see.
    func scope() -> any ExpressionScope
    var scripts: any ScriptRunner { get }
    var facilities: StepFacilities { get }
    /// The decrypted fields of the node's credential of this type, for use in a request and nowhere else.
    func credential(ofType type: String) async throws -> JSONObject
    /// The access token of the node's credential of this type, a new one where `stale` is the one that is known.
    func accessToken(ofType type: String, stale: String?) async throws -> String
    /// Sends a request through the address check.
    func send(_ request: OutboundRequest) async throws -> OutboundResponse
    /// Replaces the node's state (`StepContext.state`), journaled with the step.
    func setState(_ state: JSON)
    /// Workflow static data: `global` and per node.
    func staticData() -> (global: JSON, node: JSON)
    func setStaticData(global: JSON?, node: JSON?)
    func log(_ line: String)
    /// Marks the run with a value that it is found by; the last one of a name counts.
    func mark(_ name: String, _ value: String)
    /// For whom files are kept that the step writes or reads from the disk.
    var holder: FileHolder { get }
    /// Reads and writes attachments.
    /// - Throws: `file_too_large` for a file of more than `Limits.fileBytesInMemory`.
    func readBinary(_ reference: BinaryReference) async throws -> [UInt8]
    func writeBinary(_ bytes: [UInt8], mimeType: String, fileName: String?) async throws -> BinaryReference
    /// The same for files of any size, piece by piece.
    func openBinary(_ reference: BinaryReference) async throws -> BytePieces
    func keepBinary(_ pieces: BytePieces, mimeType: String, fileName: String?) async throws -> BinaryReference
}

extension StepServices {
    package func openBinary(_ reference: BinaryReference) async throws -> BytePieces { BytePieces(try await readBinary(reference)) }

    package func keepBinary(_ pieces: BytePieces, mimeType: String, fileName: String?) async throws -> BinaryReference {
        try await writeBinary(try await pieces.collected(upTo: Limits.fileBytesInMemory), mimeType: mimeType, fileName: fileName)
    }
}
