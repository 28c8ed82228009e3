package import Kernel
internal import Persistence

extension Tenancy {
    static let keyPrefix = "aias_"
    /// Keys of a tenant that are neither revoked nor expired.
    static let keysMaximum = 100

    /// - Returns: the key and its secret, which is shown this once.
    /// - Throws: `too_many_keys`, and what the values refuse.
    package func createKey(
        name: String, scopes: [String], expiresAt: Timestamp?, in tenant: TenantID, by principal: Principal
    ) async throws -> (key: APIKey, secret: String) {
        let name = try Self.checkedName(name)
        let known = Set(permissions.all.map(\.name))
        for scope in scopes {
            guard known.contains(scope) else {
                throw Refusal.invalid("scopes", "unknown_scope", "There is no permission \(scope).")
            }
            try principal.require(Permission(scope))
        }
        if let expiresAt, expiresAt <= clock.now() {
            throw Refusal.invalid("expires_at", "in_the_past", "The key would have expired already.")
        }
        return try await database.writeDirectory { tx in
            guard try APIKeyStore(tx: tx).count(of: tenant, goodAt: tx.clock.now()) < Self.keysMaximum else { throw Self.tooManyKeys }
            let role = principal.role ?? .owner
            let end = try Self.expiry(expiresAt, in: tenant, by: principal, in: tx)
            // A key made by a scoped key can do no more than that one.
            let granted = scopes.isEmpty && isNarrowed(principal) ? principal.permissions.map(\.name).sorted() : scopes
            let maker = try Self.maker(principal, in: tenant, tx)
            let made = try Self.insertKey(name: name, role: role, scopes: granted, expiresAt: end, madeBy: maker, tenant: tenant, in: tx)
            try tx.tenant(tenant).audit(principal, "api_key.create", "key:\(made.key.id)")
            return made
        }
    }

    static let tooManyKeys = Refusal(
        .limitReached, "too_many_keys",
        "A tenant has at most \(Tenancy.keysMaximum) API keys at a time; revoke one that is no longer used, then make this one.")

    /// A key that is made with another one does not outlive it.
    private static func expiry(
        _ wanted: Timestamp?, in tenant: TenantID, by principal: Principal, in tx: DirectoryTransaction
    ) throws -> Timestamp? {
        guard case .apiKey(let id) = principal.actor, let end = try APIKeyStore(tx: tx).key(id, of: tenant)?.expiresAt else { return wanted }
        if let wanted, wanted > end {
            throw Refusal.invalid("expires_at", "outlives_key", "A key that is made with another one ends with it at the latest: \(end).")
        }
        return wanted ?? end
    }

    /// The person behind what is done: with a key, who made that.
    static func maker(_ principal: Principal, in tenant: TenantID, _ tx: DirectoryTransaction) throws -> UserID? {
        guard case .apiKey(let id) = principal.actor else { return principal.person }
        return try APIKeyStore(tx: tx).key(id, of: tenant)?.madeBy
    }

    /// What a key may do.
    func permitted(_ grant: KeyGrant) -> Set<Permission> {
        let ofRole = permissions.permissions(of: grant.role)
        return grant.scopes.isEmpty ? ofRole : ofRole.intersection(grant.scopes.map { Permission($0) })
    }

    /// Ends the keys that a person made and that may do what the person may no longer.
    /// - Parameter role: what they are from now on; nil for who belongs to the tenant no more, with whom all their keys end.
    func revokeKeys(madeBy user: UserID, beyond role: Role?, in tx: TenantTransaction, by principal: Principal) throws {
        let store = APIKeyStore(tx: tx.directory)
        var count = 0
        for grant in try store.grants(madeBy: user, of: tx.tenant.id) where !isWithin(role, grant) {
            count += try store.revokeAll(grant, madeBy: user, of: tx.tenant.id, at: tx.clock.now())
        }
        guard count > 0 else { return }
        try tx.audit(principal, "api_key.revoke", "user:\(user)", ["count": .number(Double(count))])
    }

    /// A key of an owner makes owners where it may change members.
    private func isWithin(_ role: Role?, _ grant: KeyGrant) -> Bool {
        guard let role else { return false }
        let granted = permitted(grant)
        let makesOwners = grant.role == .owner && granted.contains("members.write")
        return granted.isSubset(of: permissions.permissions(of: role)) && (!makesOwners || role == .owner)
    }

    package func keys(of tenant: TenantID, before cursor: APIKeyID?, limit: Int) async throws -> [APIKey] {
        try await database.readDirectory { tx in try APIKeyStore(tx: tx).page(of: tenant, before: cursor, limit: limit) }
    }

    /// Takes effect with the next request.
    package func revokeKey(_ id: APIKeyID, of tenant: TenantID, by principal: Principal) async throws {
        try await database.writeDirectory { tx in
            guard try APIKeyStore(tx: tx).revoke(id, of: tenant, at: tx.clock.now()) else { throw Refusal.missing("API key") }
            try tx.tenant(tenant).audit(principal, "api_key.revoke", "key:\(id)")
        }
    }

    private func isNarrowed(_ principal: Principal) -> Bool {
        guard let role = principal.role else { return false }
        return principal.permissions != permissions.permissions(of: role)
    }

    static func insertKey(
        name: String, role: Role, scopes: [String], expiresAt: Timestamp?, madeBy: UserID?, tenant: TenantID, in tx: DirectoryTransaction
    ) throws -> (key: APIKey, secret: String) {
        let secret = Secrets.make(prefix: keyPrefix)
        let key = APIKey(
            id: tx.ids.next(), tenant: tenant, name: name, hint: String(secret.prefix(keyPrefix.count + 4)), scopes: scopes, role: role,
            expiresAt: expiresAt, revokedAt: nil, createdAt: tx.clock.now(), madeBy: madeBy)
        try APIKeyStore(tx: tx).insert(key, secretHash: Secrets.hash(secret))
        return (key, secret)
    }
}
