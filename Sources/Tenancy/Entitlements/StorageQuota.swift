internal import Kernel
package import Persistence

extension TenantTransaction {
    /// Asked by what may be refused, new runs and uploads; a run that has begun writes on, and so do the audit log and deletions.
    /// - Throws: a `limit_reached` refusal where more is stored than the plan allows, counting what this transaction has stored.
    package func requireStorage() throws {
        guard try !StorageUse(tx: self).isAllowed() else { return }
        let allowed = try TenantStore(tx: directory).tenant(tenant.id)?.limits.storageBytes ?? 0
        throw Refusal(
            .limitReached, "limit_reached",
            "The plan's limit of \(allowed) stored bytes is reached; delete executions, files or rows of data tables, or change to a larger plan.",
            arguments: ["limit": QuotaKey.storageBytes.name, "allowed": String(allowed)])
    }

    /// Asked where nobody's request begins a run: by schedules and polls.
    /// - Throws: `tenant_suspended`
    package func requireActiveTenant() throws {
        guard let found = try TenantStore(tx: directory).tenant(tenant.id) else { throw Refusal.missing("tenant") }
        try Tenancy.requireActive(found)
    }
}
