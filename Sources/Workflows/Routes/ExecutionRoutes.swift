internal import HTTPSurface
internal import Kernel
internal import Notifications

struct RunView: Codable, Sendable {
    var id: RunID
    var workflowID: WorkflowID
    var version: Int
    var status: String
    var mode: String
    var error: JSON?
    var createdAt: Timestamp
    var finishedAt: Timestamp?
    var resumeAt: Timestamp?

    init(_ run: Run) {
        id = run.id
        workflowID = run.workflow
        version = run.version
        status = run.status.rawValue
        mode = run.mode
        error = run.failure?.journaled
        createdAt = run.createdAt
        finishedAt = run.finishedAt
        resumeAt = run.resumeAt
    }
}

struct StepView: Codable, Sendable {
    var node: String
    var kind: String
    var runIndex: Int
    var attempt: Int
    var status: String
    var input: [[JSON]]
    var output: [[JSON]]
    var error: JSON?
    var startedAt: Timestamp?
    var finishedAt: Timestamp?

    init(_ step: Execution.Step) {
        node = step.node
        kind = step.kind
        runIndex = step.runIndex
        attempt = step.attempt
        status = step.status
        input = step.input
        output = step.output
        error = step.error
        startedAt = step.startedAt
        finishedAt = step.finishedAt
    }
}

struct ExecutionView: Codable, Sendable {
    var id: RunID
    var workflowID: WorkflowID
    var workflowName: String
    var version: Int
    var status: String
    var mode: String
    var error: JSON?
    var createdAt: Timestamp
    var finishedAt: Timestamp?
    var steps: [StepView]

    init(_ execution: Execution) {
        id = execution.run.id
        workflowID = execution.run.workflow
        workflowName = execution.workflowName
        version = execution.run.version
        status = execution.run.status.rawValue
        mode = execution.run.mode
        error = execution.run.failure?.journaled
        createdAt = execution.run.createdAt
        finishedAt = execution.run.finishedAt
        steps = execution.steps.map(StepView.init)
    }
}

struct StartBody: Codable, Sendable, Described {
    var items: [JSON]?
    static let notes: [FieldNote] = [
        FieldNote("items", "What the trigger gives: objects, or {\"json\": {…}}; one empty item where left out.", items: 0...10_000)
    ]
}

struct StartedRun: Codable, Sendable {
    var id: RunID
}

struct ExecutionQuery: Codable, Sendable, Described {
    var workflowID: WorkflowID?
    static let notes: [FieldNote] = [FieldNote("workflowID", "Only runs of this workflow.", format: "uuid")]
}

struct ExecutionRoutes {
    let executions: Executions
    let live: LiveEvents
    static let tag = "Executions"

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflows/{id}/executions", access: .tenant("executions.write"), summary: "Run the published version", tag: Self.tag,
                body: StartBody?.self, returns: .accepted(StartedRun.self),
                errors: [ErrorDeclaration(.conflict, "not_published", "There is no published version.")]
            ) { call, body in
                let id: WorkflowID = try call.id("id", noun: "workflow")
                let handle = try await executions.start(
                    id, items: body?.items ?? [], idempotencyKey: call.header("Idempotency-Key"), by: call.principal)
                return StartedRun(id: handle.run)
            },
            Endpoint.list(
                "/v1/executions", access: .tenant("executions.read"), summary: "List the executions, newest first", tag: Self.tag,
                query: ExecutionQuery.self, of: RunView.self
            ) { call, page in
                let cursor: RunID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let query = try call.query(ExecutionQuery.self)
                let rows = try await executions.list(workflow: query.workflowID, before: cursor, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(RunView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/executions/{id}", access: .tenant("executions.read"), summary: "Show an execution step by step", tag: Self.tag,
                returns: .ok(ExecutionView.self)
            ) { call in
                ExecutionView(try await executions.execution(try call.id("id", noun: "execution"), by: call.principal))
            },
            Endpoint(
                .post, "/v1/executions/{id}/cancellation", access: .tenant("executions.write"), summary: "Cancel an execution", tag: Self.tag,
                returns: .noContent
            ) { call in
                try await executions.cancel(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint.events(
                "/v1/executions/{id}/events", access: .tenant("executions.read"), summary: "Watch an execution", tag: Self.tag
            ) { call in
                let id: RunID = try call.id("id", noun: "execution")
                _ = try await executions.execution(id, by: call.principal)
                return live.events(call.tenant, "run:\(id)", after: call.lastEventID.flatMap(UInt64.init)).map { event in
                    ServerEvent(id: String(event.sequence), name: "run", data: event.payload.serialized)
                }
            }
        ]
    }
}
