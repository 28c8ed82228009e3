internal import GRDB
internal import GRDBSQLite
internal import Kernel

/// SQLite's side of a transaction: binds and steps the connection's cached statements.
final class SQLiteSession: Session {
    private let connection: GRDB.Database
    private let registry: SchemaRegistry
    private let tenant: CurrentTenant
    let engine = DatabaseEngine.sqlite
    let clock: Clock
    let ids: IDs
    private(set) var afterCommitActions: [@Sendable () -> Void] = []
    /// The first failure of a statement: the member cannot commit any more, whatever its closure made of it.
    private(set) var doom: (any Error)?
    private var entry = TenantEntry()
    let share: CommitShare?
    let memory: CommitMemory?
    private let statements: StatementShelf?

    init(
        connection: GRDB.Database, registry: SchemaRegistry, tenant: CurrentTenant, clock: Clock, ids: IDs, share: CommitShare? = nil,
        memory: CommitMemory? = nil, statements: StatementShelf? = nil
    ) {
        self.share = share
        self.memory = memory
        self.statements = statements
        self.connection = connection
        self.registry = registry
        self.tenant = tenant
        self.clock = clock
        self.ids = ids
    }

    func enter(_ id: TenantID) throws {
        if let doom { throw doom }
        entry.enter(id)
        tenant.enter(id)
    }

    /// A transaction that a closure let out cannot be used any more.
    func end() { doom = doom ?? Self.over }

    private static let over: any Error = PersistenceError.driver(code: "OVER", message: "the transaction is over")

    func afterCommit(_ action: @escaping @Sendable () -> Void) {
        if afterCommitActions.isEmpty { afterCommitActions.reserveCapacity(4) }
        afterCommitActions.append(action)
    }

    func rows(_ sql: SQL, scope: Table.Scope) throws -> [Row] {
        var rows: [Row] = []
        try run(sql, scope: scope) { statement in
            let count = sqlite3_column_count(statement)
            rows.append(Row(values: (0..<count).map { SQLiteSession.value(statement, $0) }))
        }
        return rows
    }

    func execute(_ sql: SQL, scope: Table.Scope) throws -> Int {
        try run(sql, scope: scope) { _ in }
        return Int(sqlite3_changes(connection.sqliteConnection))
    }

    private func run(_ sql: SQL, scope: Table.Scope, _ onRow: (OpaquePointer) -> Void) throws {
        if let doom { throw doom }
        do {
            let statement = try statement(of: sql, scope)
            if let other = try entry.tenant(toEnterFor: sql) { try enter(other) }
            defer { sqlite3_reset(statement) }
            bind(sql.values, to: statement)
            while true {
                let code = sqlite3_step(statement)
                if code == SQLITE_DONE { return }
                guard code == SQLITE_ROW else { throw SQLiteFailure.error(of: connection.sqliteConnection) }
                onRow(statement)
            }
        } catch let error as DatabaseError {
            doom = SQLiteFailure.error(error)
            throw SQLiteFailure.error(error)
        } catch {
            doom = error
            throw error
        }
    }

    /// The statement, once it is known to keep to its scope.
    private func statement(of sql: SQL, _ scope: Table.Scope) throws -> OpaquePointer {
        let key = StatementShelf.Key(text: sql.text, scope: scope, marks: sql.tenantMarks, insertsMarkedRows: sql.insertsMarkedRows)
        if let known = statements?.find(key) { return known.sqliteStatement }
        try registry.check(sql, scope: scope)
        let made = try connection.cachedStatement(sql: sql.text)
        statements?.put(key, made)
        return made.sqliteStatement
    }

    /// SQLite keeps a copy of each value on the heap, but for those that lie in the shelf's own space.
    private func bind(_ values: [SQLValue], to statement: OpaquePointer) {
        if let space = statements?.space, space.bind(values, to: statement) { return }
        for (index, value) in values.enumerated() { SQLiteSession.bind(value, to: statement, at: CInt(index + 1)) }
    }

    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate static func bind(_ value: SQLValue, to statement: OpaquePointer, at index: CInt) {
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let value): sqlite3_bind_int64(statement, index, value)
        case .real(let value): sqlite3_bind_double(statement, index, value)
        case .boolean(let value): sqlite3_bind_int64(statement, index, value ? 1 : 0)
        case .timestamp(let value): sqlite3_bind_int64(statement, index, value.microseconds)
        case .text(var value):
            _ = value.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { sqlite3_bind_text(statement, index, $0.baseAddress ?? empty, CInt($0.count), transient) }
            }
        case .blob(let value): bindBlob(value, to: statement, at: index)
        case .uuid(let high, let low):
            withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { _ = sqlite3_bind_blob(statement, index, $0.baseAddress, 16, transient) }
        }
    }

    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    private static func bindBlob(_ value: [UInt8], to statement: OpaquePointer, at index: CInt) {
        guard !value.isEmpty else {
            sqlite3_bind_zeroblob(statement, index, 0)
            return
        }
        value.withUnsafeBytes { _ = sqlite3_bind_blob(statement, index, $0.baseAddress, CInt($0.count), transient) }
    }

    private static func value(_ statement: OpaquePointer, _ index: CInt) -> SQLValue {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            let count = Int(sqlite3_column_bytes(statement, index))
            let start = sqlite3_column_text(statement, index)
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(statement, index))
            return .blob([UInt8](UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, index), count: count)))
        default: return .null
        }
    }
}

