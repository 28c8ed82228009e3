internal import Kernel
internal import Persistence

/// A link sent by mail, or printed for an operator: works once, within its time.
struct OneTimeToken {
    enum Purpose: String, Sendable, CaseIterable, SQLBindable, SQLReadable {
        case signIn = "sign_in"
        case operatorSignIn = "operator_sign_in"
        case verifyEmail = "verify_email"
        case resetPassword = "reset_password"
        case invitation

        var lifetime: Duration {
            switch self {
            case .signIn, .operatorSignIn: .seconds(15 * 60)
            case .resetPassword: .seconds(3_600)
            case .verifyEmail: .seconds(3 * 86_400)
            case .invitation: .seconds(7 * 86_400)
            }
        }
    }

    var hash: [UInt8]
    var purpose: Purpose
    var email: EmailAddress
    /// Whose account it leads to; of an invitation the person who sent it, also with a key.
    var user: UserID?
    var tenant: TenantID?
    var role: Role?
    var expiresAt: Timestamp
}

struct OneTimeTokenStore {
    let tx: DirectoryTransaction

    static let tableAtFirst = Table(
        "one_time_tokens", .directory, primaryKey: ["token_hash"],
        columns: [
            Column("token_hash", .blob), Column("purpose", .text), Column("email", .text), Column("user_id", .uuid, optional: true),
            Column("tenant_id", .uuid, optional: true), Column("role", .text, optional: true), Column("expires_at", .timestamp)
        ],
        indexes: [Index("one_time_tokens_tenant", on: ["tenant_id", "purpose"]), Index("one_time_tokens_expiry", on: ["expires_at"])])

    static let byEmail = Index("one_time_tokens_email", on: ["email", "purpose"])

    static let table: Table = {
        var table = tableAtFirst
        table.indexes.append(byEmail)
        return table
    }()

    func insert(_ token: OneTimeToken) throws {
        try tx.execute(
            """
            INSERT INTO one_time_tokens (token_hash, purpose, email, user_id, tenant_id, role, expires_at)
            VALUES (\(token.hash), \(token.purpose), \(token.email.text), \(token.user), \(token.tenant), \(token.role), \(token.expiresAt))
            """)
    }

    /// Takes the token: of two who present it at once, one gets it.
    func take(_ secret: String, _ purpose: OneTimeToken.Purpose, now: Timestamp) throws -> OneTimeToken? {
        guard let found = try find(secret, purpose, now: now) else { return nil }
        return try tx.execute("DELETE FROM one_time_tokens WHERE token_hash = \(found.hash)") == 1 ? found : nil
    }

    /// Looks at a token without using it.
    func find(_ secret: String, _ purpose: OneTimeToken.Purpose, now: Timestamp) throws -> OneTimeToken? {
        let hash = Secrets.hash(secret)
        return try tx.first(
            """
            SELECT email, user_id, tenant_id, role, expires_at FROM one_time_tokens
            WHERE token_hash = \(hash) AND purpose = \(purpose) AND expires_at > \(now)
            """
        ) {
            OneTimeToken(
                hash: hash, purpose: purpose, email: EmailAddress(stored: try $0.column(0)), user: try $0.column(1), tenant: try $0.column(2),
                role: try $0.column(3), expiresAt: try $0.column(4))
        }
    }

    /// How many of an address still work.
    func count(_ purpose: OneTimeToken.Purpose, of email: EmailAddress, now: Timestamp) throws -> Int {
        try tx.first(
            "SELECT count(*) FROM one_time_tokens WHERE email = \(email.text) AND purpose = \(purpose) AND expires_at > \(now)"
        ) { try $0.column(0) } ?? 0
    }

    /// Links that would open an account whose password was just chosen by whoever reads the address's mail.
    func removeEntries(to email: EmailAddress) throws {
        try tx.execute(
            """
            DELETE FROM one_time_tokens
            WHERE email = \(email.text) AND purpose IN (\(OneTimeToken.Purpose.resetPassword), \(OneTimeToken.Purpose.signIn))
            """)
    }

    func removeExpired(now: Timestamp) throws { try tx.execute("DELETE FROM one_time_tokens WHERE expires_at <= \(now)") }
}
