package import Kernel
internal import Persistence

/// A person's part in a tenant.
package struct Membership: Sendable, Hashable {
    package var tenant: TenantID
    package var user: UserID
    package var role: Role
    package var createdAt: Timestamp
    /// Made by somebody who never proved the person's address, before its owner took the account over: such a tenant may be anybody's.
    package var isDoubted = false
}

/// A member as a list shows one.
package struct Member: Sendable, Hashable {
    package var user: UserID
    package var email: String
    package var name: String
    package var role: Role
    package var createdAt: Timestamp
}

extension Role: SQLBindable {}
extension Role: SQLReadable {}

struct MembershipStore {
    let tx: DirectoryTransaction

    static let tableAtFirst = Table(
        "memberships", .directory, primaryKey: ["tenant_id", "user_id"],
        columns: [Column("tenant_id", .uuid), Column("user_id", .uuid), Column("role", .text), Column("created_at", .timestamp)],
        indexes: [Index("memberships_user", on: ["user_id"])],
        foreignKeys: [
            ForeignKey(["tenant_id"], references: "tenants", ["id"]), ForeignKey(["user_id"], references: "users", ["id"])
        ],
        checks: [.oneOf(column: "role", values: Role.allCases.map(\.rawValue))])

    static let isDoubted = Column("is_doubted", .boolean, default: .boolean(false))

    static let table: Table = {
        var table = tableAtFirst
        table.columns.append(isDoubted)
        return table
    }()

    func insert(_ membership: Membership) throws {
        try tx.execute(
            """
            INSERT INTO memberships (tenant_id, user_id, role, created_at, is_doubted)
            VALUES (\(membership.tenant), \(membership.user), \(membership.role), \(membership.createdAt), \(membership.isDoubted))
            """)
    }

    func membership(_ user: UserID, in tenant: TenantID) throws -> Membership? {
        try tx.first(
            "SELECT tenant_id, user_id, role, created_at, is_doubted FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user)", Self.read)
    }

    /// The oldest first.
    func memberships(of user: UserID) throws -> [Membership] {
        try tx.all(
            "SELECT tenant_id, user_id, role, created_at, is_doubted FROM memberships WHERE user_id = \(user) ORDER BY created_at, tenant_id",
            Self.read)
    }

    /// Where a person comes in who names no tenant: the oldest first, those that are doubted last.
    func inOrder(of user: UserID) throws -> [Membership] {
        let all = try memberships(of: user)
        return all.filter { !$0.isDoubted } + all.filter(\.isDoubted)
    }

    /// All that the person has so far.
    func doubtAll(of user: UserID) throws {
        try tx.execute("UPDATE memberships SET is_doubted = \(true) WHERE user_id = \(user)")
    }

    /// In the order in which they joined, those after `last`.
    func members(of tenant: TenantID, after last: (at: Timestamp, user: UserID)?, limit: Int) throws -> [Member] {
        let (at, user) = last ?? (Timestamp(microseconds: 0), UserID(high: 0, low: 0))
        return try tx.all(
            """
            SELECT u.id, u.email, u.name, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) AND (m.created_at > \(at) OR (m.created_at = \(at) AND u.id > \(user))) ORDER BY m.created_at, u.id LIMIT \(limit)
            """
        ) {
            Member(
                user: try $0.column(0), email: try $0.column(1), name: try $0.column(2), role: try $0.column(3), createdAt: try $0.column(4))
        }
    }

    func owners(of tenant: TenantID) throws -> Int {
        try tx.first("SELECT count(*) FROM memberships WHERE tenant_id = \(tenant) AND role = \(Role.owner)") { try $0.column(0) } ?? 0
    }

    func setRole(_ role: Role, of user: UserID, in tenant: TenantID) throws -> Bool {
        try tx.execute("UPDATE memberships SET role = \(role) WHERE tenant_id = \(tenant) AND user_id = \(user)") == 1
    }

    func remove(_ user: UserID, from tenant: TenantID) throws -> Bool {
        try tx.execute("DELETE FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user)") == 1
    }

    /// - Returns: how many.
    func removeAll(from tenant: TenantID, but user: UserID) throws -> Int {
        try tx.execute("DELETE FROM memberships WHERE tenant_id = \(tenant) AND user_id <> \(user)")
    }

    private static func read(_ row: Row) throws -> Membership {
        Membership(
            tenant: try row.column(0), user: try row.column(1), role: try row.column(2), createdAt: try row.column(3),
            isDoubted: try row.column(4))
    }
}
