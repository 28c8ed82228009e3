internal import Hummingbird
internal import HTTPTypes
package import Kernel
package import Logging
internal import NIOCore
internal import Telemetry
internal import Tracing

/// All endpoints of a process behind one responder: finds the endpoint, checks who may, reads and checks the request, runs the
/// handler, and answers errors as problem documents.
package final class Surface: Sendable {
    package struct Settings: Sendable {
        /// Hosts of the platform itself; their subdomains are tenants, other domains are looked up as tenants' own.
        package var platformHosts: Set<String> = ["localhost"]
        /// Whether an address is that of a proxy in front, which adds the address it was called from to `X-Forwarded-For`. Whoever else sends that
        /// header is not believed.
        package var isProxy: (@Sendable (_ address: String) -> Bool)?
        /// Tells browsers to stay on TLS; set where TLS is in use, here or at the proxy.
        package var isSecure = false
        /// How long a body may take to arrive.
        package var bodyTime: Duration = Limits.bodyTime
        /// For how long at most the event streams of a process that ends go on, while another process takes them over one after another.
        /// Zero ends them at once: where nobody else can take them, ending soon and starting again is better.
        package var handover: Duration = .zero
        /// Event streams that one tenant may have open in this process.
        package var streamsPerTenant = Limits.streamsPerTenant
        /// What people see of a problem; a 401 may well send them to sign in.
        package var errorPage: @Sendable (ErrorPage) -> Answer = { $0.plain }
        package init() {}
    }

    package let endpoints: [Endpoint]
    let router: Router
    let doors: Doors
    let idempotency: Idempotency?
    let ids: IDs
    let settings: Settings
    let streams: EventStreams
    let streamPlaces: StreamPlaces
    let addressing: TenantAddressing
    let strings: Strings
    let logger: Logger

    package init(
        endpoints: [Endpoint], doors: Doors, idempotency: Idempotency? = nil, ids: IDs, strings: Strings = .none,
        settings: Settings = Settings(), logger: Logger
    ) {
        self.endpoints = endpoints
        self.router = Router(endpoints)
        self.doors = doors
        self.idempotency = idempotency
        self.ids = ids
        self.settings = settings
        self.streams = EventStreams(handover: settings.handover)
        self.streamPlaces = StreamPlaces(perTenant: settings.streamsPerTenant)
        self.addressing = TenantAddressing(platformHosts: settings.platformHosts)
        self.strings = strings
        self.logger = logger
    }
}

/// The connection of a request.
struct SurfaceContext: Sendable {
    let remoteAddress: @Sendable () -> String?
    /// Ends the connection once what was written is out.
    let close: @Sendable () -> Void

    init(channel: any Channel) {
        remoteAddress = { channel.remoteAddress?.ipAddress }
        close = {
            // Our side first: a close with bytes unread resets the connection, and the client might never see the answer.
            channel.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: TimeAmount(Limits.lingerTime)) { channel.close(mode: .all, promise: nil) }
        }
    }

    init(remoteAddress: String?) {
        self.remoteAddress = { remoteAddress }
        close = {}
    }
}

extension Surface {
    func respond(to request: Request, context: SurfaceContext) async -> Response {
        response(await process(request, context), request, context)
    }

    /// What came of a request, before it is written.
    struct Outcome: Sendable {
        let answer: Answer
        let endpoint: Endpoint?
        let head: RequestHead
        let extras: AnswerExtras
    }

    func process(_ request: Request, _ context: SurfaceContext) async -> Outcome {
        guard let tracer = Traces.tracer else { return await answered(request, context) }
        return await traced(request, context, tracer)
    }

