package import Kernel

/// The one database of a deployment: SQLite in the data folder, or PostgreSQL.
///
/// Write closures are synchronous and short, touch nothing but their transaction, and may run more than once:
/// a group commit replays its members when the transaction is lost, PostgreSQL retries serialisation failures.
/// The call returns after COMMIT is durable, or throws and nothing was written.
package protocol Database: Sendable {
    var engine: DatabaseEngine { get }

    /// A transaction of one tenant.
    func write<Result: Sendable>(
        in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result
    ) async throws -> Result
    /// A write that may be serialised less strictly than all others, see `WriteIsolation`.
    func write<Result: Sendable>(
        in tenant: TenantID, _ isolation: WriteIsolation, _ body: @escaping @Sendable (TenantTransaction) throws -> Result
    ) async throws -> Result
    func read<Result: Sendable>(
        in tenant: TenantID, _ body: @escaping @Sendable (TenantTransaction) throws -> Result
    ) async throws -> Result

    /// A transaction of the directory: before a tenant is known. `tx.tenant(id)` joins a tenant's scope.
    func writeDirectory<Result: Sendable>(
        _ body: @escaping @Sendable (DirectoryTransaction) throws -> Result
    ) async throws -> Result
    func readDirectory<Result: Sendable>(
        _ body: @escaping @Sendable (DirectoryTransaction) throws -> Result
    ) async throws -> Result

    /// A transaction of the platform's own tables.
    func writePlatform<Result: Sendable>(
        _ body: @escaping @Sendable (PlatformTransaction) throws -> Result
    ) async throws -> Result
    func readPlatform<Result: Sendable>(
        _ body: @escaping @Sendable (PlatformTransaction) throws -> Result
    ) async throws -> Result

    /// A transaction of the system tables (jobs, timers, outbox) across tenants. `tx.tenant(id)` joins a tenant's scope.
    func writeSystem<Result: Sendable>(
        _ body: @escaping @Sendable (SystemTransaction) throws -> Result
    ) async throws -> Result
    /// A write of system tables for rows that others want as well: on PostgreSQL it sees at each statement what is committed by then (READ
    /// COMMITTED), so that who comes second goes on with what is left (`skippingLocked`) and need not begin again. For single statements
    /// whose conditions say all that they rely on.
    func claimSystem<Result: Sendable>(
        _ body: @escaping @Sendable (SystemTransaction) throws -> Result
    ) async throws -> Result
    func readSystem<Result: Sendable>(
        _ body: @escaping @Sendable (SystemTransaction) throws -> Result
    ) async throws -> Result

    /// Finishes what is in flight, then closes.
    func close() async
}

/// What a write relies on besides the rows that it writes. SQLite has one writer, and serialises all.
package enum WriteIsolation: Sendable, Hashable {
    /// On whatever it has read: PostgreSQL's SERIALIZABLE, which finds conflicts by pages of indexes too, and so where there are none.
    case serializable
    /// On the conditions under which it changes rows, and on rows that no other changes: READ COMMITTED, in the commit of its tenant's other writes.
    /// Who comes second to a row goes on with what is there by then, so that processes which raise the same counter do not undo each other's work.
    case rows
    /// On nothing but its statements' own conditions: READ COMMITTED, in a commit of its own that waits for no other of its tenant's.
    case statements
}

extension Database {
    package func write<Result: Sendable>(
        in tenant: TenantID, _ isolation: WriteIsolation, _ body: @escaping @Sendable (TenantTransaction) throws -> Result
    ) async throws -> Result { try await write(in: tenant, body) }

    package func claimSystem<Result: Sendable>(_ body: @escaping @Sendable (SystemTransaction) throws -> Result) async throws -> Result {
        try await writeSystem(body)
    }
}

package enum DatabaseEngine: String, Sendable, CaseIterable { case sqlite, postgres }

/// What every scope can do with its own tables. Statements are checked against the schema registry: a table of another scope, or
/// a tenant table without a tenant mark, throws `PersistenceError.unscoped`.
package protocol Transaction {
    var session: any Session { get }
    var scope: Table.Scope { get }
}

