internal import Foundation
internal import GRDB
internal import Kernel

extension SQLiteDatabase {
    /// Copies the database as it is at one moment into a new file, while writers go on (SQLite's backup API on a reader's snapshot).
    package func backup(to path: String) async throws {
        try await Self.onThread { [pool] in
            do {
                let target = try DatabaseQueue(path: path)
                try pool.backup(to: target)
                try target.close()
            } catch let error as DatabaseError {
                throw SQLiteFailure.error(error)
            }
        }
    }

    /// The ids of the migrations that a copy has run.
    package static func schema(ofCopyAt path: String) throws -> [String] {
        do {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            return try queue.read { connection in try String.fetchAll(connection, sql: "SELECT id FROM schema_migrations ORDER BY id") }
        } catch let error as DatabaseError {
            throw SQLiteFailure.error(error)
        }
    }

    /// Opens a copy and looks at all of it: pages, indexes and foreign keys.
    /// - Returns: the ids of the migrations that it has run.
    /// - Throws: `PersistenceError.unavailable` with the first fault.
    package static func check(copyAt path: String) throws -> [String] {
        do {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            return try queue.read { connection in
                let faults = try String.fetchAll(connection, sql: "PRAGMA integrity_check(10)")
                guard faults == ["ok"] else { throw PersistenceError.unavailable("The database in the backup is damaged: \(faults[0])") }
                if try GRDB.Row.fetchOne(connection, sql: "PRAGMA foreign_key_check") != nil {
                    throw PersistenceError.unavailable("The database in the backup is damaged: a row refers to one that is missing.")
                }
                return try String.fetchAll(connection, sql: "SELECT id FROM schema_migrations ORDER BY id")
            }
        } catch let error as DatabaseError {
            throw SQLiteFailure.error(error)
        }
    }

    private static func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
        }
    }
}
