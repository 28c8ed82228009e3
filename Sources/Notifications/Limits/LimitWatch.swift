internal import HTTPSurface
package import Kernel
package import Persistence
package import Tenancy

/// A limit of the plan is near (four fifths) or reached: `{limit, used, allowed}`. Told once a period and level.
protocol LimitEvent: Event {
    var limit: String { get }
    var used: Int { get }
    var allowed: Int { get }
}

extension LimitEvent {
    static var version: Int { 1 }
    var subject: String { "limit:\(limit)" }
    var payload: JSON { ["limit": .string(limit), "used": .number(Double(used)), "allowed": .number(Double(allowed))] }
}

struct LimitNear: LimitEvent {
    static let name = "limit.near"
    let limit: String
    let used: Int
    let allowed: Int
}

struct LimitReached: LimitEvent {
    static let name = "limit.reached"
    let limit: String
    let used: Int
    let allowed: Int
}

/// Which levels were told of already.
struct LimitNoticeStore {
    let tx: TenantTransaction

    static let table = Table(
        "limit_notices", .tenant, primaryKey: ["name", "period", "level"],
        columns: [Column("name", .text), Column("period", .integer), Column("level", .text), Column("at", .timestamp)])

    /// - Returns: whether it had not been told.
    func note(_ name: String, period: Int, level: String) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO limit_notices (tenant_id, name, period, level, at) VALUES (\(tx.tenant), \(name), \(period), \(level), \(tx.clock.now()))
            ON CONFLICT (tenant_id, name, period, level) DO NOTHING
            """) == 1
    }

    /// What is free again is told again when it fills up.
    func forget(_ name: String) throws { try tx.execute("DELETE FROM limit_notices WHERE tenant_id = \(tx.tenant) AND name = \(name)") }
}

/// Looks at what tenants use of their limits, away from the work that uses it.
package struct LimitWatch: Sendable {
    let database: any Database
    let tenancy: Tenancy
    let clock: Clock

    /// Of a limit, from where it counts as near, and below which it is forgotten again.
    static let nearPercent = 80
    static let farPercent = 70

    package init(database: any Database, tenancy: Tenancy, clock: Clock) {
        self.database = database
        self.tenancy = tenancy
        self.clock = clock
    }

    package func lookAtAll() async throws { try await tenancy.forEachTenantHere { try await look(at: $0) } }

    /// Tells of the levels of one tenant that were passed since the last look.
    package func look(at tenant: TenantID) async throws {
        let uses = try await tenancy.quotas(of: tenant)
        let month = Timestamp.civil(fromDays: clock.now().seconds.flooringDivision(86_400))
        for use in uses {
            guard let allowed = use.limit, allowed > 0 else { continue }
            let period = use.key.isMonthly ? Int(month.year * 100 + month.month) : 0
            let (name, used) = (use.key.name, use.used)
            let level: Int = used >= allowed ? 100 : used >= allowed - allowed * (100 - Self.nearPercent) / 100 ? Self.nearPercent : 0
            if level == 0 {
                let isFar = used < allowed - allowed * (100 - Self.farPercent) / 100
                if isFar, !use.key.isMonthly { try await database.write(in: tenant) { tx in try LimitNoticeStore(tx: tx).forget(name) } }
                continue
            }
            try await database.write(in: tenant) { tx in
                let store = LimitNoticeStore(tx: tx)
                if level == 100 {
                    if try store.note(name, period: period, level: "reached") {
                        try tx.emit(LimitReached(limit: name, used: used, allowed: allowed))
                        // Whoever is at the limit need not be told that it is near.
                        _ = try store.note(name, period: period, level: "near")
                    }
                } else if try store.note(name, period: period, level: "near") {
                    try tx.emit(LimitNear(limit: name, used: used, allowed: allowed))
                }
            }
        }
    }
}
