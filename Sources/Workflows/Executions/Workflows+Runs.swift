internal import Jobs
package import Kernel
package import Persistence

extension Workflows {
    /// Lets all runs of the tenant stay where they are until somebody lets them go, one by one: what is signed and waits for an answer leads nowhere
    /// meanwhile.
    /// - Returns: how many.
    package func pauseRuns(in tx: TenantTransaction, by principal: Principal) throws -> Int {
        let count = try RunStore(tx: tx).pauseAll()
        guard count > 0 else { return 0 }
        try policies.audit(tx, principal, "execution.pause", "tenant:\(tx.tenant.id)", ["count": .number(Double(count))])
        tx.afterCommit { WakeRelay.shared.tellAll(.wishes) }
        return count
    }
}
