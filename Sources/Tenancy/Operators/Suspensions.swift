package import Kernel
internal import Persistence

extension Tenancy {
    /// Shuts a tenant's door: its people, keys and webhooks are refused, its data is kept. Runs that began go on to their end.
    /// - Parameter reason: stands in the tenant's audit log.
    package func suspend(_ id: TenantID, reason: String, by principal: Principal) async throws {
        let reason = try Self.checkedReason(reason)
        try await setStatus(.suspended, reason: reason, of: id, by: principal)
    }

    package func resume(_ id: TenantID, by principal: Principal) async throws { try await setStatus(.active, reason: nil, of: id, by: principal) }

    private func setStatus(_ status: Tenant.Status, reason: String?, of id: TenantID, by principal: Principal) async throws {
        try principal.require("operator.tenants.write")
        defer { known.forget() }
        try await database.writeDirectory { tx in
            guard var tenant = try TenantStore(tx: tx).tenant(id) else { throw Refusal.missing("tenant") }
            guard tenant.status != status else { return }
            try Self.requireHere(id, in: tx)
            tenant.status = status
            tenant.statusReason = reason
            try TenantStore(tx: tx).update(tenant)
            let details: JSON = reason.map { ["reason": .string($0)] } ?? [:]
            let action = status == .active ? "tenant.resume" : "tenant.suspend"
            try tx.tenant(id).audit(principal, action, "tenant:\(id)", details)
        }
    }

    /// - Throws: `tenant_moved` where the tenant went to another database, or is on its way: woken here it would work twice.
    static func requireHere(_ id: TenantID, in tx: DirectoryTransaction) throws {
        guard let move = try MoveStore(tx: tx.system).move(of: id), move.direction == .outward || move.state == .copying else { return }
        throw Refusal(.conflict, "tenant_moved", "This tenant went to \(move.peer), or is on its way: its status is not changed here.")
    }
}
