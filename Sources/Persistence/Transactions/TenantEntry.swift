internal import Kernel

/// Which tenants a transaction has entered, and which one it is in.
struct TenantEntry {
    private(set) var current: TenantID?
    private var entered: [TenantID] = []

    /// - Parameter current: the one entered together with the transaction's beginning.
    init(current: TenantID? = nil) {
        self.current = current
        if let current { entered = [current] }
    }

    mutating func enter(_ tenant: TenantID) {
        current = tenant
        if !entered.contains(tenant) { entered.append(tenant) }
    }

    /// The tenant to go back to before a statement can run; nil where it runs as things are.
    /// - Throws: `PersistenceError.unscoped` for marks that another transaction made, or of two tenants.
    func tenant(toEnterFor sql: SQL) throws -> TenantID? {
        guard let marked = sql.tenant else { return nil }
        if marked == current, !sql.mixesTenants { return nil }
        guard !sql.mixesTenants, entered.contains(marked) else {
            throw PersistenceError.unscoped(statement: sql.text, table: "a tenant that this transaction has not entered")
        }
        return marked
    }
}
