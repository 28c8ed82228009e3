internal import Kernel

/// PostgreSQL's side of a transaction.
final class PostgresSession: Session {
    private let connection: PostgresConnection
    private let registry: SchemaRegistry
    let clock: Clock
    let ids: IDs
    private(set) var afterCommitActions: [@Sendable () -> Void] = []
    private(set) var doom: (any Error)?
    private var entered: TenantID?

    init(connection: PostgresConnection, registry: SchemaRegistry, clock: Clock, ids: IDs, entered: TenantID?) {
        self.connection = connection
        self.registry = registry
        self.clock = clock
        self.ids = ids
        self.entered = entered
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { afterCommitActions.append(action) }

    func enter(_ tenant: TenantID) throws {
        guard entered != tenant else { return }
        try guarded { try connection.simple(PostgresSession.entering(tenant)) }
        entered = tenant
    }

    /// The text form of an id is hexadecimal and hyphens, so it can stand in a statement.
    static func entering(_ tenant: TenantID) -> String { "SELECT set_config('\(PostgresSchema.tenantSetting)', '\(tenant)', true)" }

    func rows(_ sql: SQL, scope: Table.Scope) throws -> [Row] {
        try guarded {
            try registry.check(sql, scope: scope)
            return try connection.run(sql).rows
        }
    }

    func execute(_ sql: SQL, scope: Table.Scope) throws -> Int {
        try guarded {
            try registry.check(sql, scope: scope)
            return try connection.run(sql).changed
        }
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
