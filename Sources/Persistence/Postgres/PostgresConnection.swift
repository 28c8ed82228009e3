internal import CPostgres
internal import Foundation
internal import Kernel

/// One connection, used by one thread at a time. Values travel in binary form (PostgreSQL's documented wire representations).
///
/// A pipelined connection sends statements without waiting for the answers of those before (libpq's pipeline mode): what was sent is
/// answered by the next `run` or `drain`, in one round trip.
final class PostgresConnection {
    private let connection: OpaquePointer
    private var prepared: [Signature: String] = [:]
    private var preparedCount = 0
    private var isPipelined = false
    private var sent: [Sent] = []
    /// Whether the server said so: another one may take them by now, so that the connection is of no use any more.
    private var takesNoWrites = false

    /// Statements kept prepared on a connection.
    static let preparedMaximum = 1_000

    private struct Signature: Hashable {
        var text: String
        var changes: Int?
        var types: [Oid]

        /// The length tells nearly all statements apart; to hash a whole text takes longer than to compare it once.
        func hash(into hasher: inout Hasher) {
            hasher.combine(text.utf8.count)
            hasher.combine(changes)
            hasher.combine(types.count)
        }
    }

    /// A statement under way.
    private struct Sent {
        /// Whether it fails where it changes another number of rows than it should.
        var isChecked = false
        var preparing: Signature?
    }

