internal import HTTPSurface
package import Kernel
internal import Persistence

/// Who belongs to a tenant, and invitations to join it.
extension Tenancy {
    static let membersMaximum = 1_000

    /// In the order in which they joined, those after `last`.
    package func members(
        of tenant: TenantID, after last: (at: Timestamp, user: UserID)? = nil, limit: Int = membersMaximum
    ) async throws -> [Member] {
        try await database.readDirectory { tx in try MembershipStore(tx: tx).members(of: tenant, after: last, limit: limit) }
    }

    /// Asks for a mail with a link to join. The place is taken when the invitation is accepted; an earlier link for the address works no more.
    package func invite(email: String, role: Role, to tenant: TenantID, by principal: Principal) async throws {
        let email = try EmailAddress(email)
        try mayGrant(role, principal)
        guard let place = try await self.tenant(tenant) else { throw Refusal.missing("tenant") }
        let product = try await brand(of: tenant).name
        let mailed = try await mail(makeLink(.invitation, email: email), arguments: ["tenant": place.name, "product": product])
        try await database.writeDirectory { tx in
            if let user = try UserStore(tx: tx).user(email: email), try MembershipStore(tx: tx).membership(user.id, in: tenant) != nil {
                throw Refusal(.conflict, "already_member", "\(email) belongs to this tenant already.", field: "email")
            }
            let tokens = OneTimeTokenStore(tx: tx)
            try Self.requirePause(before: tokens.invitation(of: email, to: tenant), now: tx.clock.now())
            try tokens.revokeInvitations(of: email, to: tenant)
            let standing = Standing(plan: place.plan, createdAt: place.createdAt, at: tx.clock.now())
            try Self.requirePlace(for: email, in: tenant, standing, tokens, now: tx.clock.now())
            try send(mailed, user: Self.maker(principal, in: tenant, tx), tenant: tenant, role: role, in: tx)
            try tx.tenant(tenant).audit(principal, "invitation.create", "tenant:\(tenant)", ["role": .string(role.rawValue)])
        }
    }

    /// Between two mails to one address about one tenant.
    static let invitationPause: Duration = .seconds(60)

    private static func requirePause(before earlier: Timestamp?, now: Timestamp) throws {
        guard let earlier else { return }
        let wait = earlier - OneTimeToken.Purpose.invitation.lifetime + invitationPause - now
        // What is longer than the pause was sent while the clock was ahead.
        guard wait > .zero, wait <= invitationPause else { return }
        throw Refusal(.rateLimited, "invited_just_now", "They were invited less than a minute ago; the mail is on its way.", retryAfter: wait)
    }

    /// Joins the tenant; a new person gives a name and a password.
    /// - Parameter session: of the browser that follows the link, where it is signed in.
    package func acceptInvitation(
        token: String, name: String?, password: String?, session: String? = nil, from address: String? = nil
    ) async throws -> SignedIn {
        try await requireLink(token, .invitation)
        let own = try await ownAccount(token, .invitation, session: session, password: password, from: address)
        let hash: String? = if own == nil, let password { try await Passwords.hash(password, from: Self.block(of: address)) } else { nil }
        return try await database.writeDirectory { tx in
            let found = try OneTimeTokenStore(tx: tx).take(token, .invitation, now: tx.clock.now())
            guard let found, let tenant = found.tenant, let role = found.role else { throw Self.staleLink }
            let id = try Self.findOrMakeUser(found.email, name: try name.map(Self.checkedName), in: tx)
            guard var user = try UserStore(tx: tx).user(id) else { throw Refusal.missing("person") }
            guard user.emailVerifiedAt != nil || hash != nil || Self.isUnchanged(own, user) else {
                throw Refusal.invalid("password", "required", "Choose a password for the new account.")
            }
            try prove(&user, own: own, in: tx)
            if user.passwordHash == nil, let hash {
                user.passwordHash = hash
                try OneTimeTokenStore(tx: tx).removeEntries(to: user.email)
            }
            try UserStore(tx: tx).update(user)
            let scoped = try tx.tenant(tenant)
            if try MembershipStore(tx: tx).membership(id, in: tenant) == nil {
                try scoped.reserve(.users)
                try MembershipStore(tx: tx).insert(Membership(tenant: tenant, user: id, role: role, createdAt: tx.clock.now()))
                try scoped.audit(Principal(actor: .user(id), tenant: tenant), "member.join", "user:\(id)", ["role": .string(role.rawValue)])
            }
            var signedIn = try Self.openSession(for: user, in: tx)
            signedIn.joined = tenant
            return signedIn
        }
    }

    package func setRole(_ role: Role, of user: UserID, in tenant: TenantID, by principal: Principal) async throws {
        try mayGrant(role, principal)
        try await database.writeDirectory { tx in
            let store = MembershipStore(tx: tx)
            guard let now = try store.membership(user, in: tenant) else { throw Refusal.missing("member") }
            try mayGrant(now.role, principal)
            if now.role == .owner, role != .owner, try store.owners(of: tenant) == 1 { throw Self.lastOwner }
            _ = try store.setRole(role, of: user, in: tenant)
            let scoped = try tx.tenant(tenant)
            try scoped.audit(principal, "member.set_role", "user:\(user)", ["from": .string(now.role.rawValue), "to": .string(role.rawValue)])
            try revokeKeys(madeBy: user, beyond: role, in: scoped, by: principal)
            try Self.revokeInvitations(sentBy: user, as: roles(beyond: role), in: scoped, by: principal)
        }
    }

    package func removeMember(_ user: UserID, from tenant: TenantID, by principal: Principal) async throws {
        try await database.writeDirectory { tx in
            let store = MembershipStore(tx: tx)
            guard let now = try store.membership(user, in: tenant) else { throw Refusal.missing("member") }
            try mayGrant(now.role, principal)
            if now.role == .owner, try store.owners(of: tenant) == 1 { throw Self.lastOwner }
            _ = try store.remove(user, from: tenant)
            let scoped = try tx.tenant(tenant)
            try scoped.release(.users)
            try scoped.audit(principal, "member.remove", "user:\(user)")
            try revokeKeys(madeBy: user, beyond: nil, in: scoped, by: principal)
            try Self.revokeInvitations(sentBy: user, as: Role.allCases, in: scoped, by: principal)
        }
    }

    static let lastOwner = Refusal(.conflict, "last_owner", "A tenant needs an owner; make somebody else owner first.")

    /// Only an owner makes owners. A key with less than all that owners, or administrators, may do makes none of them: they could do the rest for it.
    func mayGrant(_ role: Role, _ principal: Principal) throws {
        guard principal.actor != .system else { return }
        guard role != .owner || principal.role == .owner else {
            throw Refusal(.forbidden, "owner_only", "Only an owner may make or change an owner.")
        }
        guard role == .owner || role == .admin, !permissions.permissions(of: role).isSubset(of: principal.permissions) else { return }
        throw Refusal(.forbidden, "key_too_narrow", "This has fewer permissions than the role \(role.rawValue); it cannot make or change one.")
    }
}