/// A driver's side of one transaction in flight; only drivers conform.
package protocol Session: AnyObject {
    /// Runs one statement and returns its rows; for statements without a result the list is empty.
    func rows(_ sql: SQL, scope: Table.Scope) throws -> [Row]
    /// Runs one statement and returns how many rows it changed.
    func execute(_ sql: SQL, scope: Table.Scope) throws -> Int
    /// See `Transaction.presume`.
    func presume(_ sql: SQL, scope: Table.Scope, changes: Int?) throws -> Bool
    /// Makes `tenant` the one whose rows may be seen and written from here on (row level security on PostgreSQL).
    func enter(_ tenant: TenantID) throws
    var engine: DatabaseEngine { get }
    /// Time and ids for rows made by the transaction itself (outbox).
    var clock: Clock { get }
    var ids: IDs { get }
    /// Called after the commit is durable, on no particular thread: wake-ups, live events, counters. Not called when it fails.
    func afterCommit(_ action: @escaping @Sendable () -> Void)
    /// What it shares with others of its commit; nil where it is to do all itself.
    var share: CommitShare? { get }
    /// What its connection has learned; nil where it keeps nothing.
    var memory: CommitMemory? { get }
}

extension Session {
    package var share: CommitShare? { nil }
    package var memory: CommitMemory? { nil }
    package func presume(_ sql: SQL, scope: Table.Scope, changes: Int?) throws -> Bool {
        let changed = try execute(sql, scope: scope)
        return changes == nil || changed == changes
    }
}

extension Transaction {
    package func all(_ sql: SQL) throws -> [Row] { try session.rows(sql, scope: scope) }
    package func all<Value>(_ sql: SQL, _ read: (Row) throws -> Value) throws -> [Value] {
        try session.rows(sql, scope: scope).map(read)
    }
    package func first(_ sql: SQL) throws -> Row? { try session.rows(sql, scope: scope).first }
    package func first<Value>(_ sql: SQL, _ read: (Row) throws -> Value) throws -> Value? {
        try session.rows(sql, scope: scope).first.map(read)
    }
    /// Runs a statement and returns how many rows it changed.
    @discardableResult
    package func execute(_ sql: SQL) throws -> Int { try session.execute(sql, scope: scope) }

    /// Runs a statement that nearly always changes `changes` rows (nil: whatever it changes is right) and returns whether it did.
    ///
    /// A driver for which each answer is a round trip says yes before it knows. Where that turns out wrong, or the statement fails, the
    /// transaction is undone and its closure runs again, this time with true answers: so a closure sees what `execute` would have told.
    @discardableResult
    package func presume(_ sql: SQL, changes: Int? = nil) throws -> Bool { try session.presume(sql, scope: scope, changes: changes) }

    /// Ends a SELECT of rows to be taken: those that another takes just now are passed over. SQLite has one writer, and needs no words for it.
    package var skippingLocked: SQL { session.engine == .postgres ? "FOR UPDATE SKIP LOCKED" : "" }

    package var clock: Clock { session.clock }
    package var ids: IDs { session.ids }
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { session.afterCommit(action) }
}

/// The scope of one tenant's tables.
package struct TenantTransaction: Transaction {
    package let session: any Session
    package let tenant: TenantMark
    package var scope: Table.Scope { .tenant }

    init(session: any Session, tenant: TenantID) throws {
        self.session = session
        self.tenant = TenantMark(id: tenant)
        try session.enter(tenant)
    }

    /// The directory, in the same transaction.
    package var directory: DirectoryTransaction { DirectoryTransaction(session: session) }
    /// The platform's tables, in the same transaction.
    package var platform: PlatformTransaction { PlatformTransaction(session: session) }
    /// The queue, timer and outbox tables, in the same transaction.
    package var system: SystemTransaction { SystemTransaction(session: session) }
}

package struct DirectoryTransaction: Transaction {
    package let session: any Session
    package var scope: Table.Scope { .directory }
    package func tenant(_ id: TenantID) throws -> TenantTransaction { try TenantTransaction(session: session, tenant: id) }
    package var platform: PlatformTransaction { PlatformTransaction(session: session) }
    package var system: SystemTransaction { SystemTransaction(session: session) }
}

package struct PlatformTransaction: Transaction {
    package let session: any Session
    package var scope: Table.Scope { .platform }
    package func tenant(_ id: TenantID) throws -> TenantTransaction { try TenantTransaction(session: session, tenant: id) }
    package var system: SystemTransaction { SystemTransaction(session: session) }
}

package struct SystemTransaction: Transaction {
    package let session: any Session
    package var scope: Table.Scope { .system }
    package func tenant(_ id: TenantID) throws -> TenantTransaction { try TenantTransaction(session: session, tenant: id) }
}
