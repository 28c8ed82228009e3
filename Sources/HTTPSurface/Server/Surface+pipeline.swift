internal import Hummingbird
internal import HTTPTypes
internal import Kernel
internal import NIOCore
internal import Synchronization

/// The way of a request through its endpoint, in this order: origin, tenant and principal, rate, body, query, idempotency, handler.
extension Surface {
    func run(
        _ endpoint: Endpoint, _ values: [Substring], _ request: Request, _ head: RequestHead, _ target: RequestTarget, _ extras: AnswerExtras
    ) async throws -> Answer {
        try checkOrigin(endpoint, head)
        if endpoint.kind == .json, !Negotiation.accepts(head[.accept], "application/json") { throw Problem.notAcceptable }
        let address = try self.address(head, target)
        let (principal, tenant): (Principal, TenantID?)
        if endpoint.access.isPublic {
            (principal, tenant) = (.anonymous, nil)
        } else {
            (principal, tenant) = try await admit(endpoint, head, address)
        }
        if case .public = endpoint.access, endpoint.kind == .raw {
        } else {
            try await checkRate(principal: principal, tenant: tenant, head: head, extras: extras)
        }
        if endpoint.kind == .events { try readyStream(endpoint, head, address, principal, tenant, extras) }
        if endpoint.requestBody != nil { try checkContentType(head) }
        let body = try await readBody(endpoint, head, request)
        extras.isBodyRead.withLock { $0 = true }
        let call = EndpointCall(
            head: head, body: body, principal: principal, idempotency: nil, logger: logger, address: address, endpoint: endpoint,
            values: values, tenantID: tenant, surface: self, extras: extras)
        try checkQuery(endpoint, head)
        guard endpoint.takesIdempotencyKey, let text = head[.idempotencyKey] else { return try await handle(endpoint, call) }
        return try await once(endpoint, call, text)
    }

    @inline(never)
    private func readyStream(
        _ endpoint: Endpoint, _ head: RequestHead, _ address: TenantAddress?, _ principal: Principal, _ tenant: TenantID?, _ extras: AnswerExtras
    ) throws {
        extras.mayRead.withLock { $0 = { [self] in await isStillAdmitted(endpoint, head, address, to: tenant) } }
        guard head.method != "HEAD" else { return }
        let place = try streamPlaces.take(principal.actor, in: tenant)
        extras.streamPlace.withLock { $0 = place }
    }

    /// What asks to be done once, whatever is repeated under its key.
    @inline(never)
    private func once(_ endpoint: Endpoint, _ call: EndpointCall, _ text: String) async throws -> Answer {
        let key = try Idempotency.key(text, principal: call.principal, head: call.head, body: call.body)
        guard let idempotency else { return try await handle(endpoint, call) }
        switch try await idempotency.start(key, tenant: call.tenantID, holdsSecret: endpoint.holdsSecret) {
        case .answer(let answer): return answer
        case .run(let claim): return try await answer(endpoint, call.claiming(claim), claim, idempotency)
        }
    }

    private func answer(_ endpoint: Endpoint, _ call: EndpointCall, _ claim: IdempotencyClaim, _ idempotency: Idempotency) async throws -> Answer {
        let answer: Answer
        do {
            answer = try await handle(endpoint, call)
        } catch {
            try await idempotency.release(claim)
            throw error
        }
        try await idempotency.finish(claim, with: answer)
        return answer
    }

    private func handle(_ endpoint: Endpoint, _ call: EndpointCall) async throws -> Answer {
        guard let timeout = endpoint.timeout else { return try await endpoint.handle(call) }
        return try await handle(endpoint, call, within: timeout)
    }

    @inline(never)
    private func handle(_ endpoint: Endpoint, _ call: EndpointCall, within timeout: Duration) async throws -> Answer {
        let late = Refusal(.unavailable, "timeout", "This took longer than \(timeout.components.seconds) seconds.", retryAfter: .seconds(5))
        return try await within(timeout, orThrow: late) { try await endpoint.handle(call) }
    }

    private func readBody(_ endpoint: Endpoint, _ head: RequestHead, _ request: Request) async throws -> [UInt8] {
        let length = head[.contentLength]
        if length == nil, head[.transferEncoding] == nil { return [] }
        let limit = endpoint.bodyLimit
        if let length, Int(length) ?? .max > limit { throw Self.tooLarge(limit) }
        do {
            if endpoint.kind == .raw, let length, Int(length) ?? .max <= Limits.smallBodyBytes {
                return Array(try await request.body.collect(upTo: limit).readableBytesView)
            }
            return try await readInTime(request, limit)
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge(limit)
        }
    }

    @inline(never)
    private func readInTime(_ request: Request, _ limit: Int) async throws -> [UInt8] {
        let buffer = try await within(settings.bodyTime, orThrow: Problem.bodyTimeout) { try await request.body.collect(upTo: limit) }
        return Array(buffer.readableBytesView)
    }

    private static func tooLarge(_ limit: Int) -> Refusal {
        Refusal(.tooLarge, "body_too_large", "The body may have at most \(limit) bytes.", arguments: ["limit": "\(limit)"])
    }

    private func checkContentType(_ head: RequestHead) throws {
        guard let type = head[.contentType] else { return }
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json")) else {
            throw Refusal(.unsupportedMedia, "unsupported_media_type", "This takes application/json.")
        }
    }

    private func checkQuery(_ endpoint: Endpoint, _ head: RequestHead) throws {
        guard let schema = endpoint.query else { return }
        let faults = schema.faults(in: QueryReader(head.rawQuery).json(as: schema))
        guard faults.isEmpty else { throw Refusal(.invalid, "invalid", "Some parameters are not as they should be.", faults: faults) }
    }

    /// Refuses writes that a browser sends on behalf of another site. `Sec-Fetch-Site` decides where it is sent, else `Origin`;
    /// a request with neither comes from no browser of today. Programs that show a key are not asked, nor are webhooks. What else stands in
    /// `Authorization` proves nothing: browsers add a password by themselves.
    private func checkOrigin(_ endpoint: Endpoint, _ head: RequestHead) throws {
        if case .public = endpoint.access, endpoint.kind == .raw { return }
        guard endpoint.method.isWrite, head.method != "GET", head.method != "HEAD", head.bearerToken == nil else { return }
        let isForeign: Bool
        if let site = head[.secFetchSite] {
            isForeign = site != "same-origin" && site != "none"
        } else if let origin = head[.origin] {
            isForeign = origin.split(separator: "/").last.map { $0.lowercased() } != head.host
        } else {
            isForeign = false
        }
        if isForeign { throw Refusal(.forbidden, "cross_site", "A page of another site may not do this.") }
    }
}

extension EndpointCall {
    func claiming(_ claim: IdempotencyClaim) -> EndpointCall {
        EndpointCall(
            head: head, body: body, principal: principal, idempotency: claim, logger: logger, address: address, endpoint: endpoint,
            values: values, tenantID: tenantID, surface: surface, extras: extras)
    }
}

/// Runs an operation and cancels it when its time is over.
/// - Throws: `late` then, once the operation has noticed its cancellation.
func within<Value: Sendable>(
    _ time: Duration, orThrow late: any Error, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(for: time)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw late }
        return value
    }
}

extension Limits {
    /// Raw bodies up to this size are read without a deadline of their own; the connection's idle time watches them.
    static let smallBodyBytes = 64 << 10
}
