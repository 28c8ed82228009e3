internal import Foundation

/// Brings committed groups to the disk and has them answered, so that the writer goes on with the next group meanwhile.
///
/// SQLite's commits only write the write-ahead file (`synchronous = NORMAL`: it syncs by itself where a checkpoint needs it). A group is answered
/// after a sync of that file which began after its commit; one sync is enough for all the groups that have come in by then. Where nobody waits
/// for the writer, it syncs itself, without a change of threads.
///
/// A sync that fails ends the process: what the system has not written it may have forgotten (https://wiki.postgresql.org/wiki/Fsync_Errors), and
/// the next start reads what the disk has.
final class WriteAheadSync: @unchecked Sendable {
    /// Groups that may wait for the disk before the writer does.
    static let waitingMaximum = 16

    private let condition = NSCondition()
    private var waiting: [@Sendable () -> Void] = []
    private var isSyncing = false
    private var isClosed = false
    private var hasEnded = false
    /// One thread at a time uses it: the writer while nothing waits and nothing is on its way, else the thread of the syncs.
    private let sync: () throws -> Void

    /// - Parameter sync: brings all that was written to the disk.
    init(sync: @escaping () throws -> Void) {
        self.sync = sync
        let thread = Thread { [self] in run() }
        thread.name = "sqlite-sync"
        thread.start()
    }

    /// Only the writing thread calls it, after a commit.
    /// - Parameters:
    ///   - isPressed: whether other writes wait for the calling thread.
    ///   - answer: called once the disk has the commit, on this thread or that of the syncs.
    func settle(isPressed: Bool, _ answer: @escaping @Sendable () -> Void) {
        condition.lock()
        while waiting.count >= Self.waitingMaximum { condition.wait() }
        if isPressed || isSyncing || !waiting.isEmpty {
            waiting.append(answer)
            condition.broadcast()
            condition.unlock()
        } else {
            condition.unlock()
            bring()
            answer()
        }
    }

    /// Syncs and answers what waits, then ends the thread.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while !hasEnded { condition.wait() }
        condition.unlock()
    }

    private func run() {
        while let answers = next() {
            bring()
            for answer in answers { answer() }
        }
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> [@Sendable () -> Void]? {
        condition.lock()
        defer { condition.unlock() }
        isSyncing = false
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        isSyncing = true
        let answers = waiting
        waiting = []
        condition.broadcast()
        return answers
    }

    private func bring() {
        do {
            try sync()
        } catch {
            fatalError(
                "The disk did not take what was written to the database, so that nothing after it can be trusted: \(error). Start again once it does."
            )
        }
    }
}

/// The write-ahead file beside a database.
final class WriteAheadFile {
    private let path: String
    private var descriptor: CInt = -1
    private var identity: Identity?

    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
    }

    init(database path: String) { self.path = path + "-wal" }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// - Throws: `POSIXError` of the call that failed.
    func sync() throws {
        var status = stat()
        try check(stat(path, &status))
        let found = Identity(device: status.st_dev, inode: status.st_ino)
        if found != identity {
            if descriptor >= 0 { close(descriptor) }
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            try check(descriptor)
            // Its name has to outlive a power cut as well.
            let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
            try check(folder)
            defer { close(folder) }
            try check(fsync(folder))
            identity = found
        }
        try check(fdatasync(descriptor))
    }

    private func check(_ code: CInt) throws {
        guard code < 0 else { return }
        throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
}