    /// - Throws: `PersistenceError.unavailable` with libpq's own words, which hold no password.
    init(url: String) throws {
        guard let made = Self.connect(url) else { throw PersistenceError.unavailable("libpq has no memory") }
        guard PQstatus(made) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(made)).trimmingCharacters(in: .whitespacesAndNewlines)
            PQfinish(made)
            throw PersistenceError.unavailable("The database server cannot be reached: \(message)")
        }
        connection = made
        _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    /// What notices within moments that the server cannot be reached any more, and takes none for it that only copies another: who is led to one after a
    /// failover would stay there. The URL may say otherwise.
    private static let noticingLoss = [
        ("target_session_attrs", "primary"), ("connect_timeout", "10"), ("tcp_user_timeout", "10000"), ("keepalives_idle", "5"),
        ("keepalives_interval", "3"), ("keepalives_count", "3")
    ]

    private static func connect(_ url: String) -> OpaquePointer? {
        // Later words stand above earlier ones, and the URL is taken apart in its place.
        let words = noticingLoss + [("dbname", url)]
        let names = words.map { strdup($0.0) }
        let values = words.map { strdup($0.1) }
        defer { for word in names + values { free(word) } }
        return PQconnectdbParams(names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    }

    var isAlive: Bool { !takesNoWrites && PQstatus(connection) == CONNECTION_OK }

    /// Whether the server has said something unasked, as it does when it closes a connection.
    var hasNews: Bool {
        var socket = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        return poll(&socket, 1, 0) != 0
    }

    /// Returns when the server says something, or the other descriptor can be read, or after a while.
    func waitForNews(or other: Int32) {
        var sockets = [pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0), pollfd(fd: other, events: Int16(POLLIN), revents: 0)]
        _ = poll(&sockets, 2, 5_000)
    }

    /// What other connections have notified of since the last call; nil where the connection is lost.
    func notifications() -> [String]? {
        guard PQconsumeInput(connection) == 1, isAlive else { return nil }
        var heard: [String] = []
        while let note = PQnotifies(connection) {
            if note.pointee.be_pid != PQbackendPID(connection) { heard.append(String(cString: note.pointee.extra)) }
            PQfreemem(note)
        }
        return heard
    }

    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }

    /// One or more statements as plain text, for those without values.
    func simple(_ text: String) throws {
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else { throw failure(result) }
    }

    /// From here on statements go out without waiting; `simple` must not be used any more.
    func pipeline() throws {
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        isPipelined = true
    }

    /// Sends one statement without values, prepared like the others, since the server parses those of every transaction otherwise.
    func send(_ text: String) throws { try send(SQL(stringLiteral: text), changes: nil) }

    /// Sends a prepared statement with its values.
    /// - Parameter changes: how many rows it has to change for the transaction to go on; nil for any number. The server itself looks, so that
    ///   a COMMIT may be under way behind it.
    func send(_ sql: SQL, changes: Int?) throws {
        let isSent = try withBound(sql.values) { bound in
            let name = try prepare(Signature(text: sql.text, changes: changes, types: bound.types))
            return PQsendQueryPrepared(connection, name, bound.count, bound.values, bound.lengths, bound.formats, 1)
        }
        guard isSent == 1 else { throw lost() }
        sent.append(Sent(isChecked: changes != nil))
        // The server works on what has been sent while the rest is still being made.
        if sent.count.isMultiple(of: Self.statementsPerFlush) { _ = PQflush(connection) }
    }

    private static let statementsPerFlush = 16

    /// A statement that fails with `divisionByZero` where it changes another number of rows.
    private static func checked(_ text: String, changes: Int) -> String {
        "WITH changed AS (\(text) RETURNING 1) SELECT 1 / (count(*) = \(changes))::int FROM changed"
    }
    private static let divisionByZero = "22012"

    /// Waits for the answers to all that was sent.
    /// - Returns: the rows of the last statement, and how many it changed.
    /// - Throws: the failure of the last statement, or `PresumptionFailed` for that of one before it.
    @discardableResult
    func drain() throws -> (rows: [Row], changed: Int) {
        guard !sent.isEmpty else { return ([], 0) }
        let commands = sent
        sent = []
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        var failed: (any Error)?
        var answer: (rows: [Row], changed: Int) = ([], 0)
        for (index, command) in commands.enumerated() {
            guard let result = PQgetResult(connection) else { throw lost() }
            defer { PQclear(result) }
            let isLast = index == commands.count - 1
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                // An answer that cannot be read must not keep the ones behind it from being taken in.
                if isLast, failed == nil { do { answer = (try rows(result), changed(result)) } catch { failed = error } }
            case PGRES_PIPELINE_ABORTED:
                if let signature = command.preparing { prepared[signature] = nil }
            default:
                if let signature = command.preparing { prepared[signature] = nil }
                let failure = failure(result)
                guard isAlive else { throw failure }
                if failed == nil { failed = Self.meaning(of: failure, command, isLast: isLast) }
            }
            // Each answer ends with an empty one.
            if let extra = PQgetResult(connection) { PQclear(extra) }
        }
        guard let sync = PQgetResult(connection) else { throw failed ?? lost() }
        PQclear(sync)
        if let failed { throw failed }
        return answer
    }

    private static func meaning(of failure: PersistenceError, _ command: Sent, isLast: Bool) -> any Error {
        if case .contended = failure { return failure }
        if command.isChecked, case .driver(divisionByZero, _) = failure { return PresumptionFailed(cause: nil) }
        return isLast ? failure : PresumptionFailed(cause: failure)
    }

    private func prepare(_ signature: Signature) throws -> String {
        if let name = prepared[signature] { return name }
        if prepared.count >= Self.preparedMaximum {
            // First, so that the statement itself finds room; then its own name is gone too.
            prepared.removeAll()
            try send("DEALLOCATE ALL")
            prepared.removeAll()
        }
        let name = nextName()
        let text = signature.changes.map { Self.checked(signature.text, changes: $0) } ?? signature.text
        guard PQsendPrepare(connection, name, PostgresConnection.dollars(text), CInt(signature.types.count), signature.types) == 1 else {
            throw lost()
        }
        sent.append(Sent(preparing: signature))
        prepared[signature] = name
        return name
    }

    private func nextName() -> String {
        preparedCount += 1
        return "s\(preparedCount)"
    }

    private func lost() -> PersistenceError {
        sent = []
        let message = String(cString: PQerrorMessage(connection)).trimmingCharacters(in: .whitespacesAndNewlines)
        return .unavailable("The database server closed the connection. \(message)")
    }

    /// A statement with its values; returns its rows and how many it changed.
    func run(_ sql: SQL) throws -> (rows: [Row], changed: Int) {
        if isPipelined {
            try send(sql, changes: nil)
            return try drain()
        }
        let result = try withBound(sql.values) { bound in
            PQexecParams(
                connection, PostgresConnection.dollars(sql.text), bound.count, bound.types, bound.values, bound.lengths, bound.formats, 1)
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK: return ([], changed(result))
        case PGRES_TUPLES_OK: return (try rows(result), changed(result))
        default: throw failure(result)
        }
    }

    private func changed(_ result: OpaquePointer?) -> Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    private func rows(_ result: OpaquePointer?) throws -> [Row] {
        let columns = PQnfields(result)
        let types = (0..<columns).map { PQftype(result, $0) }
        return try (0..<PQntuples(result)).map { row in
            Row(
                values: try (0..<columns).map { column in
                    if PQgetisnull(result, row, column) == 1 { return .null }
                    let start = UnsafeRawPointer(PQgetvalue(result, row, column))
                    let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
                    return try PostgresValue.decode(bytes, type: types[Int(column)])
                })
        }
    }

    /// `?1` is `$1` here.
    static func dollars(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        let letters = Array(text)
        for (index, letter) in letters.enumerated() {
            let isPlaceholder = letter == "?" && index + 1 < letters.count && letters[index + 1].isNumber
            out.append(isPlaceholder ? "$" : letter)
        }
        return out
    }

    /// Values as libpq takes them, valid within a call.
    private struct Bound {
        let count: CInt
        let types: [Oid]
        let values: [UnsafePointer<CChar>?]
        let lengths: [CInt]
        let formats: [CInt]
    }

    private func withBound<Result>(_ values: [SQLValue], _ body: (Bound) throws -> Result) throws -> Result {
        var flat: [UInt8] = []
        flat.reserveCapacity(values.count * 16 + 256)
        var types: [Oid] = []
        types.reserveCapacity(values.count)
        var ends: [Int] = []
        ends.reserveCapacity(values.count)
        for value in values {
            types.append(try PostgresValue.append(value, to: &flat))
            ends.append(flat.count)
        }
        // An empty value is no null: it needs an address too.
        flat.append(0)
        return try flat.withUnsafeBufferPointer { buffer in
            try buffer.withMemoryRebound(to: CChar.self) { buffer in
                var pointers: [UnsafePointer<CChar>?] = []
                pointers.reserveCapacity(values.count)
                var lengths: [CInt] = []
                lengths.reserveCapacity(values.count)
                var start = 0
                for (value, end) in zip(values, ends) {
                    if case .null = value { pointers.append(nil) } else { pointers.append(buffer.baseAddress! + start) }
                    lengths.append(CInt(end - start))
                    start = end
                }
                return try body(
                    Bound(
                        count: CInt(values.count), types: types, values: pointers, lengths: lengths,
                        formats: [CInt](repeating: 1, count: values.count)))
            }
        }
    }

    private func failure(_ result: OpaquePointer?) -> PersistenceError {
        let message = String(cString: PQresultErrorMessage(result)).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let field = PQresultErrorField(result, CInt(UInt8(ascii: "C"))) else {
            return .unavailable("The database server closed the connection. \(message)")
        }
        let code = String(cString: field)
        if code == PostgresFailure.readOnly { takesNoWrites = true }
        let constraint = PQresultErrorField(result, CInt(UInt8(ascii: "n"))).map { String(cString: $0) }
        return PostgresFailure.error(code: code, constraint: constraint, message: message)
    }
}

