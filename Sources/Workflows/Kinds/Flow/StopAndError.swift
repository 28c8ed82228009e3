internal import Kernel

/// Ends the run as failed, with the builder's message.
struct StopAndError: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "stop_and_error", category: .action, title: "Stop and error", summary: "Ends the run as failed.", icon: "stop",
                parameters: [
                    Parameter(
                        "errorType", .options, "Error", default: "errorMessage",
                        options: [.init("errorMessage", "Message"), .init("errorObject", "Object")]),
                    Parameter("errorMessage", .text, "Message", default: "", required: true, showWhen: ["errorType": ["errorMessage"]]),
                    Parameter("errorObject", .json, "Object", default: "", required: true, showWhen: ["errorType": ["errorObject"]])
                ], outputs: .fixed([]), n8nTypes: ["n8n-nodes-base.stopAndError"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        guard try await step.text("errorType", default: "errorMessage") == "errorObject" else {
            throw StepFailure("stopped", try await step.text("errorMessage"), isRetryable: false)
        }
        var object = try await step.value("errorObject") ?? [:]
        if case .string(let text) = object {
            guard let parsed = try? JSON(parsing: text) else { throw StepFailure.invalid("errorObject", "The error object is no JSON.") }
            object = parsed
        }
        let message = object["message"] ?? object["description"] ?? object["error"]
        throw StepFailure("stopped", message?.displayText ?? "Error: \(object.serialized)", details: object, isRetryable: false)
    }
}
