internal import Kernel
package import Persistence

/// Something a plan counts: the name under which a module reserves it.
package struct QuotaKey: Sendable, Hashable {
    package let name: String
    /// Counts start anew each calendar month (UTC).
    package let isMonthly: Bool
    let limit: @Sendable (PlanLimits) -> Int?

    package static let workflows = QuotaKey(name: "workflows", isMonthly: false) { $0.workflows }
    package static let users = QuotaKey(name: "users", isMonthly: false) { $0.users }
    package static let storageBytes = QuotaKey(name: "storage_bytes", isMonthly: false) { $0.storageBytes }
    package static let executions = QuotaKey(name: "executions_per_month", isMonthly: true) { $0.executionsPerMonth }

    static let all: [QuotaKey] = [workflows, users, storageBytes, executions]

    /// The first day of the month as a number, 20260101, or 0 where the count never starts anew.
    func period(at time: Timestamp) -> Int {
        guard isMonthly else { return 0 }
        let day = Timestamp.civil(fromDays: time.seconds.flooringDivision(86_400))
        return Int(day.year * 10_000 + day.month * 100 + 1)
    }
}

/// How much of something is used, and what is allowed; nil is unlimited.
package struct QuotaUse: Sendable, Hashable {
    package var key: QuotaKey
    package var used: Int
    package var limit: Int?
    package static func == (left: QuotaUse, right: QuotaUse) -> Bool {
        left.key.name == right.key.name && left.used == right.used && left.limit == right.limit
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(key.name) }
}

extension QuotaKey {
    package static func == (left: QuotaKey, right: QuotaKey) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The counters behind hard limits. A reservation is one conditional UPDATE in the transaction that creates the thing, so that
/// concurrent writers never pass a limit.
struct QuotaStore {
    let tx: TenantTransaction

    static let table = Table(
        "quota_counters", .tenant, primaryKey: ["name", "period"],
        columns: [Column("name", .text), Column("period", .integer), Column("used", .integer), Column("allowed", .integer, optional: true)],
        checks: [.atLeast(column: "used", 0)])

    /// - Returns: false where the limit would be passed; nothing has changed then.
    func reserve(_ key: QuotaKey, _ count: Int, at time: Timestamp) throws -> Bool {
        let period = key.period(at: time)
        if let room = try room(key, period) {
            if !room.fits(count) {
                // Others may have made room, or a larger plan, since an earlier commit asked.
                guard let now = try use(key, period) else { return false }
                room.used = now.used + room.added
                room.allowed = now.allowed
                guard room.fits(count) else { return false }
            }
            room.used += count
            room.added += count
            return true
        }
        if try raise(key, count, period) { return true }
        guard try use(key, period) == nil else { return false }
        try open(key, period)
        return try raise(key, count, period)
    }

    /// A counter that the transactions of one commit raise together. Whether there is room is decided where it is raised.
    private final class Room: CommitShared {
        let (tenant, key, period): (TenantID, QuotaKey, Int)
        var used: Int
        var allowed: Int?
        var added = 0
        let lasts = true

        init(_ tenant: TenantID, _ key: QuotaKey, _ period: Int, used: Int = 0, allowed: Int? = nil) {
            (self.tenant, self.key, self.period) = (tenant, key, period)
            self.used = used
            self.allowed = allowed
        }

        func fits(_ count: Int) -> Bool { allowed.map { used + count <= $0 } ?? true }

        func end(_ tx: SystemTransaction) throws {
            guard added > 0 else { return }
            // The condition holds still, unless the limit or the count has changed meanwhile: then each asks for itself.
            let isRaised = try QuotaStore(tx: tx.tenant(tenant)).raise(key, added, period)
            guard isRaised else { throw PersistenceError.driver(code: "CHANGED", message: "the limit of \(key.name) has changed") }
            added = 0
        }
    }

    /// nil where each raises it for itself, or there is no counter yet.
    private func room(_ key: QuotaKey, _ period: Int) throws -> Room? {
        let tenant = tx.tenant.id
        return try tx.session.share?.value(of: tenant, key.name, Int64(period)) {
            // Where each answer is a round trip there is room until the counter says otherwise.
            guard tx.session.engine == .sqlite else { return Room(tenant, key, period) }
            return try use(key, period).map { Room(tenant, key, period, used: $0.used, allowed: $0.allowed) }
        }
    }

    func release(_ key: QuotaKey, _ count: Int, at time: Timestamp) throws {
        try tx.execute(
            """
            UPDATE quota_counters SET used = CASE WHEN used < \(count) THEN 0 ELSE used - \(count) END
            WHERE tenant_id = \(tx.tenant) AND name = \(key.name) AND period = \(key.period(at: time))
            """)
    }

    func use(_ key: QuotaKey, at time: Timestamp) throws -> (used: Int, allowed: Int?)? { try use(key, key.period(at: time)) }

    /// Puts new limits into the open counters after a change of plan; what is used stays.
    func setAllowed(_ limits: PlanLimits, at time: Timestamp) throws {
        for key in QuotaKey.all {
            try tx.execute(
                """
                UPDATE quota_counters SET allowed = \(key.limit(limits))
                WHERE tenant_id = \(tx.tenant) AND name = \(key.name) AND period = \(key.period(at: time))
                """)
        }
    }

    private func raise(_ key: QuotaKey, _ count: Int, _ period: Int) throws -> Bool {
        try tx.presume(
            """
            UPDATE quota_counters SET used = used + \(count)
            WHERE tenant_id = \(tx.tenant) AND name = \(key.name) AND period = \(period) AND (allowed IS NULL OR used + \(count) <= allowed)
            """, changes: 1)
    }

    private func use(_ key: QuotaKey, _ period: Int) throws -> (used: Int, allowed: Int?)? {
        try tx.first(
            "SELECT used, allowed FROM quota_counters WHERE tenant_id = \(tx.tenant) AND name = \(key.name) AND period = \(period)"
        ) { (try $0.column(0), try $0.column(1)) }
    }

    private func open(_ key: QuotaKey, _ period: Int) throws {
        let limits = try TenantStore(tx: tx.directory).tenant(tx.tenant.id)?.limits ?? PlanLimits()
        try tx.execute(
            """
            INSERT INTO quota_counters (tenant_id, name, period, used, allowed)
            VALUES (\(tx.tenant), \(key.name), \(period), 0, \(key.limit(limits)))
            ON CONFLICT (tenant_id, name, period) DO NOTHING
            """)
    }
}

extension TenantTransaction {
    /// Takes `count` of a limited thing, in the transaction that creates it.
    /// - Throws: a `limit_reached` refusal; the transaction should not go on.
    package func reserve(_ key: QuotaKey, _ count: Int = 1) throws {
        guard try QuotaStore(tx: self).reserve(key, count, at: clock.now()) else {
            let allowed = try QuotaStore(tx: self).use(key, at: clock.now())?.allowed
            throw Refusal(
                .limitReached, "limit_reached",
                "The plan's limit of \(allowed ?? 0) for \(key.name.replacing("_", with: " ")) is reached; remove some or change to a larger plan.",
                arguments: ["limit": key.name, "allowed": String(allowed ?? 0)])
        }
    }

    /// Gives back what `reserve` took.
    package func release(_ key: QuotaKey, _ count: Int = 1) throws {
        try QuotaStore(tx: self).release(key, count, at: clock.now())
    }
}
