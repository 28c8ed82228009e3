internal import Kernel
package import Persistence

extension Tenancy {
    /// Puts a plan's limits into force, in the transaction that sells or ends it: what a person may do and what they pay change at once.
    /// - Parameters:
    ///   - kept: the limits of a plan that somebody has and the price list no longer.
    ///   - change: what the sale adds to or takes from the limits.
    /// - Throws: `unknown_plan`
    package func grant(
        _ plan: PlanName, kept: PlanLimits? = nil, in tx: TenantTransaction, change: (inout PlanLimits) -> Void = { _ in }
    ) throws {
        guard var tenant = try TenantStore(tx: tx.directory).tenant(tx.tenant.id) else { throw Refusal.missing("tenant") }
        let listed = try kept == nil ? nil : PlanStore(tx: tx.directory).plan(plan)?.limits
        var limits = try listed ?? kept ?? Self.limits(of: plan, given: nil, in: tx.directory)
        change(&limits)
        guard tenant.plan != plan || tenant.limits != limits else { return }
        (tenant.plan, tenant.limits) = (plan, limits)
        try TenantStore(tx: tx.directory).update(tenant)
        try QuotaStore(tx: tx).setAllowed(limits, at: tx.clock.now())
        try StorageUse(tx: tx).allow(limits.storageBytes)
        tx.afterCommit { [known] in known.forget() }
    }

    /// What a tenant is granted now.
    package func granted(in tx: TenantTransaction) throws -> PlanLimits {
        guard let tenant = try TenantStore(tx: tx.directory).tenant(tx.tenant.id) else { throw Refusal.missing("tenant") }
        return tenant.limits
    }
}
