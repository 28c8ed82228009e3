package import Kernel
package import Logging
internal import Synchronization

/// One request on its way through an endpoint's handler.
package final class EndpointCall: Sendable {
    package let head: RequestHead
    /// The whole body, at most the endpoint's limit.
    package let body: [UInt8]
    /// Who calls; anonymous for public endpoints, see `authenticated()`.
    package let principal: Principal
    /// What is to be recorded so that a repeated request is answered alike; nil where no `Idempotency-Key` was sent.
    package let idempotency: IdempotencyClaim?
    package let logger: Logger
    /// The tenant the request's host or path names, where it names one; not yet looked up.
    package let address: TenantAddress?
    let endpoint: Endpoint
    let values: [Substring]
    let tenantID: TenantID?
    let surface: Surface
    let extras: AnswerExtras

    init(
        head: RequestHead, body: [UInt8], principal: Principal, idempotency: IdempotencyClaim?, logger: Logger, address: TenantAddress?,
        endpoint: Endpoint, values: [Substring], tenantID: TenantID?, surface: Surface, extras: AnswerExtras
    ) {
        self.head = head
        self.body = body
        self.principal = principal
        self.idempotency = idempotency
        self.logger = logger
        self.address = address
        self.endpoint = endpoint
        self.values = values
        self.tenantID = tenantID
        self.surface = surface
        self.extras = extras
    }

    package var requestID: String { head.requestID }
    package var clientAddress: String? { head.clientAddress }
    package var lastEventID: String? { head.header("Last-Event-ID") }
    package func header(_ name: String) -> String? { head.header(name) }

    /// The tenant acted in. Only for endpoints with `.tenant` access, where there always is one.
    package var tenant: TenantID {
        guard let tenantID else { preconditionFailure("\(endpoint.path) has no .tenant access, so no tenant") }
        return tenantID
    }

    /// Whether clients speak TLS, to us or to the proxy in front: then cookies are `Secure`.
    package var isSecure: Bool { surface.settings.isSecure }

    /// The texts of the language the client prefers.
    package var localizer: Localizer { Localizer(surface.strings, language: surface.language(of: head)) }

    /// Adds a header to the answer: `Set-Cookie`, `Cache-Control`.
    package func addHeader(_ name: String, _ value: String) { extras.headers.withLock { $0.append((name, value)) } }

    /// Who calls a public endpoint, in the tenant its address names: anonymous where nobody is signed in, or not there.
    package func authenticated() async throws -> Principal { try await surface.authenticateIfAny(head, address) }

    /// Looks up a tenant by its subdomain or domain. - Throws: `not_found`.
    package func resolve(_ address: TenantAddress) async throws -> TenantID { try await surface.resolve(address) }

    /// Counts this request against a tenant's rate, for public endpoints that learn the tenant themselves.
    /// - Throws: a `rateLimited` refusal.
    package func checkRate(of tenant: TenantID) async throws {
        try await surface.checkRate(principal: principal, tenant: tenant, head: head, extras: extras)
    }
}

/// Headers that handlers and the pipeline add to an answer.
final class AnswerExtras: Sendable {
    let headers = Mutex<[(name: String, value: String)]>([])
    let isBodyRead = Mutex(false)
    /// Of an event stream: whether who reads it still may.
    let mayRead = Mutex<(@Sendable () async -> Bool)?>(nil)
    /// Of an event stream: held as long as it is open.
    let streamPlace = Mutex<StreamPlace?>(nil)
}

extension EndpointCall {
    /// A path parameter, decoded. `{rest*}` keeps its slashes.
    /// - Throws: `not_found` where its escapes are malformed.
    package func parameter(_ name: String) throws -> String {
        guard let index = endpoint.path.parameters.firstIndex(of: name) else {
            preconditionFailure("\(endpoint.path) has no parameter \(name)")
        }
        guard let text = Percent.decode(values[index]), !text.utf8.contains(0) else { throw Refusal.missing("page") }
        return text
    }

    /// A path parameter as the id of a thing; a malformed id is of no thing.
    /// - Throws: `not_found`.
    package func id<Thing>(_ name: String, of: Thing.Type = Thing.self, noun: String = "thing") throws -> ID<Thing> {
        guard let id = ID<Thing>(try parameter(name)) else { throw Refusal.missing(noun) }
        return id
    }

    /// The query parameters as the type its endpoint declares; they were checked before the handler ran.
    package func query<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let schema = endpoint.query else { preconditionFailure("\(endpoint.path) declares no query") }
        return try Wire.decode(type, from: QueryReader(head.rawQuery).json(as: schema))
    }

    /// The query's pairs in their order, decoded; pairs with malformed escapes keep them.
    package var queryPairs: [(name: String, value: String)] { QueryReader(head.rawQuery).pairs }

    /// What part of a list is asked for: `cursor` and `limit` of the query.
    package func page() throws -> PageRequest {
        let pairs = queryPairs
        let cursor = pairs.last { $0.name == "cursor" }?.value
        if let cursor, !Cursor.isWellFormed(cursor) { throw Cursor.refusal }
        guard let text = pairs.last(where: { $0.name == "limit" })?.value else { return try PageRequest(cursor: cursor) }
        guard let limit = Int(text) else { throw Refusal.invalid("limit", "not_an_integer", "limit must be an integer.") }
        return try PageRequest(cursor: cursor, limit: limit)
    }

    func decodedBody<Body: Decodable>(_ type: Body.Type, schema: TypeSchema) throws -> Body {
        if body.isEmpty {
            guard schema.root.isNullable else { throw Refusal(.malformed, "body_required", "This needs a JSON body.") }
            return try Wire.decode(type, from: .null)
        }
        let json = try EndpointCall.parse(body)
        let faults = schema.faults(in: json)
        guard faults.isEmpty else { throw Refusal(.invalid, "invalid", "Some fields are not as they should be.", faults: faults) }
        return try Wire.decode(type, from: json)
    }

    private static func parse(_ bytes: [UInt8]) throws -> JSON {
        do {
            return try JSON(parsing: bytes)
        } catch let error as JSON.ParseError {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == 0x0A } + 1
            let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
            throw Refusal(
                .malformed, "malformed_json", "The body is not JSON: \(error.reason) in line \(line), column \(column).", field: "body",
                arguments: ["line": "\(line)", "column": "\(column)"])
        }
    }
}
