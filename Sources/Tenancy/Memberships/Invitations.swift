package import Kernel
internal import Persistence

/// An invitation that can still be accepted.
package struct Invitation: Sendable, Hashable {
    package var email: String
    package var role: Role
    package var expiresAt: Timestamp
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
            try store.removeInvitations(of: email, to: tenant)
            try tx.tenant(tenant).audit(principal, "invitation.revoke", "tenant:\(tenant)")
        }
    }
}

extension OneTimeTokenStore {
    func invitations(to tenant: TenantID, now: Timestamp, limit: Int) throws -> [Invitation] {
        try tx.all(
            """
            SELECT email, role, expires_at FROM one_time_tokens
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND expires_at > \(now)
            ORDER BY expires_at DESC, email LIMIT \(limit)
            """
        ) { Invitation(email: try $0.column(0), role: try $0.column(1), expiresAt: try $0.column(2)) }
    }

    /// Until when the one that is open works.
    func invitation(of email: EmailAddress, to tenant: TenantID) throws -> Timestamp? {
        try tx.first(
            """
            SELECT expires_at FROM one_time_tokens
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND email = \(email.text)
            ORDER BY expires_at DESC LIMIT 1
            """
        ) { try $0.column(0) }
    }

    func removeInvitations(of email: EmailAddress, to tenant: TenantID) throws {
        try tx.execute(
            """
            DELETE FROM one_time_tokens
            WHERE tenant_id = \(tenant) AND purpose = \(OneTimeToken.Purpose.invitation) AND email = \(email.text)
            """)
    }
}
