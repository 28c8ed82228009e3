package import Kernel
package import Persistence
internal import Tenancy

/// What the tenant's plan and books ask of every change here, passed in where the program is put together.
package struct TenantPolicies: Sendable {
    /// Takes (or, below zero, gives back) so many workflows of the plan's limit, in the transaction of the change.
    /// Throws `limit_reached`.
    package var reserve: @Sendable (TenantTransaction, Int) throws -> Void
    /// Writes what was done into the audit log, in the transaction of the change.
    package var audit: @Sendable (TenantTransaction, Principal, _ action: String, _ subject: String, _ details: JSON) throws -> Void
    /// The tenant's IANA time zone.
    package var timeZone: @Sendable (TenantID) async throws -> String

    package init(
        reserve: @escaping @Sendable (TenantTransaction, Int) throws -> Void,
        audit: @escaping @Sendable (TenantTransaction, Principal, _ action: String, _ subject: String, _ details: JSON) throws -> Void,
        timeZone: @escaping @Sendable (TenantID) async throws -> String
    ) {
        self.reserve = reserve
        self.audit = audit
        self.timeZone = timeZone
    }

    /// Limits and audit of the Tenancy module.
    package static func tenancy(timeZone: @escaping @Sendable (TenantID) async throws -> String) -> TenantPolicies {
        TenantPolicies(
            reserve: { tx, count in
                if count > 0 { try tx.reserve(.workflows, count) } else if count < 0 { try tx.release(.workflows, -count) }
            }, audit: { tx, principal, action, subject, details in try tx.audit(principal, action, subject, details) }, timeZone: timeZone)
    }
}

extension Principal {
    /// The tenant acted in, once the right is there.
    /// - Throws: `permission_denied`, also where the principal acts in no tenant.
    func tenant(for permission: Permission) throws -> TenantID {
        try require(permission)
        guard let tenant else {
            throw Refusal(.forbidden, "no_tenant", "This is done within a tenant; use a tenant's address or key.")
        }
        return tenant
    }
}
