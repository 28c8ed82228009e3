internal import Foundation
internal import GRDB

/// A database in a file that grows, and can be made smaller while others use it.
package protocol SpaceKeeping: Sendable {
    /// Gives back what deleted rows have left empty, beyond `keptPages` for what comes next, in short parts between which others write.
    /// - Returns: bytes by which the file is smaller once it is checkpointed.
    @discardableResult
    func giveBackSpace(keptPages: Int) async throws -> Int
}

extension SQLiteDatabase: SpaceKeeping {
    /// Pages that one part moves: some milliseconds for which writers wait.
    private static let pagesPerPart = 500
    private static let pauseBetweenParts: Duration = .milliseconds(20)

    /// By incremental vacuum (https://www.sqlite.org/pragma.html#pragma_incremental_vacuum). A file from before it was made for that keeps its size,
    /// and uses its empty pages again.
    @discardableResult
    package func giveBackSpace(keptPages: Int) async throws -> Int {
        let pageSize = try await onWriter { try Int.fetchOne($0, sql: "PRAGMA page_size") ?? 0 }
        guard try await onWriter({ try Int.fetchOne($0, sql: "PRAGMA auto_vacuum") }) == 2 else { return 0 }
        var given = 0
        while !Task.isCancelled {
            let part = try await onWriter { connection -> Int in
                let free = try Int.fetchOne(connection, sql: "PRAGMA freelist_count") ?? 0
                let count = min(Self.pagesPerPart, free - keptPages)
                guard count > 0 else { return 0 }
                _ = try GRDB.Row.fetchAll(connection, sql: "PRAGMA incremental_vacuum(\(count))")
                return free - (try Int.fetchOne(connection, sql: "PRAGMA freelist_count") ?? 0)
            }
            guard part > 0 else { break }
            given += part
            try await Task.sleep(for: Self.pauseBetweenParts)
        }
        return given * pageSize
    }

    private func onWriter<Value: Sendable>(_ work: @escaping @Sendable (GRDB.Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [pool] in
                continuation.resume(
                    with: Result {
                        do { return try pool.writeWithoutTransaction(work) } catch let error as DatabaseError { throw SQLiteFailure.error(error) }
                    })
            }
        }
    }
}
