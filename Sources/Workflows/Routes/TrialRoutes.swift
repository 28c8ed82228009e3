internal import HTTPSurface
internal import Kernel
internal import Scripting

struct TrialBody: Codable, Sendable, Described {
    var trigger: String?
    var until: String?
    var items: [JSON]?
    static let notes: [FieldNote] = [
        FieldNote("trigger", "The name of the trigger to start at; the manual one, or the first, where left out.", length: 1...200),
        FieldNote("until", "The name of the last node to run: only what leads to it takes part.", length: 1...200),
        FieldNote("items", "What the trigger gives; one empty item where left out.", items: 0...10_000)
    ]
}

struct EvaluationBody: Codable, Sendable, Described {
    var value: JSON
    var executionID: RunID?
    var node: String?
    var output: Int?
    var items: [JSON]?
    var item: Int?
    static let notes: [FieldNote] = [
        FieldNote("value", "A parameter's value: texts that begin with = are expressions.", example: "={{ $json.name }}"),
        FieldNote("executionID", "The execution that the data is taken from.", format: "uuid"),
        FieldNote("node", "The name of the node whose output is the input.", length: 1...200),
        FieldNote("output", "Which of its outputs.", range: 0...255), FieldNote("items", "Items in place of an execution's.", items: 0...10_000),
        FieldNote("item", "Which item, from 0.", range: 0...1_000_000)
    ]
}

struct EvaluationView: Codable, Sendable {
    var value: JSON
    /// Why it cannot be evaluated.
    var error: FaultView?
}

/// A draft tried out from the editor.
struct TrialRoutes {
    let executions: Executions
    static let tag = "Editor"

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflows/{id}/trials", access: .tenant("executions.write"), summary: "Try the draft out", tag: Self.tag,
                body: TrialBody?.self, returns: .accepted(StartedRun.self),
                errors: [ErrorDeclaration(.conflict, "no_trigger", "Nothing starts it.")]
            ) { call, body in
                let id: WorkflowID = try call.id("id", noun: "workflow")
                let handle = try await executions.tryOut(
                    id, trigger: body?.trigger, until: body?.until, items: body?.items ?? [], by: call.principal)
                return StartedRun(id: handle.run)
            }.limitingBody(to: WorkflowRoutes.documentBytes),
            Endpoint(
                .post, "/v1/workflows/{id}/evaluations", access: .tenant("workflows.write"), summary: "Evaluate a parameter for an item",
                tag: Self.tag, body: EvaluationBody.self, returns: .ok(EvaluationView.self)
            ) { call, body in
                let place = EvaluationPlace(
                    execution: body.executionID, node: body.node, output: body.output ?? 0, items: body.items, item: body.item ?? 0)
                do {
                    let value = try await executions.evaluate(
                        body.value, of: try call.id("id", noun: "workflow"), at: place, by: call.principal)
                    return EvaluationView(value: value, error: nil)
                } catch let error where !(error is Refusal) && !(error is CancellationError) {
                    let failure = StepFailure(wrapping: error, itemIndex: nil)
                    return EvaluationView(value: .null, error: FaultView(field: "value", code: failure.code, message: failure.message))
                }
            }.limitingBody(to: WorkflowRoutes.documentBytes)
        ]
    }
}