    @inline(never)
    private func traced(_ request: Request, _ context: SurfaceContext, _ tracer: SpanTracer) async -> Outcome {
        let caller = request.headers[.traceparent].flatMap(SpanIdentity.init(traceparent:))
        let span = tracer.startSpan(request.method.rawValue, context: .of(caller), ofKind: .server)
        let outcome = await ServiceContext.withValue(span.context) { await answered(request, context) }
        // What looks after the program would fill the traces: such a span is never ended, so it is not kept.
        if outcome.endpoint?.tag == Endpoint.operationsTag { return outcome }
        let route = outcome.endpoint?.path.description ?? Surface.noRoute
        span.operationName = "\(request.method.rawValue) \(route)"
        span.attributes = [
            "http.request.method": .string(request.method.rawValue), "http.route": .string(route),
            "http.response.status_code": .int64(Int64(outcome.answer.status)), "aias.request.id": .string(outcome.head.requestID)
        ]
        if outcome.answer.status >= 500 { span.setStatus(SpanStatus(code: .error)) }
        span.end()
        return outcome
    }

    static let noRoute = "unmatched"

    /// A status as a label of figures. Workflows answer with whatever status they like, and each is a series of its own, of which there are only so
    /// many for all: those that are not usual are counted as their class, `4xx`.
    static func statusLabel(_ status: Int) -> String { usualStatuses.contains(status) ? String(status) : "\(status / 100)xx" }

    private static let usualStatuses: Set<Int> = [
        101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 422,
        423, 429, 431, 500, 501, 502, 503, 504
    ]

    private func answered(_ request: Request, _ context: SurfaceContext) async -> Outcome {
        let start = ContinuousClock.now
        let extras = AnswerExtras()
        let target = RequestTarget(request.head.path ?? "/")
        let head = head(of: request, target, context)
        var endpoint: Endpoint?
        let answer: Answer
        do {
            answer = try await dispatch(request, head, target, extras, &endpoint)
        } catch {
            answer = self.answer(to: error, head, endpoint)
        }
        observe(start.duration(to: .now), head, endpoint, answer)
        return Outcome(answer: answer, endpoint: endpoint, head: head, extras: extras)
    }

    @inline(never)
    private func head(of request: Request, _ target: RequestTarget, _ context: SurfaceContext) -> RequestHead {
        RequestHead(
            request.head, path: String(target.path), rawQuery: String(target.query), requestID: ids.next(Request.self).description,
            remoteAddress: remoteAddress(request, context))
    }

    @inline(never)
    private func observe(_ time: Duration, _ head: RequestHead, _ endpoint: Endpoint?, _ answer: Answer) {
        let method = Method(rawValue: head.method) == nil && head.method != "HEAD" ? "other" : head.method
        Metrics.shared.observe(.httpRequest, [method, endpoint?.path.description ?? Surface.noRoute, Self.statusLabel(answer.status)], time)
        log(head, endpoint, answer.status, time)
    }

    private func dispatch(
        _ request: Request, _ head: RequestHead, _ target: RequestTarget, _ extras: AnswerExtras, _ endpoint: inout Endpoint?
    ) async throws -> Answer {
        guard !target.isTooLong else { throw Problem.targetTooLong }
        let method = head.method == "HEAD" ? Method.get : Method(rawValue: head.method)
        switch router.match(method, target.path) {
        case .nothing: throw Problem.notFound
        case .otherMethods(let methods): throw Problem.methodNotAllowed(methods)
        case .endpoint(let found, let values):
            endpoint = found
            return try await run(found, values, request, head, target, extras)
        }
    }

    /// A problem document, or for pages a page.
    private func answer(to error: any Error, _ head: RequestHead, _ endpoint: Endpoint?) -> Answer {
        var problem = Problem.internal
        if let found = Problem(answering: error) {
            problem = found
        } else {
            logger.error(
                "request failed",
                metadata: [
                    "request": "\(head.requestID)", "method": "\(head.method)", "path": "\(Self.shownPath(head, endpoint))", "error": "\(error)"
                ])
        }
        if endpoint?.opensRefusals == true, head.header("Origin") != nil { problem.headers.append(("Access-Control-Allow-Origin", "*")) }
        let localizer = Localizer(strings, language: language(of: head))
        if localizer.language != "en" {
            problem.detail = strings.text("problem.\(problem.code)", problem.arguments, language: localizer.language) ?? problem.detail
            problem.title = strings.text("problem.title.\(problem.status)", language: localizer.language) ?? problem.title
        }
        guard isForPeople(endpoint, head) else { return problem.answer(requestID: head.requestID) }
        let page = ErrorPage(
            status: problem.status, code: problem.code, title: problem.title, detail: problem.detail, head: head, localizer: localizer)
        var answer = settings.errorPage(page)
        answer.headers += problem.headers
        return answer
    }

