package import Kernel
package import Persistence
internal import Synchronization

/// What other modules close where an account is taken over from a stranger: each the ways into a tenant that it keeps.
package final class StrangersDoors: Sendable {
    /// - Returns: how many it closed.
    package typealias Close = @Sendable (TenantTransaction, Principal) throws -> Int
    private let closing = Mutex<[(what: String, close: Close)]>([])

    /// - Parameters:
    ///   - what: names in `AccountTakenOver` what is closed.
    ///   - close: called in the transaction of the take-over, for each tenant that the stranger owned.
    package func add(_ what: String, _ close: @escaping Close) { closing.withLock { $0.append((what, close)) } }

    /// - Returns: how many of what were closed.
    func close(_ tx: TenantTransaction, by principal: Principal) throws -> [String: Int] {
        var closed: [String: Int] = [:]
        for (what, close) in closing.withLock({ $0 }) { closed[what, default: 0] += try close(tx, principal) }
        return closed
    }
}

/// `account.taken_over`, payload `{owner, closed}`: how many keys, invitations, members and whatever other modules keep were closed. Whoever made the
/// tenant and proved the address only now cannot be told from a stranger's victim, so that they are told what to make again.
package struct AccountTakenOver: Event {
    package static let name = "account.taken_over"
    package static let version = 1
    let tenant: TenantID
    let owner: UserID
    let closed: [String: Int]

    package var subject: String { "tenant:\(tenant)" }
    package var payload: JSON {
        let counts: [(String, JSON)] = closed.sorted { $0.key < $1.key }.map { ($0.key, JSON.number(Double($0.value))) }
        return ["owner": .string(owner.description), "closed": .object(JSONObject(counts))]
    }
}

/// Somebody may sign up with an address that is not theirs, before its owner does.
extension Tenancy {
    /// The address is proven by whoever acts now, or an operator vouches for it. What somebody set who never proved it, a password or a session, ends
    /// with that: it may have been anybody.
    func takeFromStranger(_ user: inout User, in tx: DirectoryTransaction) throws {
        guard user.emailVerifiedAt == nil else { return }
        try doubtTenants(of: user, in: tx)
        user.passwordHash = nil
        user.failedAttempts = 0
        user.lockedUntil = nil
        try SessionStore(tx: tx).removeAll(of: user.id)
    }

    /// Whoever signed up with an address that they did not prove made a tenant with it. It stays, since it may be the person's own, but is not where
    /// they come in when they have another one; and nobody else comes in there any more by what its maker left.
    func doubtTenants(of user: User, in tx: DirectoryTransaction) throws {
        guard user.emailVerifiedAt == nil, user.passwordHash != nil else { return }
        let store = MembershipStore(tx: tx)
        try store.doubtAll(of: user.id)
        let now = tx.clock.now()
        for membership in try store.memberships(of: user.id) where membership.role == .owner {
            // Who has worked in a tenant for a month, or pays for it, made it for themselves, though they never opened the mail.
            let tenant = try TenantStore(tx: tx).tenant(membership.tenant)
            guard let tenant, Standing(plan: tenant.plan, createdAt: tenant.createdAt, at: now) == .new else { continue }
            try closeDoors(of: membership.tenant, butFor: user.id, in: tx)
        }
    }

    /// Each at once, however many the stranger made; the owner is told, since the stranger may have been nobody.
    private func closeDoors(of tenant: TenantID, butFor owner: UserID, in tx: DirectoryTransaction) throws {
        let scoped = try tx.tenant(tenant)
        let principal: Principal = .system(in: tenant)
        var closed: [String: Int] = [:]
        func note(_ action: String, _ what: String, _ count: Int) throws {
            guard count > 0 else { return }
            closed[what] = count
            try scoped.audit(principal, action, "tenant:\(tenant)", ["count": .number(Double(count)), "reason": "account_taken_over"])
        }
        try note("api_key.revoke", "keys", try APIKeyStore(tx: tx).revokeAll(of: tenant, at: tx.clock.now()))
        try note("invitation.revoke", "invitations", try OneTimeTokenStore(tx: tx).revokeInvitations(to: tenant))
        let members = try MembershipStore(tx: tx).removeAll(from: tenant, but: owner)
        if members > 0 { try scoped.release(.users, members) }
        try note("member.remove", "members", members)
        closed.merge(try strangersDoors.close(scoped, by: principal)) { first, second in first + second }
        guard closed.values.contains(where: { $0 > 0 }) else { return }
        try scoped.emit(AccountTakenOver(tenant: tenant, owner: owner, closed: closed))
    }

    /// By a link that reached the address.
    /// - Parameter own: what `ownAccount` found.
    func prove(_ user: inout User, own: User?, in tx: DirectoryTransaction) throws {
        if !Self.isUnchanged(own, user) { try takeFromStranger(&user, in: tx) }
        user.emailVerifiedAt = user.emailVerifiedAt ?? tx.clock.now()
    }

    /// The account whose address a link would prove, where whoever follows it also shows its session or its password: they made it themselves, and
    /// nothing in it is a stranger's.
    func ownAccount(
        _ token: String, _ purpose: OneTimeToken.Purpose, session: String?, password: String? = nil, from address: String? = nil
    ) async throws -> User? {
        let now = clock.now()
        let (account, visitor) = try await database.readDirectory { tx -> (User?, UserID?) in
            let link = try OneTimeTokenStore(tx: tx).find(token, purpose, now: now)
            let account = try link.flatMap { try UserStore(tx: tx).user(email: $0.email) }
            let visitor = try session.flatMap { try SessionStore(tx: tx).user(tokenHash: Secrets.hash($0), now: now) }
            return (account, visitor)
        }
        guard let account, account.emailVerifiedAt == nil, account.passwordHash != nil else { return nil }
        if visitor == account.id { return account }
        let place = Self.block(of: address)
        guard let password, try await Passwords.matches(password, encoded: account.passwordHash, from: place) else { return nil }
        return account
    }

    /// What was shown of an account that has another password meanwhile is worth nothing.
    static func isUnchanged(_ own: User?, _ user: User) -> Bool {
        guard let own else { return false }
        return own.id == user.id && own.passwordHash == user.passwordHash
    }
}