/// A statement whose success was presumed has failed: the transaction is to be run again without presuming anything.
struct PresumptionFailed: Error {
    /// nil where it changed another number of rows.
    var cause: PersistenceError?
}

/// SQLSTATE codes (PostgreSQL documentation, appendix A) in the words of `PersistenceError`.
enum PostgresFailure {
    /// A write in a transaction that may not: the server became a standby, or was told to take none.
    static let readOnly = "25006"

    static func error(code: String, constraint: String?, message: String) -> PersistenceError {
        switch code {
        case "23505": .constraint(kind: .unique, constraint: constraint, message: message)
        case "23503": .constraint(kind: .foreignKey, constraint: constraint, message: message)
        case "23502": .constraint(kind: .notNull, constraint: constraint, message: message)
        case "23514": .constraint(kind: .check, constraint: constraint, message: message)
        case "40001", "40P01": .contended(message)
        case "53100": .diskFull("The database server's disk is full: make room and try again.")
        case readOnly: .unavailable("The database server takes no writes: \(message)")
        // 25P03: this process was held up within a transaction, and the server ended it.
        case let code where code.hasPrefix("08") || code.hasPrefix("57P") || code == "25P03": .unavailable("The database server is away: \(message)")
        default: .driver(code: code, message: message)
        }
    }
}
