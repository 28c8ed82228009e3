package import Kernel
internal import Persistence

extension Tenancy {
    /// Newest first; those not yet sealed have no sequence.
    package func auditLog(of tenant: TenantID, before cursor: ID<AuditEntry>?, limit: Int) async throws -> [AuditEntry] {
        try await database.read(in: tenant) { tx in try AuditStore(tx: tx).page(before: cursor, limit: limit) }
    }

    /// Numbers and chains what was committed since; safe to call from several processes: of two that take the same number one is refused by
    /// the database and begins again after the other.
    @discardableResult
    package func sealAuditLog(of tenant: TenantID) async throws -> Int {
        for _ in 1..<Self.sealAttemptsMaximum {
            do {
                return try await database.write(in: tenant) { tx in try AuditStore(tx: tx).seal() }
            } catch PersistenceError.constraint(.unique, _, _) {
                continue
            }
        }
        return try await database.write(in: tenant) { tx in try AuditStore(tx: tx).seal() }
    }

    static let sealAttemptsMaximum = 8

    /// Recomputes the chain.
    /// - Returns: the first sequence whose hash does not follow from the one before, or nil where the chain holds.
    package func firstBrokenAuditEntry(of tenant: TenantID) async throws -> Int? {
        try await database.read(in: tenant) { tx in
            var previous: [UInt8] = []
            var sequence = 0
            while true {
                let part = try AuditStore(tx: tx).chain(after: sequence, limit: AuditStore.sealBatch)
                if part.isEmpty { return nil }
                for entry in part {
                    sequence += 1
                    guard entry.sequence == sequence, entry.hash == entry.chained(after: previous, sequence: sequence) else { return sequence }
                    previous = entry.hash ?? []
                }
            }
        }
    }
}
