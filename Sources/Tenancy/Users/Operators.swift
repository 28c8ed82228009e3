package import Kernel
internal import Persistence

/// The people who run the platform.
extension Tenancy {
    /// The platform's own audit log is that of the tenant of no number, whose keys seal the platform's secrets.
    package static let platformLog = KeyVault.platform

    /// Makes a person, who is made a user where the address is new, an operator or takes it from them; in the platform's audit log.
    /// - Returns: whether this changed anything.
    package func setOperator(_ isOperator: Bool, email: String, by principal: Principal) async throws -> Bool {
        let email = try EmailAddress(email)
        return try await database.writeDirectory { tx in
            let store = UserStore(tx: tx)
            if !isOperator, try store.user(email: email) == nil { throw Refusal.missing("person") }
            let id = try Self.findOrMakeUser(email, name: nil, in: tx)
            guard var user = try store.user(id), user.isOperator != isOperator else { return false }
            if isOperator { try takeFromStranger(&user, in: tx) }
            user.isOperator = isOperator
            try store.update(user)
            // A session that was opened before holds no more than it did then.
            if isOperator { try SessionStore(tx: tx).removeAll(of: id) }
            try OperatorSessionStore(tx: tx).removeAll(of: id)
            try ImpersonationStore(tx: tx).endAll(of: id, at: tx.clock.now())
            try tx.tenant(Self.platformLog).audit(principal, isOperator ? "operator.add" : "operator.remove", "user:\(id)")
            return true
        }
    }

    package func operators() async throws -> [User] {
        try await database.readDirectory { tx in try UserStore(tx: tx).operators(limit: Self.operatorsMaximum) }
    }

    static let operatorsMaximum = 1_000

    /// Makes a new data key for each tenant and for the platform: what is sealed from now on is sealed by it, older values stay readable.
    /// - Returns: how many keys were made.
    package func rotateKeys(by principal: Principal) async throws -> Int {
        var count = 0
        try await forEachTenant { tenant in
            try await rotateKey(of: tenant, by: principal)
            count += 1
        }
        try await rotateKey(of: KeyVault.platform, by: principal)
        return count + 1
    }

    /// Notes in the platform's audit log that the key which wraps all others was changed.
    package func noteMasterKeyChange(by principal: Principal) async throws {
        try await database.write(in: Self.platformLog) { tx in try tx.audit(principal, "master_key.change", "platform") }
    }

    private func rotateKey(of tenant: TenantID, by principal: Principal) async throws {
        try await vault.rotate(tenant: tenant)
        try await database.write(in: tenant) { tx in
            try tx.audit(principal, "data_key.rotate", tenant == KeyVault.platform ? "platform" : "tenant:\(tenant)")
        }
    }
}