/// The statements of one connection that have been found to keep to their scope. Only the connection's thread touches it.
final class StatementShelf {
    struct Key: Hashable {
        var text: String
        var scope: Table.Scope
        var marks: Int
        var insertsMarkedRows: Bool

        /// The length tells nearly all statements apart; to hash a whole text takes longer than to compare it once.
        func hash(into hasher: inout Hasher) {
            hasher.combine(text.utf8.count)
            hasher.combine(marks)
        }
    }

    private static let maximum = 2_000
    private var kept: [Key: GRDB.Statement] = [:]
    let space = BindingSpace()

    func find(_ key: Key) -> GRDB.Statement? { kept[key] }

    func put(_ key: Key, _ statement: GRDB.Statement) {
        if kept.count >= Self.maximum { kept.removeAll() }
        kept[key] = statement
    }

    func clear() { kept.removeAll() }
}

/// Where the values of the statement that runs lie, so that SQLite needs no copies of its own. Only the connection's thread touches it.
final class BindingSpace {
    /// Larger values are rare, and SQLite's to keep.
    private static let capacity = 16_384
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)

    deinit { bytes.deallocate() }

    /// What is bound stays as it is until the next statement is; each run of a statement binds all of its values anew.
    /// - Returns: false, with nothing done, where the values are too large.
    func bind(_ values: [SQLValue], to statement: OpaquePointer) -> Bool {
        var size = 0
        for value in values {
            switch value {
            case .text(let text): size += text.utf8.count
            case .blob(let blob): size += blob.count
            case .uuid: size += 16
            case .null, .integer, .real, .boolean, .timestamp: break
            }
        }
        guard size <= Self.capacity else { return false }
        var place = 0
        for (offset, value) in values.enumerated() {
            let index = CInt(offset + 1)
            switch value {
            case .text(var text):
                let start = place
                text.withUTF8 { place = put(UnsafeRawBufferPointer($0), at: place) }
                let first = bytes.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
                sqlite3_bind_text(statement, index, first, CInt(place - start), nil)
            case .blob(let blob) where !blob.isEmpty:
                let start = place
                blob.withUnsafeBytes { place = put($0, at: place) }
                sqlite3_bind_blob(statement, index, bytes.baseAddress?.advanced(by: start), CInt(place - start), nil)
            case .uuid(let high, let low):
                let start = place
                withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { place = put($0, at: place) }
                sqlite3_bind_blob(statement, index, bytes.baseAddress?.advanced(by: start), 16, nil)
            case .blob, .null, .integer, .real, .boolean, .timestamp: SQLiteSession.bind(value, to: statement, at: index)
            }
        }
        return true
    }

    /// - Returns: the place after it.
    private func put(_ source: UnsafeRawBufferPointer, at place: Int) -> Int {
        guard !source.isEmpty else { return place }
        UnsafeMutableRawBufferPointer(rebasing: bytes[place..<(place + source.count)]).copyMemory(from: source)
        return place + source.count
    }
}

/// The tenant that the transaction under way on a connection has entered, as the guard triggers read it.
final class CurrentTenant: @unchecked Sendable {
    /// Sixteen bytes in network order, nil outside a tenant. Only the connection's thread touches it.
    private var id: (UInt64, UInt64)?

    func enter(_ id: TenantID) { self.id = (id.high.bigEndian, id.low.bigEndian) }
    func leave() { id = nil }

    /// Gives the connection its `aias_tenant()`; the connection must not outlive this object.
    func install(on connection: GRDB.Database) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let code = sqlite3_create_function_v2(
            connection.sqliteConnection, SQLiteSchema.tenantFunction, 0, SQLITE_UTF8, context,
            { call, _, _ in
                let current = Unmanaged<CurrentTenant>.fromOpaque(sqlite3_user_data(call)!).takeUnretainedValue()
                guard let id = current.id else { return sqlite3_result_null(call) }
                withUnsafeBytes(of: id) {
                    sqlite3_result_blob(call, $0.baseAddress, CInt($0.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
                }
            }, nil, nil, nil)
        precondition(code == SQLITE_OK, "the tenant function could not be installed")
    }
}
