internal import HTTPSurface
internal import Kernel
internal import Notifications

struct RunView: Codable, Sendable {
    var id: RunID
    var workflowID: WorkflowID
    /// 0 for a draft that was tried out.
    var version: Int
    var status: String
    var mode: String
    var error: JSON?
    var createdAt: Timestamp
    var finishedAt: Timestamp?
    var resumeAt: Timestamp?
    var pausedAt: Timestamp?
    var replayOf: RunID?

    init(_ run: Run) {
        id = run.id
        workflowID = run.workflow
        version = max(0, run.version)
        status = run.shownStatus
        mode = run.mode
        error = run.failure?.journaled
        createdAt = run.createdAt
        finishedAt = run.finishedAt
        resumeAt = run.resumeAt
        pausedAt = run.pausedAt
        replayOf = run.replayOf
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
    /// 0 for a draft that was tried out.
    var version: Int
    var status: String
    var mode: String
    var error: JSON?
    var createdAt: Timestamp
    var finishedAt: Timestamp?
    var resumeAt: Timestamp?
    var pausedAt: Timestamp?
    var replayOf: RunID?
    var steps: [StepView]
    /// Each attempt of each step, in the order in which they were ready.
    var timeline: [AttemptView]
    /// Steps that did something outside and would do it again in a retry.
    var retryRepeats: [OutwardRepeatView]

    init(_ execution: Execution) {
        id = execution.run.id
        workflowID = execution.run.workflow
        workflowName = execution.workflowName
        version = max(0, execution.run.version)
        status = execution.run.shownStatus
        mode = execution.run.mode
        error = execution.run.failure?.journaled
        createdAt = execution.run.createdAt
        finishedAt = execution.run.finishedAt
        resumeAt = execution.run.resumeAt
        pausedAt = execution.run.pausedAt
        replayOf = execution.run.replayOf
        steps = execution.steps.map(StepView.init)
        timeline = execution.timeline.attempts.map(AttemptView.init)
        retryRepeats = execution.timeline.repeats.map(OutwardRepeatView.init)
    }
}

struct StartBody: Codable, Sendable, Described {
    var items: [JSON]?
    static let notes: [FieldNote] = [
        FieldNote("items", "What the trigger gives: objects, or {\"json\": {…}}; one empty item where left out.", items: 0...10_000)
    ]
}

struct ExecutionReplayBody: Codable, Sendable, Described {
    var node: String?
    var runIndex: Int?
    var inputs: [[JSON]?]?
    var version: String?
    var keys: String?
    static let notes: [FieldNote] = [
        FieldNote("node", "The name of the node to go on from; the one that failed where left out.", length: 1...200),
        FieldNote("runIndex", "Which of the node's runs, from 0.", range: 0...1_000_000),
        FieldNote("inputs", "Other items for the step, by input; null leaves one as it was.", items: 0...16),
        FieldNote("version", "original, or published for the version that is published now.", example: "original", length: 1...20),
        FieldNote(
            "keys",
            "Idempotency keys that steps name outside: kept, those of the execution that is repeated, or new. Where left out they are kept if it goes on at the step that stopped it, with the same items and version.",
            example: "kept", length: 1...20)
    ]

    func wantedKeys() throws -> ReplayKeys? { try keys.map(ReplayKeys.named) }

    func point() throws -> ReplayPoint? {
        guard let node else {
            guard runIndex == nil, inputs == nil else { throw Refusal.invalid("node", "node_missing", "Name the node that the items are for.") }
            return nil
        }
        return ReplayPoint(node: node, runIndex: runIndex ?? 0, inputs: (inputs ?? []).map { $0.map { ItemList($0.map(ItemCodec.item)) } })
    }

    func isCurrent() throws -> Bool {
        switch version {
        case nil, "original": false
        case "published": true
        default: throw Refusal.invalid("version", "unknown_version", "version is original or published.")
        }
    }
}

extension ReplayKeys {
    /// - Throws: `unknown_keys`
    static func named(_ text: String) throws -> ReplayKeys {
        guard let keys = ReplayKeys(rawValue: text) else { throw Refusal.invalid("keys", "unknown_keys", "keys is kept or new.") }
        return keys
    }
}

struct StartedRun: Codable, Sendable {
    var id: RunID
}

struct ExecutionQuery: Codable, Sendable, Described {
    var workflowID: WorkflowID?
    var status: String?
    var from: Timestamp?
    var until: Timestamp?
    var value: String?
    var order: String?
    static let notes: [FieldNote] = [
        FieldNote("workflowID", "Only runs of this workflow.", format: "uuid"),
        FieldNote("from", "Only runs that started then or later.", format: "date-time"),
        FieldNote("until", "Only runs that started before.", format: "date-time"),
        FieldNote("value", "Only runs that are marked with this value: name = value.", example: "order = 1234", length: 1...2_000),
        FieldNote("order", "newest (the standard) or oldest.", length: 1...20),
        FieldNote("status", "Only runs that are queued, running, waiting, succeeded, failed, cancelled or uncertain.", length: 1...20)
    ]

