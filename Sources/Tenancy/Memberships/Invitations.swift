package import Kernel
internal import Persistence

/// An invitation that can still be accepted.
package struct Invitation: Sendable, Hashable {
    package var email: String
    package var role: Role
    package var expiresAt: Timestamp
}

/// Tenants that share the places of invitations to one address. Anybody can make many tenants within an hour, but not many that are old, or that pay:
/// strangers take places from each other.
enum Standing: Hashable {
    case new, old, paying

    static let newFor: Duration = .seconds(30 * 86_400)

    init(plan: PlanName, createdAt: Timestamp, at now: Timestamp) {
        self = plan != .starter ? .paying : createdAt + Self.newFor > now ? .new : .old
    }

    /// Invitations to one address that are open at a time, or were before they were revoked: each was a mail to somebody who may not have asked for
    /// any.
    var places: Int {
        switch self {
        case .new, .old: 10
        case .paying: 20
        }
    }

    /// Invitations of one tenant, to all addresses, of which the same holds: mails in the platform's name go to whomever it names.
    var invitations: Int {
        switch self {
        case .new: 50
        case .old: 200
        case .paying: 1_000
        }
    }

    /// The same of one tenant to one address.
    static let invitationsToOne = 5
}

extension Principal {
    /// Who is behind what is done, where that is a person.
    var person: UserID? {
        switch actor {
        case .user(let id), .platformOperator(let id): id
        case .anonymous, .apiKey, .system: nil
        }
    }
}

extension Tenancy {
    /// Those that can still be accepted, the newest first.
    package func invitations(to tenant: TenantID) async throws -> [Invitation] {
        let now = clock.now()
        return try await database.readDirectory { tx in
            try OneTimeTokenStore(tx: tx).invitations(to: tenant, now: now, limit: Self.membersMaximum)
        }
    }

    /// The link that was mailed works no more.
    package func revokeInvitation(of email: String, to tenant: TenantID, by principal: Principal) async throws {
        let email = EmailAddress(stored: email.lowercased())
        try await database.writeDirectory { tx in
            let store = OneTimeTokenStore(tx: tx)
            let isOpen = try store.invitations(to: tenant, now: tx.clock.now(), limit: Self.membersMaximum).contains { $0.email == email.text }
            guard isOpen else { throw Refusal.missing("invitation") }
            try store.revokeInvitations(of: email, to: tenant)
            try tx.tenant(tenant).audit(principal, "invitation.revoke", "tenant:\(tenant)")
        }
    }
}

extension Tenancy {
    /// - Throws: `too_many_invitations`
    static func requirePlace(
        for email: EmailAddress, in tenant: TenantID, _ standing: Standing, _ tokens: OneTimeTokenStore, now: Timestamp
    ) throws {
        func refusal(_ words: String) -> Refusal { Refusal(.rateLimited, "too_many_invitations", words, retryAfter: .seconds(86_400)) }
        guard try tokens.invitationsSent(by: tenant, to: email, now: now) < Standing.invitationsToOne else {
            throw refusal("\(email) was invited \(Standing.invitationsToOne) times within a week; ask them whether the mails arrive.")
        }
        guard try tokens.invitationsSent(by: tenant, to: nil, now: now) < standing.invitations else {
            throw refusal("No more than \(standing.invitations) people can be invited within a week; go on when some have accepted.")
        }
        guard try tokens.standings(ofInvitationsOf: email, besides: tenant, now: now).count(where: { $0 == standing }) < standing.places else {
            throw refusal("\(email) has too many invitations that are open; ask them to answer those first.")
        }
    }

    /// The roles that nobody of this role gives to anybody.
    func roles(beyond role: Role) -> [Role] {
        if role == .owner { return [] }
        return permissions.permissions(of: role).contains("members.write") ? [.owner] : Role.allCases
    }

