internal import Crypto
package import Kernel
package import Persistence

/// Answers a repeated POST as the first one was answered: same key and same request, same status and body; same key and another
/// request, 409; still running, 409 with `Retry-After`. Refused and failed requests leave no record, so they may be tried again.
package struct Idempotency: Sendable {
    private let database: any Database
    private let clock: Clock
    private let ids: IDs
    /// Seals answers that show a secret.
    private let vault: KeyVault

    package init(database: any Database, clock: Clock, ids: IDs, vault: KeyVault) {
        self.database = database
        self.clock = clock
        self.ids = ids
        self.vault = vault
    }

    /// Removes answers that are kept no longer, of requests that named no tenant.
    package func removeExpired() async throws {
        try await database.writeDirectory { tx in try IdempotencyStore.removeExpired(in: tx) }
    }

    /// The same of one tenant.
    package func removeExpired(of tenant: TenantID) async throws {
        try await database.write(in: tenant) { tx in try IdempotencyStore.removeExpired(in: tx) }
    }

    static let sealContext = "idempotency"
    private static let fingerprintContext = "idempotency-fingerprint"

    enum Start: Sendable {
        case run(IdempotencyClaim)
        case answer(Answer)
    }

    /// Claims the key before the handler runs.
    func start(_ key: IdempotencyKey, tenant: TenantID?, holdsSecret: Bool) async throws -> Start {
        let key = try await marked(key, tenant)
        let claim = IdempotencyClaim(key: key, id: ids.next(), tenant: tenant, vault: holdsSecret ? vault : nil)
        let now = clock.now()
        let locked = now + Limits.idempotencyLock
        let expiry = now + Limits.idempotencyKeep
        let outcome =
            if let tenant {
                try await database.write(in: tenant) { try IdempotencyStore.claim(key, as: claim.id, until: locked, expiry: expiry, in: $0) }
            } else {
                try await database.writeDirectory { try IdempotencyStore.claim(key, as: claim.id, until: locked, expiry: expiry, in: $0) }
            }
        switch outcome {
        case .claimed: return .run(claim)
        case .answered(let recorded): return .answer(try await replay(recorded, tenant))
        case .otherRequest:
            throw Refusal(.conflict, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
        case .inFlight(let until): throw Idempotency.inFlight(until - now)
        }
    }

    private func marked(_ key: IdempotencyKey, _ tenant: TenantID?) async throws -> IdempotencyKey {
        var key = key
        key.fingerprint = try await vault.mark(
            key.digest.hexText, tenant: tenant ?? KeyVault.platform, context: Idempotency.fingerprintContext)
        return key
    }

    static func inFlight(_ wait: Duration) -> Refusal {
        Refusal(.conflict, "idempotency_in_flight", "A request with this Idempotency-Key is still running.", retryAfter: wait)
    }

    private func replay(_ recorded: RecordedAnswer, _ tenant: TenantID?) async throws -> Answer {
        var body = recorded.body ?? []
        if recorded.isSealed { body = try await vault.open(body, tenant: tenant ?? KeyVault.platform, context: Idempotency.sealContext) }
        var headers = [(name: "Idempotent-Replayed", value: "true")]
        if let location = recorded.location { headers.append(("Location", location)) }
        return Answer(
            status: recorded.status, contentType: recorded.contentType, headers: headers, body: body.isEmpty ? .empty : .bytes(body))
    }

    /// Records the answer, unless the handler did so in its own transaction.
    func finish(_ claim: IdempotencyClaim, with answer: Answer) async throws {
        if claim.isRecorded { return }
        var body: [UInt8] = []
        if case .bytes(let bytes) = answer.body { body = bytes }
        let recorded = try await claim.kept(
            status: answer.status, contentType: answer.contentType, location: answer.headers.first { $0.name == "Location" }?.value,
            body: body)
        if let tenant = claim.tenant {
            try await database.write(in: tenant) { _ = try IdempotencyStore.record(recorded, claim.key, claim.id, in: $0) }
        } else {
            try await database.writeDirectory { _ = try IdempotencyStore.record(recorded, claim.key, claim.id, in: $0) }
        }
    }

    /// Lets go of the key of a request that was refused or failed.
    func release(_ claim: IdempotencyClaim) async throws {
        if let tenant = claim.tenant {
            try await database.write(in: tenant) { try IdempotencyStore.release(claim.key, claim.id, in: $0) }
        } else {
            try await database.writeDirectory { try IdempotencyStore.release(claim.key, claim.id, in: $0) }
        }
    }

    /// - Throws: `malformed` where the key is not 1 to 255 visible ASCII characters.
    static func key(_ text: String, principal: Principal, head: RequestHead, body: [UInt8]) throws -> IdempotencyKey {
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Refusal(
                .malformed, "invalid_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters.", field: "Idempotency-Key")
        }
        var hash = SHA256()
        hash.update(data: Array("\(head.method) \(head.path)?\(head.rawQuery)\n".utf8))
        hash.update(data: body)
        return IdempotencyKey(actor: principal.actor.text, key: text, digest: Array(hash.finalize()))
    }
}

extension Principal.Actor {
    /// `user:0192…`, as rows name an actor.
    package var text: String {
        switch self {
        case .anonymous: "anonymous"
        case .user(let id): "user:\(id)"
        case .apiKey(let id): "key:\(id)"
        case .platformOperator(let id): "operator:\(id)"
        case .system: "system"
        }
    }
}

extension Limits {
    /// How long a running request keeps its idempotency key to itself; longer than any handler with a record may take.
    package static let idempotencyLock: Duration = .seconds(60)
    /// How long answers are kept.
    package static let idempotencyKeep: Duration = .seconds(24 * 3_600)
}