    func search() throws -> ExecutionSearch {
        var search = ExecutionSearch(workflow: workflowID, status: try wantedStatus())
        search.from = from
        search.until = until
        if let value {
            guard let mark = RunMark(value) else { throw Refusal.invalid("value", "bad_value", "value is a name, =, and what it is: order = 1234.") }
            search.mark = mark
        }
        switch order {
        case nil, "newest": break
        case "oldest": search.isOldestFirst = true
        default: throw Refusal.invalid("order", "unknown_order", "order is newest or oldest.")
        }
        return search
    }

    private func wantedStatus() throws -> RunStatus? {
        guard let status else { return nil }
        guard let known = RunStatus(rawValue: status) else {
            throw Refusal.invalid("status", "unknown_status", "status is one of \(RunStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return known
    }
}

/// How far an execution is.
struct ProgressView: Codable, Sendable {
    /// Another one after every change.
    var mark: String
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
                "/v1/executions", access: .tenant("executions.read"), summary: "List the executions", tag: Self.tag,
                query: ExecutionQuery.self, of: RunView.self
            ) { call, page in
                let cursor: RunID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let query = try call.query(ExecutionQuery.self)
                let rows = try await executions.search(try query.search(), after: cursor, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(RunView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/executions/{id}", access: .tenant("executions.read"), summary: "Show an execution step by step", tag: Self.tag,
                returns: .ok(ExecutionView.self)
            ) { call in
                ExecutionView(try await executions.execution(try call.id("id", noun: "execution"), by: call.principal))
            },
            Endpoint(
                .get, "/v1/executions/{id}/progress", access: .tenant("executions.read"), summary: "Show whether an execution has changed",
                description: "For whoever follows an execution: its steps need be fetched again only where the mark is another.", tag: Self.tag,
                returns: .ok(ProgressView.self)
            ) { call in
                ProgressView(mark: try await executions.mark(of: try call.id("id", noun: "execution"), by: call.principal))
            },
            Endpoint(
                .delete, "/v1/executions/{id}", access: .tenant("executions.write"), summary: "Delete an execution and what it stored", tag: Self.tag,
                returns: .noContent, errors: [ErrorDeclaration(.conflict, "not_over", "It is not over yet.")]
            ) { call in
                try await executions.delete(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint(
                .post, "/v1/executions/{id}/cancellation", access: .tenant("executions.write"), summary: "Cancel an execution", tag: Self.tag,
                returns: .noContent
            ) { call in
                try await executions.cancel(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint(
                .post, "/v1/executions/{id}/replays", access: .tenant("executions.write"),
                summary: "Execute again from a step, with the results of those before it", tag: Self.tag, body: ExecutionReplayBody?.self,
                returns: .accepted(StartedRun.self),
                errors: [
                    ErrorDeclaration(.conflict, "not_over", "It is not over yet."),
                    ErrorDeclaration(.conflict, "step_not_reached", "It did not get to that step."),
                    ErrorDeclaration(.conflict, "not_published", "There is no published version.")
                ]
            ) { call, body in
                let handle = try await executions.replay(
                    try call.id("id", noun: "execution"), from: try body?.point(), isCurrent: try body?.isCurrent() ?? false,
                    keys: try body?.wantedKeys(), by: call.principal)
                return StartedRun(id: handle.run)
            },
            Endpoint(
                .post, "/v1/executions/{id}/pause", access: .tenant("executions.write"),
                summary: "Let an execution end the steps in flight and wait", tag: Self.tag, returns: .noContent,
                errors: [ErrorDeclaration(.conflict, "over_or_paused", "It is over, or paused already.")]
            ) { call in
                try await executions.pause(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint(
                .post, "/v1/executions/{id}/resumption", access: .tenant("executions.write"), summary: "Let a paused execution go on",
                tag: Self.tag, returns: .noContent, errors: [ErrorDeclaration(.conflict, "not_paused", "It is not paused.")]
            ) { call in
                try await executions.unpause(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint(
                .post, "/v1/executions/{id}/repetition", access: .tenant("executions.write"),
                summary: "Execute the uncertain steps of an execution once more", tag: Self.tag, returns: .noContent,
                errors: [ErrorDeclaration(.conflict, "not_uncertain", "The execution did not stop as uncertain.")]
            ) { call in
                try await executions.repeatUncertain(try call.id("id", noun: "execution"), by: call.principal)
            },
            Endpoint.events(
                "/v1/executions/{id}/events", access: .tenant("executions.read"), summary: "Watch an execution", tag: Self.tag
            ) { call in
                let id: RunID = try call.id("id", noun: "execution")
                try await executions.requireKnown(id, by: call.principal)
                return live.events(call.tenant, "run:\(id)", resuming: call.lastEventID).map { event in
                    ServerEvent(id: live.mark(of: event), name: "run", data: event.payload.serialized)
                }
            }
        ]
    }
}
