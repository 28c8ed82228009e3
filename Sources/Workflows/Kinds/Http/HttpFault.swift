internal import Kernel
internal import Outbound

/// What n8n's node gives as `error` where it goes on after a failed request: the error of its HTTP client, which workflows read by its members.
enum HttpFault {
    /// The error's names for what went wrong on the way, as Node's.
    private static let codes: [OutboundError.Code: String] = [
        .timeout: "ECONNABORTED", .unresolvable: "ENOTFOUND", .unreachable: "ECONNREFUSED", .closed: "ECONNRESET"
    ]

    /// - Returns: nil for what failed before anything was sent, which is told as text.
    static func shown(_ error: any Error) -> JSON? {
        if let error = error as? OutboundError {
            return ["message": .string(error.message), "name": "AxiosError", "code": .string(codes[error.code] ?? error.code.rawValue.uppercased())]
        }
        guard let failure = error as? StepFailure, failure.code == "http_error", let status = failure.details?["status"]?.integer else { return nil }
        let text = failure.details?["body"]?.text ?? ""
        let body = (try? JSON(parsing: Array(text.utf8))) ?? .string(text)
        let advice = "Try spacing your requests out using the batching settings under 'Options'"
        var members: JSONObject = ["message": .string(status == 429 ? advice : "\(status) - \(body.serialized)"), "name": "AxiosError"]
        if status >= 400 { members["code"] = .string(status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE") }
        members["status"] = .number(Double(status))
        members["statusCode"] = .number(Double(status))
        members["error"] = body
        return .object(members)
    }
}
