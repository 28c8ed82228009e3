internal import Kernel
internal import Persistence

extension PlanName: SQLBindable, SQLReadable {}

/// The price list.
struct PlanStore {
    let tx: DirectoryTransaction

    static let tableAtFirst = Table(
        "plans", .directory, primaryKey: ["name"],
        columns: [
            Column("name", .text), Column("position", .integer), Column("price_monthly", .integer), Column("currency", .text),
            Column("limit_workflows", .integer, optional: true), Column("limit_executions", .integer, optional: true),
            Column("limit_storage_bytes", .integer, optional: true), Column("limit_users", .integer, optional: true),
            Column("limit_requests", .integer, optional: true)
        ],
        checks: [.atLeast(column: "price_monthly", 0)])

    static let runDays = Column("limit_run_days", .integer, optional: true)

    static let table: Table = {
        var table = tableAtFirst
        table.columns.append(runDays)
        return table
    }()

    func all() throws -> [Plan] {
        try tx.all(
            """
            SELECT name, price_monthly, currency, limit_workflows, limit_executions, limit_storage_bytes, limit_users, limit_requests,
                limit_run_days
            FROM plans ORDER BY position
            """, Self.read)
    }

    func plan(_ name: PlanName) throws -> Plan? {
        try tx.first(
            """
            SELECT name, price_monthly, currency, limit_workflows, limit_executions, limit_storage_bytes, limit_users, limit_requests,
                limit_run_days
            FROM plans WHERE name = \(name)
            """, Self.read)
    }

    /// Adds the seeded plans that are missing; a price an operator has changed stays.
    func seed() throws {
        for (position, plan) in Plan.seeded.enumerated() {
            try tx.execute(
                """
                INSERT INTO plans (name, position, price_monthly, currency, limit_workflows, limit_executions, limit_storage_bytes,
                    limit_users, limit_requests, limit_run_days)
                VALUES (\(plan.name), \(position), \(plan.priceMonthly ?? 0), \(plan.currency), \(plan.limits.workflows),
                    \(plan.limits.executionsPerMonth), \(plan.limits.storageBytes), \(plan.limits.users), \(plan.limits.requestsPerSecond),
                    \(plan.limits.runDays))
                ON CONFLICT (name) DO NOTHING
                """)
        }
    }

    private static func read(_ row: Row) throws -> Plan {
        Plan(
            name: try row.column(0), priceMonthly: try row.column(1), currency: try row.column(2),
            limits: PlanLimits(
                workflows: try row.column(3), executionsPerMonth: try row.column(4), storageBytes: try row.column(5),
                users: try row.column(6), requestsPerSecond: try row.column(7), runDays: try row.column(8)))
    }
}
