internal import HTTPSurface
internal import Kernel
internal import Persistence

/// The cookie of an operator at the platform's own pages; no page of a tenant is sent it.
package enum OperatorCookie {
    package static let name = "aias_operator"
    static let path = "/operator"

    /// With a path of its own, so not `__Host-`.
    static func fullName(isSecure: Bool) -> String { isSecure ? "__Secure-\(name)" : name }

    static func set(_ token: String, isSecure: Bool) -> String {
        let lifetime = OperatorSessionStore.lifetime.components.seconds
        return "\(fullName(isSecure: isSecure))=\(token); Path=\(path); HttpOnly; SameSite=Strict; Max-Age=\(lifetime)\(isSecure ? "; Secure" : "")"
    }

    static func clear(isSecure: Bool) -> String {
        "\(fullName(isSecure: isSecure))=; Path=\(path); HttpOnly; SameSite=Strict; Max-Age=0\(isSecure ? "; Secure" : "")"
    }
}

/// Operators signed in at the platform's own door.
struct OperatorSessionStore {
    let tx: DirectoryTransaction

    /// From sign-in; not prolonged by use.
    static let lifetime: Duration = .seconds(2 * 3_600)

    static let table = Table(
        "operator_sessions", .directory, primaryKey: ["token_hash"],
        columns: [Column("token_hash", .blob), Column("user_id", .uuid), Column("created_at", .timestamp), Column("expires_at", .timestamp)],
        indexes: [Index("operator_sessions_user", on: ["user_id"]), Index("operator_sessions_expiry", on: ["expires_at"])],
        foreignKeys: [ForeignKey(["user_id"], references: "users", ["id"], onDelete: .cascade)])

    func insert(tokenHash: [UInt8], user: UserID, now: Timestamp) throws {
        try tx.execute(
            """
            INSERT INTO operator_sessions (token_hash, user_id, created_at, expires_at)
            VALUES (\(tokenHash), \(user), \(now), \(now + Self.lifetime))
            """)
    }

    func user(tokenHash: [UInt8], now: Timestamp) throws -> UserID? {
        try tx.first("SELECT user_id FROM operator_sessions WHERE token_hash = \(tokenHash) AND expires_at > \(now)") { try $0.column(0) }
    }

    func remove(tokenHash: [UInt8]) throws { try tx.execute("DELETE FROM operator_sessions WHERE token_hash = \(tokenHash)") }
    func removeAll(of user: UserID) throws { try tx.execute("DELETE FROM operator_sessions WHERE user_id = \(user)") }
    func removeExpired(now: Timestamp) throws { try tx.execute("DELETE FROM operator_sessions WHERE expires_at <= \(now)") }
}
