import Hummingbird
import HTTPTypes
import Kernel
import Logging

@testable import HTTPSurface

/// A surface with one tenant, `acme`, one key and one browser session in it, called without a network.
struct SurfaceHarness {
    static let acme = TenantID(high: 1, low: 1)
    static let other = TenantID(high: 2, low: 2)
    static let user = UserID(high: 3, low: 3)

    let surface: Surface

    init(
        _ endpoints: [Endpoint], strings: Strings = .none, idempotency: Idempotency? = nil,
        limitRate: @escaping @Sendable (RateSubject) async throws -> RateDecision? = { _ in nil }
    ) {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var settings = Surface.Settings()
        settings.platformHosts = ["localhost", "aias.example"]
        surface = Surface(
            endpoints: endpoints,
            doors: Doors(
                authenticate: SurfaceHarness.authenticate,
                resolveTenant: { address in
                    switch address {
                    case .subdomain("acme"), .domain("flows.acme.example"): SurfaceHarness.acme
                    case .subdomain("other"): SurfaceHarness.other
                    default: nil
                    }
                }, limitRate: limitRate),
            idempotency: idempotency, ids: IDs(clock: .system), strings: strings, settings: settings, logger: logger)
    }

    @Sendable static func authenticate(_ request: AuthenticationRequest) async throws -> Principal {
        switch request.head.bearerToken {
        case "key-acme": return Principal(actor: .apiKey(APIKeyID(high: 4, low: 4)), tenant: acme, permissions: ["notes.read", "notes.write"])
        case "key-reader": return Principal(actor: .apiKey(APIKeyID(high: 5, low: 5)), tenant: acme, permissions: ["notes.read"])
        case "operator": return Principal(actor: .platformOperator(user))
        case .some: throw Refusal(.unauthenticated, "invalid_key", "This key is not known.")
        case nil: break
        }
        guard request.head.cookie("session") == "ana" else { return .anonymous }
        if let tenant = request.tenant, tenant != acme { throw Refusal.missing("tenant") }
        return Principal(actor: .user(user), tenant: acme, role: .owner, permissions: ["notes.read", "notes.write"])
    }

    struct Reply {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSON { get throws { try JSON(parsing: body) } }
        func header(_ name: String) -> String? { headers[HTTPField.Name(name)!] }
    }

    func call(
        _ method: String, _ target: String, host: String = "localhost:8080", headers: [String: String] = [:], body: String? = nil,
        from address: String? = nil
    ) async throws -> Reply {
        var fields = HTTPFields()
        for (name, value) in headers { fields[HTTPField.Name(name)!] = value }
        if let body, fields[.contentLength] == nil { fields[.contentLength] = String(body.utf8.count) }
        let head = HTTPRequest(method: HTTPRequest.Method(method)!, scheme: "http", authority: host, path: target, headerFields: fields)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let response = await surface.respond(to: request, context: SurfaceContext(remoteAddress: address))
        let collector = Collector()
        try await response.body.write(collector)
        return Reply(status: response.status.code, headers: response.headers, body: collector.bytes)
    }
}

private final class Collector: ResponseBodyWriter {
    var bytes: [UInt8] = []
    func write(_ buffer: ByteBuffer) async throws { bytes += Array(buffer: buffer) }
    func finish(_: HTTPFields?) async throws {}
}

struct CreateNote: Codable, Sendable, Described {
    enum Color: String, Codable, Sendable, CaseIterable { case red, darkBlue = "dark_blue" }
    struct Tag: Codable, Sendable { var name: String }
    var title: String
    var bodyText: String?
    var color: Color?
    var tags: [Tag]?
    var priority: Int?
    static let notes = [
        FieldNote("title", "What it is about", example: "Milk", length: 1...20),
        FieldNote("priority", "1 is first", range: 1...5)
    ]
}

struct NoteView: Codable, Sendable {
    var id: ID<NoteView>
    var title: String
    var createdAt: Timestamp
    var extra: [String: JSON]
    var children: [NoteView]
}

struct NoteQuery: Codable, Sendable {
    var color: CreateNote.Color?
    var limitTo: Int?
    var tag: [String]?
}
