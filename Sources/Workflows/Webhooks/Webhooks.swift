package import HTTPSurface
package import Kernel
package import Persistence

/// Receives requests for published webhooks: saves the run, then answers as the node says.
package struct Webhooks: Sendable {
    let database: any Database
    let engine: Engine
    let workflows: Workflows
    let versions: VersionCache
    let clock: Clock
    let credential: @Sendable (_ id: String, _ type: String, TenantID) async throws -> JSONObject
    let timeZone: @Sendable (TenantID) async throws -> String
    let openBinary: @Sendable (BinaryReference, TenantID) async throws -> (byteCount: Int, pieces: BytePieces)
    let store: @Sendable (_ bytes: [UInt8], _ type: String, _ name: String, FileHolder) async throws -> BinaryReference

    /// Headers that name the sender's key of a request: a repeat is the same run.
    static let keyHeader = "idempotency-key"

    package init(
        database: any Database, engine: Engine, workflows: Workflows, clock: Clock,
        timeZone: @escaping @Sendable (TenantID) async throws -> String,
        credential: @escaping @Sendable (_ id: String, _ type: String, TenantID) async throws -> JSONObject,
        openBinary: @escaping @Sendable (BinaryReference, TenantID) async throws -> (byteCount: Int, pieces: BytePieces),
        store: @escaping @Sendable (_ bytes: [UInt8], _ type: String, _ name: String, FileHolder) async throws -> BinaryReference
    ) {
        self.database = database
        self.engine = engine
        self.workflows = workflows
        versions = VersionCache()
        self.clock = clock
        self.credential = credential
        self.timeZone = timeZone
        self.openBinary = openBinary
        self.store = store
    }

    package func answer(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        guard let target = try await found(call.head.method, path, tenant) else { return try await permission(for: call, path, tenant) }
        do { return allowed(try await answer(call, target, tenant, path), call, target) } catch {
            for (name, value) in target.definition.originHeaders(for: call.header("Origin")) { call.addHeader(name, value) }
            throw error
        }
    }

    private func answer(_ call: EndpointCall, _ target: WebhookTargets.Target, _ tenant: TenantID, _ path: String) async throws -> Answer {
        let key = try Self.checked(key: call.header(Self.keyHeader))
        let run: RunID = engine.ids.next()
        let items: ItemList
        if let plain = plainItems(of: call, target, path) {
            items = plain
        } else {
            switch try await enter(call, target, path, tenant, run) {
            case .items(let read): items = read
            case .answer(let answer): return answer
            }
        }
        let handle = try await engine.start(
            start(of: target, tenant, items, timeZone: try await timeZone(tenant), key: key, run: run))
        let made = try await answer(of: handle, target.definition)
        if case .binary = made.body { return try await render(made, tenant: tenant, run: handle.run) }
        return rendered(made, run: handle.run)
    }

    private func found(_ method: String, _ path: String, _ tenant: TenantID) async throws -> WebhookTargets.Target? {
        try await workflows.targets.find(tenant, method, path, look: { try await target(method, path, tenant) })
    }

    /// The answer to a method that nothing takes, which a browser may ask before one that something does.
    @inline(never)
    private func permission(for call: EndpointCall, _ path: String, _ tenant: TenantID) async throws -> Answer {
        let method = call.head.method
        if method == "OPTIONS", let asked = call.header("Access-Control-Request-Method"), WebhookRoute.methods.contains(asked),
            let target = try await found(asked, path, tenant)
        {
            return target.definition.permission(for: call)
        }
        throw try await missing(method, path, tenant)
    }

    /// An answer as a page of another origin may read it.
    private func allowed(_ answer: Answer, _ call: EndpointCall, _ target: WebhookTargets.Target) -> Answer {
        guard let origin = call.header("Origin") else { return answer }
        return answer.adding(target.definition.originHeaders(for: origin))
    }

    /// What becomes of a request: it starts a run, or is answered without one.
    private enum Entry {
        case items(ItemList)
        case answer(Answer)
    }

    /// The items of a request of the usual kind, which anybody may send: it takes no waiting. nil for all others.
    @inline(never)
    private func plainItems(of call: EndpointCall, _ target: WebhookTargets.Target, _ path: String) -> ItemList? {
        let definition = target.definition
        guard definition.authentication == "none", definition.condition == nil,
            WebhookGuard.admits(definition, address: call.clientAddress, userAgent: call.header("User-Agent"))
        else { return nil }
        return WebhookItem(call: call, path: path, parameters: target.parameters, hiddenHeader: nil, definition: definition).plain
    }

    @inline(never)
    private func enter(
        _ call: EndpointCall, _ target: WebhookTargets.Target, _ path: String, _ tenant: TenantID, _ run: RunID
    ) async throws -> Entry {
        switch try await verdict(on: call, target.definition, of: target.node, tenant) {
        case .open(let claims, let header):
            let read = WebhookItem(call: call, path: path, parameters: target.parameters, hiddenHeader: header, definition: target.definition)
            let items = try await read.list(claims: claims) { [store] in try await store($0, $1, $2, FileHolder(tenant: tenant, run: run)) }
            guard try await isWanted(items, by: target, tenant, run: run) else { return .answer(Self.passedOver) }
            return .items(items)
        case .challenge(let challenge): return .answer(.webhookChallenge(challenge))
        case .refused(let reason): throw Refusal(.forbidden, "webhook_forbidden", reason)
        }
    }

    @inline(never)
    private func start(
        of target: WebhookTargets.Target, _ tenant: TenantID, _ items: ItemList, timeZone: String, key: String?, run: RunID
    ) -> RunStart {
        RunStart(
            tenant: tenant, workflow: target.workflow, version: target.version, document: nil, compiled: target.compiled,
            trigger: target.node.name, items: items, mode: "webhook", timeZone: timeZone, idempotencyKey: key, id: run)
    }

    /// The sender's key of a request: what every database keeps and finds by an index.
    /// - Throws: `invalid_idempotency_key`
    static func checked(key: String?) throws -> String? {
        guard let key else { return nil }
        let characters = key.unicodeScalars
        guard (1...Limits.webhookKeyCharacters).contains(characters.count), characters.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw Refusal(
                .malformed, "invalid_idempotency_key",
                "Idempotency-Key must be 1 to \(Limits.webhookKeyCharacters) characters, none of them a control character.", field: "Idempotency-Key")
        }
        return key
    }

    /// A webhook that asks for authentication and lacks its credential is closed to everyone.
    func verdict(on call: EndpointCall, _ definition: WebhookDefinition, of node: @autoclosure () -> WorkflowNode, _ tenant: TenantID) async throws
        -> WebhookGuard.Verdict
    {
        guard WebhookGuard.admits(definition, address: call.clientAddress, userAgent: call.header("User-Agent")) else {
            return .refused("This webhook does not take requests from here.")
        }
        guard definition.authentication != "none" else { return .open(claims: nil, header: nil) }
        guard let type = WebhookGuard.credentialType(of: definition.authentication), let id = node().credentials[type]?.id else {
            return .refused("This webhook has no credential to check requests with.")
        }
        let fields: JSONObject
        do { fields = try await credential(id, type, tenant) } catch is StepFailure {
            return .refused("This webhook has no credential to check requests with.")
        }
        return WebhookGuard.verdict(type: type, fields: fields, header: { call.header($0) }, now: clock.now())
    }

    func answer(of handle: RunHandle, _ definition: WebhookDefinition) async throws -> WebhookAnswer {
        switch definition.responseMode {
        case .onReceived: return definition.immediateAnswer
        case .responseNode, .streaming:
            if let answer = await handle.answer() { return answer }
            let result = await handle.finished()
            guard result.status == .succeeded else { return Self.failed(result) }
            return definition.responseMode == .streaming ? try definition.answer(lastNode: result.items) : WebhookAnswer(status: 200, body: .none)
        case .lastNode:
            let result = await handle.finished()
            guard result.status == .succeeded else { return Self.failed(result) }
            return try definition.answer(lastNode: result.items)
        }
    }

    private static func failed(_ result: RunResult) -> WebhookAnswer {
        WebhookAnswer(
            status: 500, body: .json(["message": "The workflow failed.", "code": "workflow_failed", "execution_id": .string(result.run.description)]))
    }

    func render(_ answer: WebhookAnswer, tenant: TenantID, run: RunID) async throws -> Answer {
        var made = rendered(answer, run: run)
        if case .binary(let file) = answer.body { made.body = try await body(of: file, tenant) }
        return made
    }

    /// All but a body that is a file.
    @inline(never)
    private func rendered(_ answer: WebhookAnswer, run: RunID) -> Answer {
        let own = answer.headers.filter { $0.name.lowercased() != "content-type" && Answer.mayBeSetByTenants($0.name) }
        var made = Answer(status: answer.status, headers: own)
        let chosen = answer.headers.first { $0.name.lowercased() == "content-type" }?.value
        made.headers.append(("X-Execution-Id", run.description))
        switch answer.body {
        case .none: break
        case .bytes(let bytes, let type):
            made.contentType = chosen ?? type
            made.body = .bytes(bytes)
        case .binary(let file): made.contentType = chosen ?? file.mimeType
        }
        return made
    }

    /// A file as an answer, whatever its size.
    func body(of file: BinaryReference, _ tenant: TenantID) async throws -> Answer.Body {
        let (byteCount, pieces) = try await openBinary(file, tenant)
        return .pieces(byteCount: byteCount, pieces)
    }

    @inline(never)
    private func missing(_ method: String, _ path: String, _ tenant: TenantID) async throws -> Refusal {
        let others = try await database.read(in: tenant) { tx in try TriggerStore(tx: tx).methods(path: path) }
        guard others.isEmpty else {
            return Refusal(
                .methodNotAllowed, "method_not_allowed", "This webhook takes \(others.joined(separator: ", ")), not \(method).",
                arguments: ["allow": others.joined(separator: ", ")])
        }
        return Refusal(.missing, "no_webhook", "No published workflow answers this path; publish it first.")
    }

    @inline(never)
    func target(_ method: String, _ path: String, _ tenant: TenantID) async throws -> WebhookTargets.Target? {
        let found = try await database.read(in: tenant) { tx in try TriggerStore(tx: tx).target(method: method, path: path) }
        guard let found else { return nil }
        let document = try await version(found.workflow, found.version, tenant).document
        guard let node = document.nodes.first(where: { $0.id == found.node }), let kind = workflows.kinds.kind(node.kind) else {
            throw Refusal.missing("webhook")
        }
        return WebhookTargets.Target(
            workflow: found.workflow, version: found.version, compiled: engine.compiled(document, found.workflow, found.version), node: node,
            definition: WebhookDefinition(node, kind: kind), parameters: found.parameters)
    }

    private func version(_ workflow: WorkflowID, _ number: Int, _ tenant: TenantID) async throws -> VersionCache.Entry {
        if let known = versions.find(workflow, number) { return known }
        let bytes = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).document(of: workflow, version: number) }
        guard let bytes else { throw Refusal.missing("webhook") }
        return versions.keep(workflow, number, try WorkflowDocument(stored: bytes))
    }
}

extension Limits {
    static let webhookKeyCharacters = 255
}
