internal import Kernel
internal import Outbound
internal import Scripting
internal import Synchronization

/// What the engine lends to one attempt of a step, and where it gathers what the step leaves behind.
final class StepBox: StepServices {
    private struct Left: Sendable {
        var state: JSON?
        var staticGlobal: JSON?
        var staticNode: JSON?
        var marks: JSONObject = [:]
        var logs: [String] = []
    }

    private let services: EngineServices
    private let node: CompiledWorkflow.Node
    private let kind: NodeKind
    private let tenant: TenantID
    private let staticGlobal: JSON
    private let staticNode: JSON
    private let runScope: RunScope
    let holder: FileHolder
    private let left = Mutex(Left())

    init(
        services: EngineServices, node: CompiledWorkflow.Node, kind: NodeKind, tenant: TenantID, staticGlobal: JSON, staticNode: JSON,
        scope: RunScope, run: RunID
    ) {
        self.services = services
        self.node = node
        self.kind = kind
        self.tenant = tenant
        self.staticGlobal = staticGlobal
        self.staticNode = staticNode
        runScope = scope
        holder = FileHolder(tenant: tenant, run: run)
    }

    func parameter(_ path: String, item: Int) async throws -> JSON? {
        guard let raw = kind.rawParameter(path, of: node.node) else { return nil }
        guard raw.holdsExpression else { return raw }
        do {
            return try await services.evaluate(raw, tenant, try await showingFiles(runScope, raw, item), item)
        } catch let failure as StepFailure {
            throw failure
        } catch {
            var failure = StepFailure(wrapping: error, itemIndex: item)
            var details = failure.details?.object ?? [:]
            details["parameter"] = .string(path)
            failure.details = .object(details)
            throw failure
        }
    }

    func evaluate(_ value: JSON, item: Int, roots: JSONObject) async throws -> JSON {
        guard value.holdsExpression else { return value }
        return try await services.evaluate(value, tenant, try await showingFiles(runScope.adding(roots), value, item), item)
    }

    private func showingFiles(_ scope: RunScope, _ value: JSON, _ item: Int) async throws -> RunScope {
        try await scope.showingFiles(in: value, item: item) { try await readBinary($0) }
    }

    func scope() -> any ExpressionScope { runScope }
    var scripts: any ScriptRunner { services.scripts }
    var facilities: StepFacilities { services.facilities }

    func credential(ofType type: String) async throws -> JSONObject {
        try await services.credential(try credentialID(ofType: type), type, tenant)
    }

    func accessToken(ofType type: String, stale: String?) async throws -> String {
        try await services.accessToken(try credentialID(ofType: type), type, stale, tenant)
    }

    private func credentialID(ofType type: String) throws -> String {
        guard let reference = node.node.credentials[type] else {
            throw StepFailure("credential_missing", "The node '\(node.node.name)' has no credential of the type '\(type)'.", isRetryable: false)
        }
        guard let id = reference.id else {
            throw StepFailure(
                "credential_unmapped", "The credential '\(reference.name)' of this workflow is not set up here yet.", isRetryable: false)
        }
        return id
    }

    func send(_ request: OutboundRequest) async throws -> OutboundResponse { try await services.send(request, tenant) }

    /// What the step has written, where it has.
    var state: JSON? { left.withLock { $0.state } }
    func setState(_ state: JSON) { left.withLock { $0.state = state } }

    func staticData() -> (global: JSON, node: JSON) {
        left.withLock { ($0.staticGlobal ?? staticGlobal, $0.staticNode ?? staticNode) }
    }

    func setStaticData(global: JSON?, node: JSON?) {
        left.withLock { left in
            if let global { left.staticGlobal = global }
            if let node { left.staticNode = node }
        }
    }

    func log(_ line: String) {
        left.withLock { left in
            if left.logs.count < Limits.logLinesPerStep { left.logs.append(String(line.prefix(Limits.logLineCharacters))) }
        }
    }

    func mark(_ name: String, _ value: String) {
        left.withLock { left in
            guard left.marks[name] != nil || left.marks.count < Limits.marksPerRun else { return }
            left.marks[String(name.prefix(Limits.markNameCharacters))] = .string(String(value.prefix(Limits.markValueCharacters)))
        }
    }

    func readBinary(_ reference: BinaryReference) async throws -> [UInt8] {
        guard reference.byteCount <= Limits.fileBytesInMemory else { throw StepFailure.tooLargeForMemory(reference.byteCount) }
        return try await services.readBinary(reference, tenant)
    }

    func openBinary(_ reference: BinaryReference) async throws -> BytePieces { try await services.openBinary(reference, tenant) }

    func keepBinary(_ pieces: BytePieces, mimeType: String, fileName: String?) async throws -> BinaryReference {
        try await services.keepBinary(pieces, mimeType, fileName, holder)
    }

    func writeBinary(_ bytes: [UInt8], mimeType: String, fileName: String?) async throws -> BinaryReference {
        try await services.writeBinary(bytes, mimeType, fileName, holder)
    }

    func finish(_ request: StepRequest, outputs: [StepOutput?], answer: WebhookAnswer?, startedAt: Timestamp, finishedAt: Timestamp) -> StepFinish {
        left.withLock { left in
            StepFinish(
                step: request.step, attempt: request.attempt, outputs: outputs, state: left.state, staticGlobal: left.staticGlobal,
                staticNode: left.staticNode,
                marks: left.marks.isEmpty ? nil : .object(left.marks), answer: answer, logs: left.logs, startedAt: startedAt, finishedAt: finishedAt)
        }
    }
}

extension JSON {
    /// Whether any string inside begins with `=`.
    var holdsExpression: Bool {
        switch self {
        case .string(let text): text.utf8.first == UInt8(ascii: "=")
        case .array(let elements): elements.contains { $0.holdsExpression }
        case .object(let members): members.contains { $0.value.holdsExpression }
        default: false
        }
    }
}
