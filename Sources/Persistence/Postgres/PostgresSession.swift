internal import Kernel

/// PostgreSQL's side of a transaction.
final class PostgresSession: Session {
    private let connection: PostgresConnection
    private let registry: SchemaRegistry
    let engine = DatabaseEngine.postgres
    let clock: Clock
    let ids: IDs
    let share: CommitShare?
    private(set) var afterCommitActions: [@Sendable () -> Void] = []
    private(set) var doom: (any Error)?
    private var entry: TenantEntry
    /// Whether every answer is waited for.
    private let isCareful: Bool

    init(
        connection: PostgresConnection, registry: SchemaRegistry, clock: Clock, ids: IDs, entered: TenantID?, isCareful: Bool = false,
        share: CommitShare? = nil
    ) {
        self.isCareful = isCareful
        self.share = share
        self.connection = connection
        self.registry = registry
        self.clock = clock
        self.ids = ids
        entry = TenantEntry(current: entered)
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { afterCommitActions.append(action) }

    func enter(_ tenant: TenantID) throws {
        guard entry.current != tenant else { return }
        try guarded { try connection.send(PostgresSession.entering(tenant), changes: nil) }
        entry.enter(tenant)
    }

    /// A transaction that a closure let out cannot be used any more.
    func end() { doom = doom ?? PersistenceError.driver(code: "OVER", message: "the transaction is over") }

    static func entering(_ tenant: TenantID) -> SQL { "SELECT set_config(\(PostgresSchema.tenantSetting), \(tenant.description), true)" }

    func rows(_ sql: SQL, scope: Table.Scope) throws -> [Row] {
        try guarded {
            try admit(sql, scope)
            return try connection.run(sql).rows
        }
    }

    func execute(_ sql: SQL, scope: Table.Scope) throws -> Int {
        try guarded {
            try admit(sql, scope)
            return try connection.run(sql).changed
        }
    }

    func presume(_ sql: SQL, scope: Table.Scope, changes: Int?) throws -> Bool {
        guard !isCareful else {
            let changed = try execute(sql, scope: scope)
            return changes == nil || changed == changes
        }
        try guarded {
            try admit(sql, scope)
            try connection.send(sql, changes: changes)
        }
        return true
    }

    private func admit(_ sql: SQL, _ scope: Table.Scope) throws {
        try registry.check(sql, scope: scope)
        if let other = try entry.tenant(toEnterFor: sql) { try enter(other) }
    }

    private func guarded<Result>(_ work: () throws -> Result) throws -> Result {
        if let doom { throw doom }
        do {
            return try work()
        } catch {
            doom = error
            throw error
        }
    }
}
