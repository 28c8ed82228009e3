package import Kernel
internal import Persistence

/// A signed-in browser.
package struct SignedIn: Sendable, Hashable {
    package var user: User
    /// Shown once; the cookie's value.
    package var token: String
    package var expiresAt: Timestamp
    /// The tenant just joined; nil for one who was here before.
    package var joined: TenantID?
}

struct SessionStore {
    let tx: DirectoryTransaction

    /// From sign-in; not prolonged by use.
    static let lifetime: Duration = .seconds(14 * 86_400)

    static let table = Table(
        "sessions", .directory, primaryKey: ["token_hash"],
        columns: [Column("token_hash", .blob), Column("user_id", .uuid), Column("created_at", .timestamp), Column("expires_at", .timestamp)],
        indexes: [Index("sessions_user", on: ["user_id"]), Index("sessions_expiry", on: ["expires_at"])],
        foreignKeys: [ForeignKey(["user_id"], references: "users", ["id"], onDelete: .cascade)])

    func insert(tokenHash: [UInt8], user: UserID, now: Timestamp) throws -> Timestamp {
        let expiry = now + Self.lifetime
        try tx.execute("INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (\(tokenHash), \(user), \(now), \(expiry))")
        return expiry
    }

    func user(tokenHash: [UInt8], now: Timestamp) throws -> UserID? {
        try tx.first("SELECT user_id FROM sessions WHERE token_hash = \(tokenHash) AND expires_at > \(now)") { try $0.column(0) }
    }

    func remove(tokenHash: [UInt8]) throws { try tx.execute("DELETE FROM sessions WHERE token_hash = \(tokenHash)") }
    func removeAll(of user: UserID) throws { try tx.execute("DELETE FROM sessions WHERE user_id = \(user)") }
    func removeExpired(now: Timestamp) throws { try tx.execute("DELETE FROM sessions WHERE expires_at <= \(now)") }
}
