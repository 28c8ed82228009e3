package import Kernel

/// One endpoint, declared once: the router, the permission check, validation and the OpenAPI document all read this value.
///
///     Endpoint(.post, "/v1/workflows", access: .tenant("workflows.write"), summary: "Create a workflow", tag: "Workflows",
///              body: CreateWorkflow.self, returns: .created(WorkflowView.self)) { call, body in … }
///
/// Four kinds: typed JSON (Codable in and out, see `Wire` for how keys are named), `raw` (bytes with their own content type),
/// `events` (server-sent events) and `page` (HTML, left out of the OpenAPI document).
///
/// An object, since every request hands it around: copies would count the references to all that it holds.
package final class Endpoint: Sendable {
    package enum Kind: String, Sendable { case json, raw, events, page }

    package let method: Method
    package let path: PathTemplate
    package let kind: Kind
    package let access: Access
    package let summary: String
    package let description: String
    package let tag: String
    /// Parameters in the query string, from the fields of a Codable type.
    package let query: TypeSchema?
    package let isPaged: Bool
    package let requestBody: RequestBody?
    package let responses: [ResponseDeclaration]
    /// Refusals that are this endpoint's own; those of the pipeline (401, 413, 429, …) are added by themselves.
    package let errors: [ErrorDeclaration]
    /// The most bytes of a body; larger ones are refused with 413.
    package let bodyLimit: Int
    /// After which the handler is cancelled and 503 answered; nil for handlers that watch their own time.
    package let timeout: Duration?
    /// Whether it appears in `/openapi.json`.
    package let isDocumented: Bool
    let holdsSecret: Bool
    /// Whether pages of every origin may read why a request is refused; a handler narrows it by a header of its own.
    let opensRefusals: Bool
    let handle: @Sendable (EndpointCall) async throws -> Answer

    package struct RequestBody: Sendable {
        package let schema: TypeSchema
        package let isRequired: Bool
    }

    package struct ResponseDeclaration: Sendable {
        package let status: Int
        package let description: String
        package let contentType: String?
        package let schema: TypeSchema?
    }

    package init(
        method: Method, path: String, kind: Kind, access: Access, summary: String, description: String = "", tag: String,
        query: (any (Codable & Sendable).Type)? = nil, isPaged: Bool = false, requestBody: RequestBody? = nil,
        responses: [ResponseDeclaration] = [], errors: [ErrorDeclaration] = [], bodyLimit: Int = Limits.bodyBytes,
        timeout: Duration? = Limits.handlerTime, isDocumented: Bool = true, holdsSecret: Bool = false, opensRefusals: Bool = false,
        handle: @escaping @Sendable (EndpointCall) async throws -> Answer
    ) {
        self.method = method
        self.path = PathTemplate(path)
        self.kind = kind
        self.access = access
        self.summary = summary
        self.description = description
        self.tag = tag
        self.query = query.map { TypeSchema(of: $0) }
        self.isPaged = isPaged
        self.requestBody = requestBody
        self.responses = responses
        self.errors = errors
        self.bodyLimit = bodyLimit
        self.timeout = timeout
        self.isDocumented = isDocumented
        self.holdsSecret = holdsSecret
        self.opensRefusals = opensRefusals
        self.handle = handle
    }

    /// The same endpoint with something else in some places.
    init(
        _ other: Endpoint, bodyLimit: Int? = nil, timeout: Duration?? = nil, isDocumented: Bool? = nil,
        handle: (@Sendable (EndpointCall) async throws -> Answer)? = nil
    ) {
        method = other.method
        path = other.path
        kind = other.kind
        access = other.access
        summary = other.summary
        description = other.description
        tag = other.tag
        query = other.query
        isPaged = other.isPaged
        requestBody = other.requestBody
        responses = other.responses
        errors = other.errors
        self.bodyLimit = bodyLimit ?? other.bodyLimit
        self.timeout = timeout ?? other.timeout
        self.isDocumented = isDocumented ?? other.isDocumented
        holdsSecret = other.holdsSecret
        opensRefusals = other.opensRefusals
        self.handle = handle ?? other.handle
    }

    /// The same endpoint with another body limit in bytes.
    package func limitingBody(to bytes: Int) -> Endpoint { Endpoint(self, bodyLimit: bytes) }

    /// The same endpoint with another time for its handler; nil leaves the time to the handler.
    package func limitingTime(to duration: Duration?) -> Endpoint { Endpoint(self, timeout: .some(duration)) }
}

/// A refusal an endpoint may answer, as documented.
package struct ErrorDeclaration: Sendable, Hashable {
    package let kind: Refusal.Kind
    package let code: String
    package let description: String

    package init(_ kind: Refusal.Kind, _ code: String, _ description: String) {
        self.kind = kind
        self.code = code
        self.description = description
    }
}

extension Limits {
    /// The most bytes of a request's body, unless its endpoint says otherwise.
    package static let bodyBytes = 1 << 20
    /// The most bytes of a webhook's body.
    package static let webhookBodyBytes = 16 << 20
    /// How long a typed handler may take.
    package static let handlerTime: Duration = .seconds(30)
    /// How long a body may take to arrive.
    package static let bodyTime: Duration = .seconds(30)
    /// A connection on which nothing moves is closed.
    package static let idleTime: Duration = .seconds(75)
    /// Bytes of one header field, and of all of a request.
    package static let headerFieldBytes = 16 << 10
    package static let headerBytes = 32 << 10
    package static let headerCount = 100
    /// Bytes of a request's path with its query.
    package static let targetBytes = 8 << 10
    /// Time between two heartbeats of an event stream.
    package static let heartbeat: Duration = .seconds(15)
    /// Readers of a process that ends are asked to come back so many at a time.
    static let streamsReopenedPerSecond = 250
    /// Events that wait for a slow reader before its stream is cut; it resumes by `Last-Event-ID`.
    package static let eventBacklog = 256
    /// Event streams that one person has open in a process, in all windows and browsers.
    static let streamsPerPerson = 100
    /// Those of one tenant, unless the deployment says otherwise.
    package static let streamsPerTenant = 20_000
}
