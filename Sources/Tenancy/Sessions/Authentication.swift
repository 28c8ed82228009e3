package import HTTPSurface
package import Kernel
internal import Persistence

/// What a request shows of itself.
package struct Presented: Sendable {
    package var bearer: String?
    package var session: String?
    /// From host or path, where the request names one.
    package var tenant: TenantID?
    /// Where the person wants to be where the request names none.
    package var chosen: TenantID?

    package init(bearer: String?, session: String?, tenant: TenantID?, chosen: TenantID? = nil) {
        self.bearer = bearer
        self.session = session
        self.tenant = tenant
        self.chosen = chosen
    }
}

extension Tenancy {
    /// Who makes a request: by its key, else by an operator's access to a tenant, else by its session.
    package func principal(of request: AuthenticationRequest) async throws -> Principal {
        let head = request.head
        if head.bearerToken == nil, let access = head.cookie(ImpersonationCookie.fullName(isSecure: usesTLS)) {
            return try await principal(impersonation: access, of: request)
        }
        return try await principal(
            Presented(bearer: head.bearerToken, session: session(of: head), tenant: request.tenant, chosen: chosenTenant(of: head)))
    }

    /// Turns a key or session into who acts. A tenant named by host or path must agree with the key's; a person must belong to it.
    /// - Throws: `bad_key` for an unknown, revoked or expired key; `not_found` where the tenant does not agree; `tenant_suspended`.
    package func principal(_ presented: Presented) async throws -> Principal {
        if let bearer = presented.bearer { return try await principal(bearer: bearer, tenant: presented.tenant) }
        if let session = presented.session { return try await principal(session: session, tenant: presented.tenant, chosen: presented.chosen) }
        return Principal(actor: .anonymous, tenant: presented.tenant)
    }

    private func principal(bearer: String, tenant named: TenantID?) async throws -> Principal {
        let hash = Secrets.hash(bearer)
        let now = clock.now()
        let (key, tenant) = try await database.readDirectory { tx -> (APIKey?, Tenant?) in
            let key = try APIKeyStore(tx: tx).key(secretHash: hash)
            return (key, try key.flatMap { try TenantStore(tx: tx).tenant($0.tenant) })
        }
        guard let key, let tenant, key.revokedAt == nil, key.expiresAt.map({ $0 > now }) ?? true else {
            throw Refusal(.unauthenticated, "bad_key", "This API key is unknown, revoked or expired.")
        }
        guard named == nil || named == key.tenant else { throw Refusal.missing("resource") }
        try Self.requireActive(tenant)
        let granted = permitted(KeyGrant(role: key.role, scopes: key.scopes))
        return Principal(actor: .apiKey(key.id), tenant: key.tenant, role: key.role, permissions: granted)
    }

    private func principal(session: String, tenant named: TenantID?, chosen: TenantID?) async throws -> Principal {
        let hash = Secrets.hash(session)
        let now = clock.now()
        let found = try await database.readDirectory { tx -> (User, Membership?, Tenant?)? in
            guard let id = try SessionStore(tx: tx).user(tokenHash: hash, now: now), let user = try UserStore(tx: tx).user(id) else { return nil }
            let membership =
                if let named { try MembershipStore(tx: tx).membership(id, in: named) } else { try Self.place(of: id, chosen: chosen, in: tx) }
            return (user, membership, try membership.flatMap { try TenantStore(tx: tx).tenant($0.tenant) })
        }
        guard let (user, membership, tenant) = found else { return Principal(actor: .anonymous, tenant: named) }
        if let membership, let tenant {
            try Self.requireActive(tenant)
            return Principal(
                actor: user.isOperator ? .platformOperator(user.id) : .user(user.id), tenant: membership.tenant, role: membership.role,
                permissions: permissions.permissions(of: membership.role))
        }
        guard named == nil else { throw Refusal.missing("resource") }
        return Principal(actor: user.isOperator ? .platformOperator(user.id) : .user(user.id))
    }

    /// Where a person is who names no tenant: where they chose to be, else where they come in by themselves; at one that is suspended only where
    /// all are.
    private static func place(of user: UserID, chosen: TenantID?, in tx: DirectoryTransaction) throws -> Membership? {
        let all = try MembershipStore(tx: tx).inOrder(of: user)
        let places = all.filter { $0.tenant == chosen } + all.filter { $0.tenant != chosen }
        guard places.count > 1 else { return places.first }
        return try places.first { try TenantStore(tx: tx).tenant($0.tenant)?.status == .active } ?? places.first
    }

    static func requireActive(_ tenant: Tenant) throws {
        guard tenant.status == .active else {
            throw Refusal(.forbidden, "tenant_suspended", "This tenant is suspended; its data is kept. Ask the operator of the platform.")
        }
    }

    package func user(_ id: UserID) async throws -> User? {
        try await database.readDirectory { tx in try UserStore(tx: tx).user(id) }
    }

    package func memberships(of user: UserID) async throws -> [(membership: Membership, tenant: Tenant)] {
        try await database.readDirectory { tx in
            try MembershipStore(tx: tx).memberships(of: user).compactMap { membership in
                try TenantStore(tx: tx).tenant(membership.tenant).map { (membership, $0) }
            }
        }
    }
}

extension Tenancy {
    /// Who is signed in, dressed as the tenant they are in.
    package func visitor(_ principal: Principal) async throws -> Visitor {
        let name = try await displayName(of: principal)
        guard let tenant = principal.tenant else { return Visitor(name: name) }
        var visitor = Visitor(name: name, brand: try await brand(of: tenant))
        if let user = principal.person, principal.impersonation == nil {
            let count = try await database.readDirectory { tx in try MembershipStore(tx: tx).memberships(of: user).count }
            if count > 1 { visitor.choice = TenantChoicePages.address }
        }
        return visitor
    }

    /// How the console's bar names who is signed in, and where: `Acme · ana@example.com`.
    package func displayName(of principal: Principal) async throws -> String {
        let person: String? =
            switch principal.actor {
            case .user(let id), .platformOperator(let id): try await user(id)?.email.text
            case .apiKey, .system, .anonymous: nil
            }
        var place: String?
        if let id = principal.tenant { place = try await known.tenant(id, now: clock.now()) { try await self.tenant(id) }?.name }
        return [place, person].compactMap { $0 }.joined(separator: " · ")
    }
}