    /// Pages, and addresses of nothing that a browser was sent to.
    private func isForPeople(_ endpoint: Endpoint?, _ head: RequestHead) -> Bool {
        if let endpoint { return endpoint.kind == .page }
        return head.header("Accept")?.contains("text/html") == true && !head.path.hasPrefix("/v1/")
    }

    func language(of head: RequestHead) -> String {
        strings.language(cookie: head.cookie("language"), accept: head.header("Accept-Language"))
    }

    private func remoteAddress(_ request: Request, _ context: SurfaceContext) -> @Sendable () -> String? {
        guard let isProxy = settings.isProxy else { return context.remoteAddress }
        let fields = request.headers[values: .xForwardedFor]
        guard !fields.isEmpty else { return context.remoteAddress }
        return { context.remoteAddress().map { Self.client(behind: $0, fields, isProxy) } }
    }

    /// The nearest address that is no proxy's: each proxy adds where it was called from at the end.
    static func client(behind peer: String, _ fields: [String], _ isProxy: (String) -> Bool) -> String {
        var hops = fields.joined(separator: ",").split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty }
        var address = peer
        while isProxy(address), let next = hops.popLast() { address = withoutPort(next) }
        return address
    }

    /// Some proxies add the port, which is another one with every connection: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static func withoutPort(_ hop: String) -> String {
        if hop.hasPrefix("["), let end = hop.firstIndex(of: "]") { return String(hop[hop.index(after: hop.startIndex)..<end]) }
        let parts = hop.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) : hop
    }

    /// Webhooks are too many for a line each: theirs are written at the level debug.
    private func log(_ head: RequestHead, _ endpoint: Endpoint?, _ status: Int, _ time: Duration) {
        logger.log(
            level: endpoint?.kind == .raw ? .debug : .info, "request answered",
            metadata: [
                "request": "\(head.requestID)", "method": "\(head.method)", "path": "\(Self.shownPath(head, endpoint))", "status": "\(status)",
                "microseconds": "\(time.microseconds)", "route": "\(endpoint?.path.description ?? "-")"
            ])
    }

    /// As logs show it. What follows a prefix may be signed, or known to nobody but those it was given to: whoever reads the log must not be able to
    /// call it.
    private static func shownPath(_ head: RequestHead, _ endpoint: Endpoint?) -> String {
        guard let endpoint, case .rest? = endpoint.path.segments.last else { return head.path }
        return endpoint.path.description
    }
}

/// The target of a request line, taken apart.
struct RequestTarget {
    /// Without the tenant's twin.
    let path: Substring
    let query: Substring
    /// `acme` of `/t/acme/…`.
    let slug: String?
    let isTooLong: Bool

    init(_ text: String) {
        isTooLong = text.utf8.count > Limits.targetBytes
        let end = text.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? text.endIndex
        let whole = text[..<end]
        let tail = text[end...]
        query = tail.first == "?" ? tail.dropFirst().prefix { $0 != "#" } : ""
        if let twin = TenantAddressing.twin(whole) {
            slug = twin.slug
            path = twin.path
        } else {
            slug = nil
            path = whole.first == "/" ? whole : "/"
        }
    }
}

extension HTTPField.Name {
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let traceparent = HTTPField.Name("traceparent")!
    static let xRequestID = HTTPField.Name("X-Request-Id")!
    /// See `PageTenant`: of what a page's scripts send.
    static let pageTenant = HTTPField.Name("Page-Tenant")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
    static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}
