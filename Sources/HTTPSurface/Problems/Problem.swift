internal import Kernel
internal import Persistence

/// An error as the API answers it: a problem document (RFC 9457).
struct Problem: Error, Sendable {
    var status: Int
    var code: String
    var title: String
    var detail: String
    var arguments: [String: String] = [:]
    var faults: [Refusal.Fault] = []
    var headers: [(name: String, value: String)] = []

    init(_ refusal: Refusal) {
        status = refusal.kind.status
        code = refusal.code
        title = refusal.kind.title
        detail = refusal.message
        arguments = refusal.arguments
        faults = refusal.faults
        if let wait = refusal.retryAfter {
            headers.append(("Retry-After", String(max(1, (wait.microseconds + 999_999) / 1_000_000))))
        } else if refusal.kind == .unavailable {
            headers.append(("Retry-After", "1"))
        }
        if refusal.kind == .unauthenticated { headers.append(("WWW-Authenticate", "Bearer realm=\"aias\"")) }
    }

    init(status: Int, code: String, title: String, detail: String, headers: [(name: String, value: String)] = []) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.headers = headers
    }

    static let notFound = Problem(Refusal(.missing, "not_found", "There is nothing at this address."))
    static let notAcceptable = Problem(
        status: 406, code: "not_acceptable", title: "Not acceptable", detail: "This is answered as application/json, which Accept rules out.")
    static let bodyTimeout = Problem(
        status: 408, code: "body_timeout", title: "Request timeout", detail: "The body took too long to arrive.", headers: [("Connection", "close")])
    static let targetTooLong = Problem(
        status: 414, code: "target_too_long", title: "Address too long", detail: "Path and query may have \(Limits.targetBytes) bytes.")
    static let `internal` = Problem(
        status: 500, code: "internal", title: "Internal error",
        detail: "Something went wrong on our side. It is logged under the request id of this answer.")

    static func methodNotAllowed(_ allowed: [Method]) -> Problem {
        var names = allowed.map(\.rawValue)
        if allowed.contains(.get) { names.insert("HEAD", at: 1) }
        var problem = Problem(Refusal(.methodNotAllowed, "method_not_allowed", "This address answers to \(names.joined(separator: ", "))."))
        problem.headers.append(("Allow", names.joined(separator: ", ")))
        return problem
    }

    /// What to answer for an error; nil where it is our own fault, to be logged and answered as `internal`.
    init?(answering error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let refusal as Refusal: self.init(refusal)
        case let error as PersistenceError:
            guard let refusal = Problem.refusal(for: error) else { return nil }
            self.init(refusal)
        default: return nil
        }
    }

    private static func refusal(for error: PersistenceError) -> Refusal? {
        switch error {
        case .diskFull: Refusal(.unavailable, "storage_full", "The storage of this installation is full.", retryAfter: .seconds(60))
        case .locked, .unavailable: Refusal(.unavailable, "storage_unavailable", "The database does not answer.", retryAfter: .seconds(5))
        case .contended: Refusal(.unavailable, "storage_contended", "Too many changes at once; try again.", retryAfter: .seconds(1))
        default: nil
        }
    }

    func document(requestID: String) -> [UInt8] {
        var members: JSONObject = [
            "type": .string("urn:aias:problem:\(code)"), "title": .string(title), "status": .number(Double(status)),
            "detail": .string(detail), "code": .string(code), "request_id": .string(requestID)
        ]
        if !faults.isEmpty {
            members["faults"] = .array(
                faults.map { ["field": .string($0.field), "code": .string($0.code), "message": .string($0.message)] })
        }
        return JSON.object(members).bytes
    }

    func answer(requestID: String) -> Answer {
        Answer(
            status: status, contentType: "application/problem+json", headers: headers, body: .bytes(document(requestID: requestID)))
    }
}

extension Refusal.Kind {
    /// The HTTP status a refusal of this kind is answered with.
    package var status: Int {
        switch self {
        case .malformed: 400
        case .unauthenticated: 401
        case .forbidden, .limitReached: 403
        case .missing: 404
        case .methodNotAllowed: 405
        case .conflict: 409
        case .gone: 410
        case .tooLarge: 413
        case .unsupportedMedia: 415
        case .invalid: 422
        case .rateLimited: 429
        case .unavailable: 503
        }
    }

    package var title: String {
        switch self {
        case .malformed: "Malformed request"
        case .unauthenticated: "Not signed in"
        case .forbidden: "Not permitted"
        case .limitReached: "Limit reached"
        case .missing: "Not found"
        case .methodNotAllowed: "Method not allowed"
        case .conflict: "Conflict"
        case .gone: "Gone"
        case .tooLarge: "Too large"
        case .unsupportedMedia: "Unsupported media type"
        case .invalid: "Invalid"
        case .rateLimited: "Too many requests"
        case .unavailable: "Unavailable"
        }
    }
}
