internal import Foundation
internal import Kernel
internal import Outbound
internal import Scripting
internal import Synchronization

/// What a script asks of the outside through its `helpers`: HTTP requests, each through the address check and with an idempotency key made of the
/// step's and its number, and the bytes of files.
final class ScriptRequests: Sendable {
    private struct Told: Sendable {
        var requests = 0
        /// The number of the request that was refused last, and with which status, unless a later one was not.
        var refused: (number: Int, status: Int)?
    }

    private let step: StepContext
    private let told = Mutex(Told())

    init(_ step: StepContext) { self.step = step }

    /// Whether a script's text asks for requests. One that hides it may not ask, so that the record of what acts outside is whole.
    static func areNamed(in source: String) -> Bool { source.contains("httpRequest") || source.contains("helpers.request") }

    /// The last request's number and status, where the other side refused it (4xx).
    var refused: (number: Int, status: Int)? { told.withLock { $0.refused } }

    func answer(_ question: JSON) async throws -> JSON {
        do {
            switch question["what"]?.text {
            case "http": return try await send(question["request"] ?? .null)
            default: return .string(Data(try await file(question["file"] ?? .null)).base64EncodedString())
            }
        } catch let error as OutboundError {
            throw ScopeError(code: error.code.rawValue, message: error.message)
        } catch let failure as StepFailure {
            throw ScopeError(code: failure.code, message: failure.message)
        }
    }

    private func send(_ asked: JSON) async throws -> JSON {
        let number = told.withLock { told in
            told.requests += 1
            told.refused = nil
            return told.requests - 1
        }
        guard number < KindLimits.requestsPerScript else {
            throw ScopeError(code: "too_many_requests", message: "a script may send \(KindLimits.requestsPerScript) requests at most")
        }
        let asBytes = asked["bytes"]?.boolean == true
        let response = try await step.services.send(request(asked, number))
        if (400..<500).contains(response.status) { told.withLock { $0.refused = (number, response.status) } }
        var members: JSONObject = [
            "status": .number(Double(response.status)), "reason": .string(response.reason), "headers": HttpAnswer.headers(of: response),
            "url": .string(response.url)
        ]
        if asBytes {
            members["base64"] = .string(Data(response.body).base64EncodedString())
        } else {
            members["text"] = .string(String(decoding: response.body, as: UTF8.self))
        }
        return .object(members)
    }

    private func request(_ asked: JSON, _ number: Int) throws -> OutboundRequest {
        var call = HttpCall(method: asked["method"]?.text ?? "GET", url: asked["url"]?.text ?? "")
        call.headers = (asked["headers"]?.object ?? [:]).map { (name: $0.key, value: $0.value.displayText) }
        call.query = (asked["query"]?.object ?? [:]).map { (name: $0.key, value: $0.value) }
        call.queryArrays = asked["arrays"]?.text ?? "brackets"
        call.body = try Self.body(asked["body"])
        if !["GET", "HEAD", "OPTIONS"].contains(call.method), !call.hasHeader("Idempotency-Key") {
            call.setHeader("Idempotency-Key", step.idempotencyKey(item: number))
        }
        let timeout = min(max(asked["timeout"]?.double ?? 300_000, 1), 300_000)
        var request = call.outbound(timeout: .milliseconds(Int64(timeout)))
        request.followRedirects = asked["follow"]?.boolean ?? true
        request.verifyCertificates = asked["lax"]?.boolean != true
        request.maximumResponseBytes = KindLimits.scriptResponseBytes
        return request
    }

    private static func body(_ asked: JSON?) throws -> HttpCall.Body {
        if let value = asked?["json"] { return .json(value) }
        if let fields = asked?["form"]?.object { return .form(fields.map { (name: $0.key, value: $0.value) }) }
        // As axios, which n8n sends with, does for text without a type.
        if let text = asked?["text"]?.text { return .raw(Array(text.utf8), contentType: "application/x-www-form-urlencoded") }
        guard let text = asked?["base64"]?.text else { return .none }
        guard let data = Data(base64Encoded: text) else { throw ScopeError(code: "invalid_request", message: "the body's bytes cannot be read") }
        return .raw([UInt8](data), contentType: "application/octet-stream")
    }

    private func file(_ value: JSON) async throws -> [UInt8] {
        let reference = BinaryReference(script: value)
        try Self.check(reference.byteCount)
        let bytes = try await step.services.readBinary(reference)
        // The reference says what the script made of it.
        try Self.check(bytes.count)
        return bytes
    }

    private static func check(_ byteCount: Int) throws {
        guard byteCount <= KindLimits.scriptFileBytes else {
            throw ScopeError(
                code: "file_too_large",
                message: "a script may read files of \(KindLimits.scriptFileBytes >> 20) MB at most; this one has \(byteCount >> 20) MB")
        }
    }
}

extension NodeKind {
    /// What a node of this kind does outside, which for a script depends on its text.
    func effect(of node: WorkflowNode) -> Effect {
        guard let source = (node.config["jsCode"] ?? node.config["functionCode"])?.text, ["code", "function", "function_item"].contains(kind) else {
            return effect
        }
        return ScriptRequests.areNamed(in: source) ? .keyed : effect
    }
}
