internal import CPostgres
internal import Foundation
internal import Glibc
package import Kernel
internal import Synchronization

/// A PostgreSQL server of a tenant: where it is, and who one is there.
package struct PostgresDestination: Sendable {
    package var destination: OutboundDestination
    package var database: String
    package var user: String
    package var password: String
    /// libpq's word: `disable`, `prefer`, `require`, `verify-full`.
    package var sslMode: String
    /// Of one statement, on the server.
    package var timeout: Duration

    package init(
        destination: OutboundDestination, database: String, user: String, password: String, sslMode: String = "prefer",
        timeout: Duration = .seconds(60)
    ) {
        self.destination = destination
        self.database = database
        self.user = user
        self.password = password
        self.sslMode = sslMode
        self.timeout = timeout
    }
}

/// What a server said: its own words, and the five characters of its code.
package struct PostgresClientError: Error, Sendable, Hashable {
    package var message: String
    package var code: String
    package var isRetryable: Bool
}

/// A statement with its values, `$1` for the first; nil is NULL. Values travel as text and the server reads them by the type it expects.
package struct PostgresStatement: Sendable, Hashable {
    package var text: String
    package var values: [String?]
    package init(_ text: String, values: [String?] = []) {
        self.text = text
        self.values = values
    }
}

extension Outbound {
    /// Runs statements one after the other on one connection, which goes to an address that was checked.
    /// - Parameter inTransaction: all of them or none; else each for itself, and the first failure ends the rest.
    /// - Returns: for each statement its outcome, up to the first failure.
    package func postgres(
        _ destination: PostgresDestination, _ statements: [PostgresStatement], inTransaction: Bool, for tenant: TenantID? = nil
    ) async throws -> [Result<[JSONObject], PostgresClientError>] {
        let addresses = try await permittedAddresses(of: destination.destination, for: tenant)
        return try await passing(tenant) {
            let work: @Sendable () async throws -> [Result<[JSONObject], PostgresClientError>] = {
                try await PostgresClient.queue.run {
                    try PostgresClient(destination, addresses: addresses).run(statements, inTransaction: inTransaction)
                }
            }
            guard let tenant else { return try await work() }
            return try await PostgresClient.gate.pass(tenant, work)
        }
    }
}

/// Threads for clients that block.
final class BlockingQueue: Sendable {
    private let queue: OperationQueue

    init(name: String, width: Int) {
        queue = OperationQueue()
        queue.name = name
        queue.maxConcurrentOperationCount = width
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// One connection through libpq, on one thread, for as long as its statements take.
private final class PostgresClient {
    static let queue = BlockingQueue(name: "postgres-client", width: 64)
    /// A tenant whose server is slow holds a few of the threads.
    static let gate = ConcurrencyGate(concurrent: 8, queued: 10_000)
    static let rowsMaximum = 1_000_000
    /// Of one statement's answer, as it travels.
    static let bytesMaximum = 128 << 20
    /// How much later than the server itself a statement is given up here.
    static let grace: Duration = .seconds(5)

    private let connection: OpaquePointer
    private let timeout: Duration

    init(_ destination: PostgresDestination, addresses: [String]) throws {
        timeout = destination.timeout
        let name = destination.destination.host
        let parameters: [(String, String)] = [
            ("host", addresses.map { _ in name }.joined(separator: ",")), ("hostaddr", addresses.joined(separator: ",")),
            ("port", String(destination.destination.port)), ("dbname", destination.database), ("user", destination.user),
            ("password", destination.password), ("sslmode", destination.sslMode), ("connect_timeout", "10"), ("application_name", "aias"),
            ("client_encoding", "UTF8"), ("passfile", "/dev/null"), ("gssencmode", "disable"),
            ("options", "-c statement_timeout=\(destination.timeout.microseconds / 1_000)")
        ]
        let made = Self.withStrings(parameters.map(\.0)) { names in
            Self.withStrings(parameters.map(\.1)) { values in PQconnectdbParams(names, values, 0) }
        }
        guard let made else { throw PostgresClientError(message: "libpq has no memory", code: "", isRetryable: true) }
        guard PQstatus(made) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(made)).trimmingCharacters(in: .whitespacesAndNewlines)
            PQfinish(made)
            throw PostgresClientError(message: message, code: "08001", isRetryable: true)
        }
        connection = made
        _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
        _ = PQsetnonblocking(connection, 1)
    }

