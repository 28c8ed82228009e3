internal import Foundation
internal import GRDBSQLite

/// Moves what the write-ahead file holds into the database's file, on a connection and a thread of its own beside the writer.
///
/// The file begins again at its start only once all of it is moved, which a checkpoint beside a busy writer never sees. So most is moved there,
/// in rounds that get shorter, and the writer moves the little that is left between two commits.
final class Checkpointer: @unchecked Sendable {
    /// Pages in the write-ahead file from which it is moved: rarer and larger moves cost less than many small ones.
    static let pages = 8_000
    /// What the writer may be left with.
    static let leftPages = 1_000
    /// From this size on the writer waits for the move, so that the file stays bounded.
    static let pagesMaximum = 64_000
    private static let rounds = 4

    private enum State { case idle, asked, left }

    private let condition = NSCondition()
    private var state = State.idle
    private var isClosed = false
    private var hasEnded = false
    /// Only the writing thread touches it: the size at which the next move is due. A reader of an older state can keep a move from ending.
    private var due = Checkpointer.pages
    private let path: String

    init(path: String) {
        self.path = path
        let thread = Thread { [self] in run() }
        thread.name = "sqlite-checkpoint"
        thread.start()
    }

    /// Only the writing thread calls it, after a commit.
    /// - Parameter size: pages in the write-ahead file.
    func isDue(size: Int) -> Bool {
        if size < Self.pages { due = Self.pages }
        return size >= due
    }

    /// Only the writing thread calls it, where a move is due.
    func committed(size: Int, on connection: OpaquePointer?) {
        condition.lock()
        if state == .idle {
            state = .asked
            condition.broadcast()
        }
        while state == .asked, size >= Self.pagesMaximum { condition.wait() }
        let isLeft = state == .left
        if isLeft { state = .idle }
        condition.unlock()
        guard isLeft else { return }
        let rest = Self.move(connection)
        due = rest == 0 ? Self.pages : size + Self.pages / 4
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while !hasEnded { condition.wait() }
        condition.unlock()
    }

    private func run() {
        var connection: OpaquePointer?
        // Where it cannot be opened, the writer moves all.
        if sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK {
            sqlite3_exec(connection, "PRAGMA wal_autocheckpoint = 0", nil, nil, nil)
        }
        while isAsked() {
            if let connection {
                var rest = Int.max
                for _ in 0..<Self.rounds where rest > Self.leftPages { rest = Self.move(connection) }
            }
            condition.lock()
            state = .left
            condition.broadcast()
            condition.unlock()
        }
        sqlite3_close_v2(connection)
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    private func isAsked() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while state != .asked, !isClosed { condition.wait() }
        return !isClosed
    }

    /// Moves what no reader needs, without making anyone wait. What fails is tried again later: nothing is lost by it.
    /// - Returns: pages that are left in the write-ahead file.
    private static func move(_ connection: OpaquePointer?) -> Int {
        var size: CInt = 0
        var moved: CInt = 0
        guard sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, &size, &moved) == SQLITE_OK else { return Int.max }
        return Int(size - moved)
    }
}

/// How many pages the write-ahead file of a connection has after its last commit.
final class WriteAheadSize: @unchecked Sendable {
    /// Only the writing thread touches it.
    private(set) var pages = 0

    /// To be kept for as long as the connection is open.
    func follow(_ connection: OpaquePointer?) {
        let note: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, CInt) -> CInt = { context, _, _, pages in
            guard let context else { return SQLITE_OK }
            Unmanaged<WriteAheadSize>.fromOpaque(context).takeUnretainedValue().pages = Int(pages)
            return SQLITE_OK
        }
        _ = sqlite3_wal_hook(connection, note, Unmanaged.passUnretained(self).toOpaque())
    }
}
