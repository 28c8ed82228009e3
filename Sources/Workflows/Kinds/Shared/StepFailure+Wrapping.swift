internal import Kernel
internal import Outbound
internal import Scripting

extension StepFailure {
    /// Any error of a step as the failure that a run shows; a failure keeps its own index where it has one.
    init(wrapping error: any Error, itemIndex: Int?) {
        switch error {
        case var failure as StepFailure:
            failure.itemIndex = failure.itemIndex ?? itemIndex
            self = failure
        case let error as ScriptError:
            self.init("code_error", error.message, details: StepFailure.place(of: error), itemIndex: itemIndex, isRetryable: false)
        case let error as ScopeError:
            self.init(error.code, error.message, itemIndex: itemIndex, isRetryable: false)
        case let error as OutboundError:
            self.init(error.code.rawValue, error.message, itemIndex: itemIndex)
        case let refusal as Refusal:
            self.init(refusal.code, refusal.message, itemIndex: itemIndex, isRetryable: false)
        default:
            self.init("internal", "The step failed: \(error)", itemIndex: itemIndex)
        }
    }

    package static func tooLargeForMemory(_ byteCount: Int) -> StepFailure {
        StepFailure(
            "file_too_large", "This node takes files of up to \(Limits.fileBytesInMemory >> 20) MB; this one has \(byteCount >> 20) MB.",
            isRetryable: false)
    }

    /// A parameter that cannot be used as it is; trying again cannot help.
    static func invalid(_ parameter: String, _ message: String, item: Int? = nil) -> StepFailure {
        StepFailure("invalid_parameter", message, details: ["parameter": .string(parameter)], itemIndex: item, isRetryable: false)
    }

    /// `{message, code, details?}`: what an item carries in `error`.
    var json: JSON {
        var members: JSONObject = ["message": .string(message), "code": .string(code)]
        members["details"] = details
        return .object(members)
    }

    private static func place(of error: ScriptError) -> JSON {
        var members: JSONObject = ["kind": .string(error.kind.rawValue)]
        members["line"] = error.line.map { .number(Double($0)) }
        members["column"] = error.column.map { .number(Double($0)) }
        return .object(members)
    }
}
