internal import Kernel
package import Persistence
internal import Synchronization

/// The right to answer one request with an `Idempotency-Key`.
///
/// The answer is recorded after the handler returns. A handler whose change must never happen twice, not even after a crash
/// between its commit and that record, records the answer in its own transaction:
///
///     let prepared = try await call.idempotency?.prepare(view, status: 201)
///     try await database.write(in: call.tenant) { tx in … try call.idempotency?.record(prepared, in: tx) }
package final class IdempotencyClaim: Sendable {
    let key: IdempotencyKey
    let id: ID<IdempotencyClaim>
    let tenant: TenantID?
    /// Seals answers that show a secret.
    private let vault: KeyVault?
    private let recorded = Mutex(false)

    init(key: IdempotencyKey, id: ID<IdempotencyClaim>, tenant: TenantID?, vault: KeyVault?) {
        self.key = key
        self.id = id
        self.tenant = tenant
        self.vault = vault
    }

    /// An answer ready to be recorded, sealed where it shows a secret.
    package struct Prepared: Sendable {
        let answer: RecordedAnswer
    }

    /// Whether the handler recorded its answer itself. A transaction that failed after recording makes the handler throw.
    var isRecorded: Bool { recorded.withLock { $0 } }

    package func prepare(_ output: some Encodable, status: Int, location: String? = nil) async throws -> Prepared {
        Prepared(
            answer: try await kept(status: status, contentType: "application/json", location: location, body: try Wire.encode(output).bytes))
    }

    /// Records the answer together with the change it tells of. Nothing happens where there is nothing prepared.
    /// - Throws: `conflict` where another request took the claim over, so that the change is not made twice.
    package func record(_ prepared: Prepared?, in tx: TenantTransaction) throws {
        guard let prepared else { return }
        precondition(tx.tenant.id == tenant, "the answer belongs to the tenant of the request")
        try check(IdempotencyStore.record(prepared.answer, key, id, in: tx))
    }

    /// The same from a directory transaction; a tenant's record goes into the tenant's scope of it.
    package func record(_ prepared: Prepared?, in tx: DirectoryTransaction) throws {
        guard let prepared else { return }
        if let tenant { return try record(prepared, in: tx.tenant(tenant)) }
        try check(IdempotencyStore.record(prepared.answer, key, id, in: tx))
    }

    /// Records an answer that shows no secret together with the change it tells of, in the transaction of the tenant that is changed: also that of a
    /// request which names no tenant or was sent from another, as an operator's.
    /// - Throws: `conflict` where another request took the claim over, so that the change is not made twice.
    package func record(_ output: some Encodable, status: Int, in tx: TenantTransaction) throws {
        precondition(vault == nil, "an answer that shows a secret is sealed first")
        let answer = RecordedAnswer(
            status: status, contentType: "application/json", location: nil, body: try Wire.encode(output).bytes, isSealed: false)
        guard let tenant else { return try check(IdempotencyStore.record(answer, key, id, in: tx.directory)) }
        guard tenant != tx.tenant.id else { return try record(Prepared(answer: answer), in: tx) }
        let isHeld = try IdempotencyStore.record(answer, key, id, in: tx.platform.tenant(tenant))
        // What follows is the changed tenant's again.
        _ = try tx.platform.tenant(tx.tenant.id)
        try check(isHeld)
    }

    private func check(_ held: Bool) throws {
        guard held else { throw Idempotency.inFlight(.seconds(1)) }
        recorded.withLock { $0 = true }
    }

    func kept(status: Int, contentType: String?, location: String?, body: [UInt8]) async throws -> RecordedAnswer {
        let sealed = try await vault?.seal(body, tenant: tenant ?? KeyVault.platform, context: Idempotency.sealContext)
        return RecordedAnswer(
            status: status, contentType: contentType, location: location, body: sealed ?? body, isSealed: sealed != nil)
    }
}
