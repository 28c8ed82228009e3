internal import Kernel
package import Persistence
internal import Synchronization

/// The right to answer one request with an `Idempotency-Key`.
///
/// The answer is recorded after the handler returns. A handler whose change must never happen twice, not even after a crash
/// between its commit and that record, records the answer in its own transaction:
/// `try call.idempotency?.record(view, status: 201, in: tx)`.
package final class IdempotencyClaim: Sendable {
    let key: IdempotencyKey
    let id: ID<IdempotencyClaim>
    let tenant: TenantID?
    /// Seals answers that show a secret.
    private let sealer: Sealer?
    private let recorded = Mutex(false)

    init(key: IdempotencyKey, id: ID<IdempotencyClaim>, tenant: TenantID?, sealer: Sealer?) {
        self.key = key
        self.id = id
        self.tenant = tenant
        self.sealer = sealer
    }

    /// Whether the handler recorded its answer itself. A transaction that failed after recording makes the handler throw.
    var isRecorded: Bool { recorded.withLock { $0 } }

    /// Records the answer together with the change it tells of.
    /// - Throws: `conflict` where another request took the claim over, so that the change is not made twice.
    package func record(_ output: some Encodable, status: Int, location: String? = nil, in tx: TenantTransaction) throws {
        precondition(tx.tenant.id == tenant, "the answer belongs to the tenant of the request")
        let answer = try kept(status: status, contentType: "application/json", location: location, body: try Wire.encode(output).bytes)
        try check(IdempotencyStore.record(answer, key, id, in: tx))
    }

    /// The same for requests without a tenant.
    package func record(_ output: some Encodable, status: Int, location: String? = nil, in tx: DirectoryTransaction) throws {
        if let tenant { return try record(output, status: status, location: location, in: tx.tenant(tenant)) }
        let answer = try kept(status: status, contentType: "application/json", location: location, body: try Wire.encode(output).bytes)
        try check(IdempotencyStore.record(answer, key, id, in: tx))
    }

    private func check(_ held: Bool) throws {
        guard held else { throw Idempotency.inFlight(.seconds(1)) }
        recorded.withLock { $0 = true }
    }

    func kept(status: Int, contentType: String?, location: String?, body: [UInt8]) throws -> RecordedAnswer {
        RecordedAnswer(
            status: status, contentType: contentType, location: location, body: try sealer.map { try $0.seal(body) } ?? body,
            isSealed: sealer != nil)
    }
}

/// Encrypts and decrypts kept answers under a tenant's key.
package struct Sealer: Sendable {
    package let seal: @Sendable ([UInt8]) throws -> [UInt8]
    package let open: @Sendable ([UInt8]) throws -> [UInt8]

    package init(seal: @escaping @Sendable ([UInt8]) throws -> [UInt8], open: @escaping @Sendable ([UInt8]) throws -> [UInt8]) {
        self.seal = seal
        self.open = open
    }
}
