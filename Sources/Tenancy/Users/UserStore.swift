internal import Kernel
internal import Persistence

struct UserStore {
    let tx: DirectoryTransaction

    static let table = Table(
        "users", .directory, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("email", .text), Column("name", .text), Column("password_hash", .text, optional: true),
            Column("email_verified_at", .timestamp, optional: true), Column("failed_attempts", .integer),
            Column("locked_until", .timestamp, optional: true), Column("is_operator", .boolean), Column("created_at", .timestamp)
        ],
        indexes: [Index("users_email", on: ["email"], unique: true)])

    func insert(_ user: User) throws {
        try tx.execute(
            """
            INSERT INTO users (id, email, name, password_hash, email_verified_at, failed_attempts, locked_until, is_operator, created_at)
            VALUES (\(user.id), \(user.email.text), \(user.name), \(user.passwordHash), \(user.emailVerifiedAt), \(user.failedAttempts),
                \(user.lockedUntil), \(user.isOperator), \(user.createdAt))
            """)
    }

    func user(_ id: UserID) throws -> User? {
        try tx.first(
            """
            SELECT id, email, name, password_hash, email_verified_at, failed_attempts, locked_until, is_operator, created_at
            FROM users WHERE id = \(id)
            """, Self.read)
    }

    func user(email: EmailAddress) throws -> User? {
        try tx.first(
            """
            SELECT id, email, name, password_hash, email_verified_at, failed_attempts, locked_until, is_operator, created_at
            FROM users WHERE email = \(email.text)
            """, Self.read)
    }

    func operators(limit: Int) throws -> [User] {
        try tx.all(
            """
            SELECT id, email, name, password_hash, email_verified_at, failed_attempts, locked_until, is_operator, created_at
            FROM users WHERE is_operator = \(true) ORDER BY email LIMIT \(limit)
            """, Self.read)
    }

    func update(_ user: User) throws {
        try tx.execute(
            """
            UPDATE users SET name = \(user.name), password_hash = \(user.passwordHash), email_verified_at = \(user.emailVerifiedAt),
                failed_attempts = \(user.failedAttempts), locked_until = \(user.lockedUntil), is_operator = \(user.isOperator)
            WHERE id = \(user.id)
            """)
    }

    private static func read(_ row: Row) throws -> User {
        User(
            id: try row.column(0), email: EmailAddress(stored: try row.column(1)), name: try row.column(2), passwordHash: try row.column(3),
            emailVerifiedAt: try row.column(4), failedAttempts: try row.column(5), lockedUntil: try row.column(6),
            isOperator: try row.column(7), createdAt: try row.column(8))
    }
}
