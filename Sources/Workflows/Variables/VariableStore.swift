internal import Kernel
internal import Persistence

/// Variables by name.
struct VariableStore {
    let tx: TenantTransaction

    static let table = Table(
        "workflow_variables", .tenant, primaryKey: ["name"],
        columns: [Column("name", .text), Column("value", .text), Column("updated_at", .timestamp)])

    func all() throws -> [Variable] {
        try tx.all(
            """
            SELECT name, value, updated_at FROM workflow_variables WHERE tenant_id = \(tx.tenant)
            ORDER BY name LIMIT \(Limits.variablesPerTenant)
            """, Self.read)
    }

    func variable(_ name: String) throws -> Variable? {
        try tx.first("SELECT name, value, updated_at FROM workflow_variables WHERE tenant_id = \(tx.tenant) AND name = \(name)", Self.read)
    }

    func count() throws -> Int {
        try tx.first("SELECT count(*) FROM workflow_variables WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0
    }

    func set(_ variable: Variable) throws {
        let former = try self.variable(variable.name)?.value ?? ""
        try RunFileStore(tx: tx).keep(namedIn: Array(variable.value.utf8), insteadOf: Array(former.utf8), by: user(variable.name))
        try tx.execute(
            """
            INSERT INTO workflow_variables (tenant_id, name, value, updated_at)
            VALUES (\(tx.tenant), \(variable.name), \(variable.value), \(variable.updatedAt))
            ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
            """)
    }

    /// - Returns: whether there was one.
    func delete(_ name: String) throws -> Bool {
        let value = try tx.first("DELETE FROM workflow_variables WHERE tenant_id = \(tx.tenant) AND name = \(name) RETURNING value") {
            try $0.column(0, as: String.self)
        }
        guard let value else { return false }
        try RunFileStore(tx: tx).letGo(namedIn: Array(value.utf8), by: user(name))
        return true
    }

    private func user(_ name: String) -> PayloadUser { PayloadUser("variable.\(name)", of: tx.tenant.id) }

    private static func read(_ row: Row) throws -> Variable {
        Variable(name: try row.column(0), value: try row.column(1), updatedAt: try row.column(2))
    }
}
