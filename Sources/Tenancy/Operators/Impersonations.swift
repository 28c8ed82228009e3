internal import HTTPSurface
package import Kernel
internal import Persistence

extension Tenancy {
    /// Minutes that an access may last; the first is what is offered.
    static let impersonationMinutes = [15, 30, 60]
    /// The roles that it may have, the one that only reads first. Never an owner's: what is an owner's alone stays so.
    static let impersonationRoles: [Role] = [.viewer, .editor, .admin]
    /// What would outlast the access, or cost the tenant money.
    static let impersonationForbids: Set<Permission> = ["api_keys.write", "members.write", "billing.write"]
    static let reasonLengths = 5...300

    /// Begins an access; in the tenant's audit log and in the platform's.
    /// - Returns: the cookie's token, shown once.
    /// - Throws: `bad_reason`, `bad_role`, `bad_minutes`, `tenant_suspended`.
    package func impersonate(
        _ tenant: TenantID, role: Role, minutes: Int, reason: String, by principal: Principal
    ) async throws -> (record: ImpersonationRecord, token: String) {
        guard case .platformOperator(let user) = principal.actor else { throw Refusal(.forbidden, "operators_only", "Only operators may do this.") }
        try principal.require("operator.impersonate")
        let reason = try Self.checkedReason(reason)
        guard Self.impersonationRoles.contains(role) else {
            throw Refusal.invalid("role", "bad_role", "The role is one of \(Self.impersonationRoles.map(\.rawValue).joined(separator: ", ")).")
        }
        guard Self.impersonationMinutes.contains(minutes) else {
            throw Refusal.invalid(
                "minutes", "bad_minutes", "It lasts \(Self.impersonationMinutes.map(String.init).joined(separator: ", ")) minutes.")
        }
        let token = Secrets.make(prefix: "")
        return try await database.writeDirectory { tx in
            guard let place = try TenantStore(tx: tx).tenant(tenant) else { throw Refusal.missing("tenant") }
            try Self.requireActive(place)
            let now = tx.clock.now()
            let record = ImpersonationRecord(
                id: tx.ids.next(), operatorID: user, tenant: tenant, role: role, reason: reason, startedAt: now,
                expiresAt: now + .seconds(minutes * 60), endedAt: nil)
            try ImpersonationStore(tx: tx).insert(record, tokenHash: Secrets.hash(token))
            let details: JSON = ["reason": .string(reason), "role": .string(role.rawValue), "until": .string(record.expiresAt.description)]
            try tx.tenant(tenant).audit(principal, "impersonation.begin", "impersonation:\(record.id)", details)
            try tx.tenant(Self.platformLog).audit(principal, "impersonation.begin", "tenant:\(tenant)", details)
            return (record, token)
        }
    }

    /// The newest first; those that are over as well.
    package func impersonations(
        of tenant: TenantID, before cursor: ID<Impersonation>? = nil, limit: Int
    ) async throws -> [ImpersonationRecord] {
        try await database.readDirectory { tx in try ImpersonationStore(tx: tx).page(of: tenant, before: cursor, limit: limit) }
    }

    /// Ends an access before its time: the tenant's own people may, and operators.
    package func endImpersonation(_ id: ID<Impersonation>, of tenant: TenantID, by principal: Principal) async throws {
        try await database.writeDirectory { tx in
            let store = ImpersonationStore(tx: tx)
            guard try store.record(id, of: tenant) != nil else { throw Refusal.missing("access") }
            guard try store.end(id, at: tx.clock.now()) else { return }
            try tx.tenant(tenant).audit(principal, "impersonation.end", "impersonation:\(id)")
        }
    }

    /// Ends the access whose cookie this is.
    /// - Returns: its tenant; nil where there is no such access.
    package func endImpersonation(token: String) async throws -> TenantID? {
        let hash = Secrets.hash(token)
        guard let record = try await database.readDirectory({ tx in try ImpersonationStore(tx: tx).record(tokenHash: hash) }) else { return nil }
        try await endImpersonation(record.id, of: record.tenant, by: Principal(actor: .platformOperator(record.operatorID)))
        return record.tenant
    }

    /// Who acts by the cookie of an access. Every request that may change something is noted in the tenant's audit log before it is heard.
    /// - Throws: `impersonation_over`; `read_only` where the access only reads; `not_found` for another tenant's address.
    func principal(impersonation token: String, of request: AuthenticationRequest) async throws -> Principal {
        let (hash, now) = (Secrets.hash(token), clock.now())
        let found = try await database.readDirectory { tx -> (ImpersonationRecord, User, Tenant)? in
            guard let record = try ImpersonationStore(tx: tx).record(tokenHash: hash), record.isOpen(at: now),
                let user = try UserStore(tx: tx).user(record.operatorID), user.isOperator, let tenant = try TenantStore(tx: tx).tenant(record.tenant)
            else { return nil }
            return (record, user, tenant)
        }
        guard let (record, user, tenant) = found else {
            throw Refusal(.unauthenticated, "impersonation_over", "Your time in this tenant is over.")
        }
        guard request.tenant == nil || request.tenant == record.tenant else { throw Refusal.missing("resource") }
        try Self.requireActive(tenant)
        let principal = Principal(
            actor: .platformOperator(user.id), tenant: record.tenant, role: record.role,
            permissions: permissions.permissions(of: record.role).subtracting(Self.impersonationForbids),
            impersonation: Impersonation(id: record.id, until: record.expiresAt))
        guard !["GET", "HEAD", "OPTIONS"].contains(request.head.method) else { return principal }
        guard record.role != .viewer else {
            throw Refusal(.forbidden, "read_only", "You are in this tenant to look, not to change anything.")
        }
        let (method, path) = (request.head.method, request.head.path)
        try await database.write(in: record.tenant) { tx in
            try tx.audit(
                principal, "impersonation.request", "impersonation:\(record.id)",
                ["method": .string(method), "path": .string(String(path.prefix(200)))])
        }
        return principal
    }

    static func checkedReason(_ reason: String) throws -> String {
        let text = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard reasonLengths.contains(text.count), !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Refusal.invalid("reason", "bad_reason", "Say why in 5 to 300 characters; the tenant can read it.")
        }
        return text
    }
}
