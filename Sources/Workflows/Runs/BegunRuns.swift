package import Kernel
package import Persistence

extension TenantTransaction {
    /// How many of the tenant's runs began from one moment to before another: for whoever holds its books against them.
    package func begunRuns(from start: Timestamp, to end: Timestamp) throws -> Int { try RunStore(tx: self).begun(from: start, to: end) }
}

extension RunStore {
    /// By the times in their ids.
    fileprivate func begun(from start: Timestamp, to end: Timestamp) throws -> Int {
        try tx.first(
            "SELECT count(*) FROM runs WHERE tenant_id = \(tx.tenant) AND id >= \(RunID.first(at: start)) AND id < \(RunID.first(at: end))"
        ) { try $0.column(0) } ?? 0
    }
}
