internal import Kernel
internal import Persistence

/// The key of a repeated request and what it must be equal to.
struct IdempotencyKey: Sendable, Hashable {
    /// Who sent it: another actor's key of the same text is another key.
    var actor: String
    var key: String
    /// SHA-256 of method, path, query and body.
    var digest: [UInt8]
    /// The digest under the vault's mark, as it is kept: a body may hold a password, which whoever reads the table must not be able to try out.
    var fingerprint: [UInt8] = []
}

/// An answer as it is kept.
struct RecordedAnswer: Sendable, Hashable {
    var status: Int
    var contentType: String?
    var location: String?
    var body: [UInt8]?
    var isSealed: Bool
}

/// What a claim finds.
enum ClaimOutcome: Sendable, Hashable {
    case claimed
    case answered(RecordedAnswer)
    case otherRequest
    case inFlight(until: Timestamp)
}

/// All SQL of the tables of `IdempotencyTables`, alike for both scopes.
enum IdempotencyStore {
    static func claim(_ key: IdempotencyKey, as claim: ID<IdempotencyClaim>, until locked: Timestamp, expiry: Timestamp, in tx: TenantTransaction)
        throws -> ClaimOutcome
    {
        let now = tx.clock.now()
        try removeExpired(in: tx)
        let row = try tx.first(
            """
            SELECT fingerprint, locked_until, status, content_type, location, body, is_sealed FROM idempotency_keys
            WHERE tenant_id = \(tx.tenant) AND actor = \(key.actor) AND key = \(key.key)
            """)
        if let row {
            guard let outcome = try found(row, key, now) else {
                try tx.execute(
                    """
                    UPDATE idempotency_keys SET claim = \(claim), locked_until = \(locked), expires_at = \(expiry)
                    WHERE tenant_id = \(tx.tenant) AND actor = \(key.actor) AND key = \(key.key)
                    """)
                return .claimed
            }
            return outcome
        }
        try tx.execute(
            """
            INSERT INTO idempotency_keys (tenant_id, actor, key, fingerprint, claim, locked_until, expires_at, is_sealed)
            VALUES (\(tx.tenant), \(key.actor), \(key.key), \(key.fingerprint), \(claim), \(locked), \(expiry), \(false))
            """)
        return .claimed
    }

    static func claim(
        _ key: IdempotencyKey, as claim: ID<IdempotencyClaim>, until locked: Timestamp, expiry: Timestamp, in tx: DirectoryTransaction
    ) throws -> ClaimOutcome {
        let now = tx.clock.now()
        try removeExpired(in: tx)
        let row = try tx.first(
            """
            SELECT fingerprint, locked_until, status, content_type, location, body, is_sealed FROM directory_idempotency_keys
            WHERE actor = \(key.actor) AND key = \(key.key)
            """)
        if let row {
            guard let outcome = try found(row, key, now) else {
                try tx.execute(
                    """
                    UPDATE directory_idempotency_keys SET claim = \(claim), locked_until = \(locked), expires_at = \(expiry)
                    WHERE actor = \(key.actor) AND key = \(key.key)
                    """)
                return .claimed
            }
            return outcome
        }
        try tx.execute(
            """
            INSERT INTO directory_idempotency_keys (actor, key, fingerprint, claim, locked_until, expires_at, is_sealed)
            VALUES (\(key.actor), \(key.key), \(key.fingerprint), \(claim), \(locked), \(expiry), \(false))
            """)
        return .claimed
    }

    static func removeExpired(in tx: TenantTransaction) throws {
        try tx.execute("DELETE FROM idempotency_keys WHERE tenant_id = \(tx.tenant) AND expires_at <= \(tx.clock.now())")
    }

    static func removeExpired(in tx: DirectoryTransaction) throws {
        try tx.execute("DELETE FROM directory_idempotency_keys WHERE expires_at <= \(tx.clock.now())")
    }

    /// Nil where the row is a claim whose time is over.
    private static func found(_ row: Row, _ key: IdempotencyKey, _ now: Timestamp) throws -> ClaimOutcome? {
        // The digest alone was kept before it was marked.
        guard try [key.fingerprint, key.digest].contains(row.column(0, as: [UInt8].self)) else { return .otherRequest }
        if let status = try row.column(2, as: Int?.self) {
            return .answered(
                RecordedAnswer(
                    status: status, contentType: try row.column(3), location: try row.column(4), body: try row.column(5),
                    isSealed: try row.column(6)))
        }
        let locked: Timestamp = try row.column(1)
        return locked > now ? .inFlight(until: locked) : nil
    }

    /// - Returns: whether the claim still held; after a take-over it does not, and the later handler's answer counts.
    @discardableResult
    static func record(_ answer: RecordedAnswer, _ key: IdempotencyKey, _ claim: ID<IdempotencyClaim>, in tx: TenantTransaction) throws -> Bool {
        try tx.execute(
            """
            UPDATE idempotency_keys SET status = \(answer.status), content_type = \(answer.contentType as String?), location = \(answer.location as String?),
                body = \(answer.body as [UInt8]?), is_sealed = \(answer.isSealed)
            WHERE tenant_id = \(tx.tenant) AND actor = \(key.actor) AND key = \(key.key) AND claim = \(claim)
            """) == 1
    }

    @discardableResult
    static func record(_ answer: RecordedAnswer, _ key: IdempotencyKey, _ claim: ID<IdempotencyClaim>, in tx: DirectoryTransaction) throws -> Bool {
        try tx.execute(
            """
            UPDATE directory_idempotency_keys SET status = \(answer.status), content_type = \(answer.contentType as String?),
                location = \(answer.location as String?), body = \(answer.body as [UInt8]?), is_sealed = \(answer.isSealed)
            WHERE actor = \(key.actor) AND key = \(key.key) AND claim = \(claim)
            """) == 1
    }

    static func release(_ key: IdempotencyKey, _ claim: ID<IdempotencyClaim>, in tx: TenantTransaction) throws {
        try tx.execute(
            """
            DELETE FROM idempotency_keys
            WHERE tenant_id = \(tx.tenant) AND actor = \(key.actor) AND key = \(key.key) AND claim = \(claim) AND status IS NULL
            """)
    }

    static func release(_ key: IdempotencyKey, _ claim: ID<IdempotencyClaim>, in tx: DirectoryTransaction) throws {
        try tx.execute(
            """
            DELETE FROM directory_idempotency_keys
            WHERE actor = \(key.actor) AND key = \(key.key) AND claim = \(claim) AND status IS NULL
            """)
    }
}