    deinit { PQfinish(connection) }

    func run(_ statements: [PostgresStatement], inTransaction: Bool) throws -> [Result<[JSONObject], PostgresClientError>] {
        if inTransaction { _ = try execute(PostgresStatement("BEGIN")) }
        var outcomes: [Result<[JSONObject], PostgresClientError>] = []
        for statement in statements {
            do { outcomes.append(.success(try execute(statement))) } catch let error as PostgresClientError {
                outcomes.append(.failure(error))
                if inTransaction { _ = try? execute(PostgresStatement("ROLLBACK")) }
                return outcomes
            }
        }
        if inTransaction { _ = try execute(PostgresStatement("COMMIT")) }
        return outcomes
    }

    /// Text without values may hold several statements; the rows are those of the last.
    ///
    /// Rows are taken one by one and against a limit of time and of bytes: the server is somebody else's, and may say nothing or without end.
    private func execute(_ statement: PostgresStatement) throws -> [JSONObject] {
        let end = ContinuousClock.now + timeout + Self.grace
        let begin = aias_bytes_received(PQsocket(connection))
        let sent =
            statement.values.isEmpty
            ? PQsendQuery(connection, statement.text)
            : Self.withOptionalStrings(statement.values) { values in
                PQsendQueryParams(connection, statement.text, CInt(statement.values.count), nil, values, nil, nil, 0)
            }
        guard sent == 1 else { throw failure(nil) }
        _ = PQsetSingleRowMode(connection)
        while PQflush(connection) == 1 {
            try wait(for: POLLIN | POLLOUT, until: end)
            guard PQconsumeInput(connection) == 1 else { throw failure(nil) }
        }
        var answer = RowsOfLast()
        var refusal: PostgresClientError?
        while let result = try next(until: end, from: begin) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE: try answer.add(result)
            case PGRES_TUPLES_OK: answer.endSet()
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: answer = RowsOfLast()
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw PostgresClientError(message: "COPY from and to the client is not supported.", code: "0A000", isRetryable: false)
            default: refusal = failure(result)
            }
        }
        if let refusal { throw refusal }
        return answer.rows
    }

    /// Nil where all has been said.
    private func next(until end: ContinuousClock.Instant, from begin: UInt64) throws -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            try wait(for: POLLIN, until: end)
            guard PQconsumeInput(connection) == 1 else { throw failure(nil) }
            guard aias_bytes_received(PQsocket(connection)) - begin <= UInt64(Self.bytesMaximum) else {
                throw PostgresClientError(
                    message: "The query gives more than \(Self.bytesMaximum >> 20) MB.", code: "", isRetryable: false)
            }
        }
        return PQgetResult(connection)
    }

    private func wait(for events: Int32, until end: ContinuousClock.Instant) throws {
        while true {
            let left = Int32(max(0, min((end - .now) / .milliseconds(1), 1_000_000)))
            var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
            let count = poll(&descriptor, 1, left)
            if count > 0 { return }
            if count < 0, errno == EINTR { continue }
            throw PostgresClientError(message: "The server did not answer in time.", code: "", isRetryable: true)
        }
    }

    private func failure(_ result: OpaquePointer?) -> PostgresClientError {
        let code = PQresultErrorField(result, CInt(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let message = PQresultErrorField(result, CInt(UInt8(ascii: "M"))).map { String(cString: $0) }
        let fallback = String(cString: PQerrorMessage(connection)).trimmingCharacters(in: .whitespacesAndNewlines)
        let isRetryable = code.hasPrefix("08") || code.hasPrefix("40") || code.hasPrefix("53") || code.hasPrefix("57") || code.isEmpty
        return PostgresClientError(message: message ?? fallback, code: code, isRetryable: isRetryable)
    }

    /// The rows of the last of several statements.
    private struct RowsOfLast {
        private(set) var rows: [JSONObject] = []
        private var columns: [(name: String, type: Oid)] = []
        private var isOver = true

        mutating func add(_ row: OpaquePointer?) throws {
            if isOver {
                self = RowsOfLast()
                columns = (0..<PQnfields(row)).map { (name: String(cString: PQfname(row, $0)), type: PQftype(row, $0)) }
                isOver = false
            }
            guard rows.count < PostgresClient.rowsMaximum else {
                throw PostgresClientError(message: "The query gives more than \(PostgresClient.rowsMaximum) rows.", code: "", isRetryable: false)
            }
            var members = JSONObject()
            for (index, column) in columns.enumerated() {
                let isNull = PQgetisnull(row, 0, CInt(index)) == 1
                members[column.name] = isNull ? .null : PostgresClient.value(String(cString: PQgetvalue(row, 0, CInt(index))), type: column.type)
            }
            rows.append(members)
        }

        mutating func endSet() {
            if isOver { self = RowsOfLast() }
            isOver = true
        }
    }

    /// As n8n's driver reads them: whole numbers up to 32 bits and floating ones as numbers, 64 bits and decimals as text, since a number could not
    /// hold them; JSON as itself; times in ISO 8601.
    private static func value(_ text: String, type: Oid) -> JSON {
        switch type {
        case 16: return .bool(text == "t")
        case 21, 23, 26, 700, 701: return Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .string(text)
        case 114, 3802: return (try? JSON(parsing: text)) ?? .string(text)
        case 1082: return .string("\(text)T00:00:00.000Z")
        case 1114: return .string(time(text))
        case 1184: return .string(time(text))
        case 1007, 1005, 1021, 1022: return list(text) { Double($0).map { .number($0) } ?? .string($0) }
        case 1009, 1015, 1016, 1231, 2951: return list(text) { .string($0) }
        case 1000: return list(text) { .bool($0 == "t") }
        default: return .string(text)
        }
    }

    /// `2026-03-10 12:00:00.5+01` → `2026-03-10T11:00:00.500Z`
    private static func time(_ text: String) -> String {
        let isZoned = text.dropFirst(19).contains { "+-".contains($0) }
        let plain = text.replacing(" ", with: "T")
        var zoned = isZoned ? plain : plain + "+00"
        if let sign = zoned.lastIndex(where: { "+-".contains($0) }), zoned[zoned.index(after: sign)...].count == 2 { zoned += ":00" }
        return Timestamp(zoned).map { String($0.description.dropLast(4)) + "Z" } ?? text
    }

    /// An array of one dimension as the server writes it: `{a,"b c",NULL}`.
    private static func list(_ text: String, _ element: (String) -> JSON) -> JSON {
        guard text.hasPrefix("{"), text.hasSuffix("}"), !text.hasPrefix("{{") else { return .string(text) }
        var elements: [JSON] = []
        var part = ""
        var isQuoted = false
        var wasQuoted = false
        var rest = text.dropFirst().dropLast()
        guard !rest.isEmpty else { return [] }
        func end() {
            elements.append(!wasQuoted && part == "NULL" ? .null : element(part))
            part = ""
            wasQuoted = false
        }
        while let character = rest.popFirst() {
            switch character {
            case "\"":
                isQuoted.toggle()
                wasQuoted = true
            case "\\" where isQuoted: if let next = rest.popFirst() { part.append(next) }
            case "," where !isQuoted: end()
            default: part.append(character)
            }
        }
        end()
        return .array(elements)
    }

    private static func withStrings<Value>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Value) -> Value {
        withOptionalStrings(strings.map { $0 }) { body(Array($0) + [nil]) }
    }

    private static func withOptionalStrings<Value>(_ strings: [String?], _ body: ([UnsafePointer<CChar>?]) -> Value) -> Value {
        let copies = strings.map { $0.map { strdup($0) } ?? nil }
        defer { copies.forEach { free($0) } }
        return body(copies.map { $0.map { UnsafePointer($0) } })
    }
}
