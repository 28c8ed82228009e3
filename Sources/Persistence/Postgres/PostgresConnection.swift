internal import CPostgres
internal import Foundation
internal import Kernel

/// One connection, used by one thread at a time. Values travel in binary form (PostgreSQL's documented wire representations).
final class PostgresConnection {
    private let connection: OpaquePointer
    private var prepared: [Signature: String] = [:]

    /// Statements kept prepared on a connection.
    static let preparedMaximum = 1_000

    private struct Signature: Hashable {
        var text: String
        var types: [Oid]
    }

    /// - Throws: `PersistenceError.unavailable` with libpq's own words, which hold no password.
    init(url: String) throws {
        guard let made = PQconnectdb(url) else { throw PersistenceError.unavailable("libpq has no memory") }
        guard PQstatus(made) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(made)).trimmingCharacters(in: .whitespacesAndNewlines)
            PQfinish(made)
            throw PersistenceError.unavailable("The database server cannot be reached: \(message)")
        }
        connection = made
        _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    var isAlive: Bool { PQstatus(connection) == CONNECTION_OK }
    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }

    /// One or more statements as plain text, for those without values.
    func simple(_ text: String) throws {
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else { throw failure(result) }
    }

    /// A prepared statement with its values; returns its rows and how many it changed.
    func run(_ sql: SQL) throws -> (rows: [Row], changed: Int) {
        let parameters = try sql.values.map(PostgresValue.encode)
        let name = try prepare(sql.text, parameters.map(\.type))
        let lengths = parameters.map { CInt($0.bytes?.count ?? 0) }
        let formats = [CInt](repeating: 1, count: parameters.count)
        let result = withPointers(parameters.map(\.bytes)) { pointers in
            PQexecPrepared(connection, name, CInt(parameters.count), pointers, lengths, formats, 1)
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

    private func prepare(_ text: String, _ types: [Oid]) throws -> String {
        let signature = Signature(text: text, types: types)
        if let name = prepared[signature] { return name }
        if prepared.count >= Self.preparedMaximum {
            try simple("DEALLOCATE ALL")
            prepared.removeAll()
        }
        let name = "s\(prepared.count)"
        let result = PQprepare(connection, name, PostgresConnection.dollars(text), CInt(types.count), types)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure(result) }
        prepared[signature] = name
        return name
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

    private func withPointers<Result>(_ values: [[UInt8]?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        let flat = values.flatMap { $0 ?? [] }
        // An empty value is no null: it needs an address too.
        return (flat + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                var place = 0
                let pointers: [UnsafePointer<CChar>?] = values.map { value in
                    guard let value else { return nil }
                    defer { place += value.count }
                    return buffer.baseAddress! + place
                }
                return body(pointers)
            }
        }
    }

    private func failure(_ result: OpaquePointer?) -> PersistenceError {
        let message = String(cString: PQresultErrorMessage(result)).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let field = PQresultErrorField(result, CInt(UInt8(ascii: "C"))) else {
            return .unavailable("The database server closed the connection. \(message)")
        }
        let code = String(cString: field)
        let constraint = PQresultErrorField(result, CInt(UInt8(ascii: "n"))).map { String(cString: $0) }
        return PostgresFailure.error(code: code, constraint: constraint, message: message)
    }
}

/// SQLSTATE codes (PostgreSQL documentation, appendix A) in the words of `PersistenceError`.
enum PostgresFailure {
    static func error(code: String, constraint: String?, message: String) -> PersistenceError {
        switch code {
        case "23505": .constraint(kind: .unique, constraint: constraint, message: message)
        case "23503": .constraint(kind: .foreignKey, constraint: constraint, message: message)
        case "23502": .constraint(kind: .notNull, constraint: constraint, message: message)
        case "23514": .constraint(kind: .check, constraint: constraint, message: message)
        case "40001", "40P01": .contended(message)
        case "53100": .diskFull("The database server's disk is full: make room and try again.")
        case let code where code.hasPrefix("08") || code.hasPrefix("57P"): .unavailable("The database server is away: \(message)")
        default: .driver(code: code, message: message)
        }
    }
}