    /// Who may invite no more does not come back, or bring others in, by what they sent before.
    static func revokeInvitations(sentBy user: UserID, as roles: [Role], in tx: TenantTransaction, by principal: Principal) throws {
        guard !roles.isEmpty else { return }
        let count = try OneTimeTokenStore(tx: tx.directory).revokeInvitations(sentBy: user, to: tx.tenant.id, as: roles)
        guard count > 0 else { return }
        try tx.audit(principal, "invitation.revoke", "user:\(user)", ["count": .number(Double(count))])
    }
}

extension OneTimeTokenStore {
    func invitations(to tenant: TenantID, now: Timestamp, limit: Int) throws -> [Invitation] {
        try tx.all(
            """
            SELECT email, role, expires_at FROM one_time_tokens
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND expires_at > \(now) AND role IS NOT NULL
            ORDER BY expires_at DESC, email LIMIT \(limit)
            """
        ) { Invitation(email: try $0.column(0), role: try $0.column(1), expiresAt: try $0.column(2)) }
    }

    /// Of the others who sent invitations to an address that are open, or were before they were revoked: what each was when it sent the last one.
    /// Tenants that are suspended do not count.
    func standings(ofInvitationsOf email: EmailAddress, besides tenant: TenantID, now: Timestamp) throws -> [Standing] {
        try tx.all(
            """
            SELECT t.plan, t.created_at, max(o.expires_at) FROM one_time_tokens o JOIN tenants t ON t.id = o.tenant_id
            WHERE o.email = \(email.text) AND o.purpose = \(OneTimeToken.Purpose.invitation) AND o.expires_at > \(now)
                AND o.tenant_id <> \(tenant) AND t.status = \(Tenant.Status.active)
            GROUP BY t.id, t.plan, t.created_at
            """
        ) { row in
            let expiresAt: Timestamp = try row.column(2)
            return Standing(
                plan: try row.column(0), createdAt: try row.column(1), at: expiresAt - OneTimeToken.Purpose.invitation.lifetime)
        }
    }

    /// Until when the one that was sent last works, or would if it was not revoked.
    func invitation(of email: EmailAddress, to tenant: TenantID) throws -> Timestamp? {
        try tx.first(
            """
            SELECT expires_at FROM one_time_tokens
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND email = \(email.text)
            ORDER BY expires_at DESC LIMIT 1
            """
        ) { try $0.column(0) }
    }

    /// They stay without a role until their time is over: the mails were sent, and count among those that the address gets.
    func revokeInvitations(of email: EmailAddress, to tenant: TenantID) throws {
        try tx.execute(
            """
            UPDATE one_time_tokens SET role = NULL
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND email = \(email.text)
            """)
    }

    /// All that are open; they stay in the same way.
    /// - Returns: how many.
    func revokeInvitations(to tenant: TenantID) throws -> Int {
        try tx.execute(
            """
            UPDATE one_time_tokens SET role = NULL
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND role IS NOT NULL
            """)
    }

    /// Those that a person sent for some roles.
    /// - Returns: how many.
    func revokeInvitations(sentBy user: UserID, to tenant: TenantID, as roles: [Role]) throws -> Int {
        try tx.execute(
            """
            UPDATE one_time_tokens SET role = NULL
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND user_id = \(user) AND role IN \(list: roles)
            """)
    }

    /// How many of a tenant's invitations are open or would be, had they not been revoked or replaced.
    /// - Parameter email: nil for all addresses.
    func invitationsSent(by tenant: TenantID, to email: EmailAddress?, now: Timestamp) throws -> Int {
        let purpose = OneTimeToken.Purpose.invitation
        let count: Int? =
            if let email {
                try tx.first(
                    """
                    SELECT count(*) FROM one_time_tokens
                    WHERE tenant_id = \(tenant) AND purpose = \(purpose) AND email = \(email.text) AND expires_at > \(now)
                    """
                ) { try $0.column(0) }
            } else {
                try tx.first(
                    "SELECT count(*) FROM one_time_tokens WHERE tenant_id = \(tenant) AND purpose = \(purpose) AND expires_at > \(now)"
                ) { try $0.column(0) }
            }
        return count ?? 0
    }
}
