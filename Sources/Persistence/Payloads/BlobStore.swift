internal import Foundation
internal import Glibc
package import Kernel
internal import Synchronization

/// Where large payloads lie, outside the database.
package protocol BlobStore: Sendable {
    /// Returns when the bytes are durable; the row that names them is written after.
    func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws
    /// - Returns: nil where there is none.
    func load(_ hash: PayloadHash, tenant: TenantID) throws -> [UInt8]?
    /// Removes what has no row (never written, or deleted) once it is older than `grace`, which is longer than any transaction waits between its
    /// blob and its row.
    /// - Returns: how many blobs were removed.
    @discardableResult
    func sweep(_ database: any Database, olderThan grace: Duration, clock: Clock) async throws -> Int
    func close() async
}

extension BlobStore {
    package func close() async {}

    /// Blobs looked up in one query of a sweep.
    static var sweepBatch: Int { 200 }

    /// Which of these are named by a row.
    func used(_ hashes: [PayloadHash], by tenant: TenantID, in database: any Database) async throws -> Set<PayloadHash> {
        guard !hashes.isEmpty else { return [] }
        let found = try await database.read(in: tenant) { tx in
            try tx.all("SELECT hash FROM payloads WHERE tenant_id = \(tx.tenant) AND hash IN \(list: hashes)") {
                try $0.column(0, as: PayloadHash.self)
            }
        }
        return Set(found)
    }
}

/// Blobs in a folder, one subfolder a tenant: written beside, synced, renamed, the folder synced.
package struct FolderBlobs: BlobStore {
    let root: String
    /// Held while a file is found to be there already, and while one is swept.
    static let sweeping = Mutex(())
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "blobs"
        queue.maxConcurrentOperationCount = 4
        return queue
    }()

    package init(path: String) { root = path }

    package func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Self.queue.addOperation { continuation.resume(with: Result { try keepNow(bytes, hash, tenant) }) }
        }
    }

    package func load(_ hash: PayloadHash, tenant: TenantID) throws -> [UInt8]? {
        let path = self.path(hash, tenant)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return [UInt8](try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw PersistenceError.unavailable("A stored file cannot be read: \(error.localizedDescription)")
        }
    }

    func path(_ hash: PayloadHash, _ tenant: TenantID) -> String { "\(root)/\(tenant)/\(hash.hex)" }

    private func keepNow(_ bytes: [UInt8], _ hash: PayloadHash, _ tenant: TenantID) throws {
        let folder = "\(root)/\(tenant)"
        let target = path(hash, tenant)
        if isRenewed(target) { return }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PersistenceError.unavailable("The blob folder cannot be made: \(error.localizedDescription)")
        }
        let draft = target + "." + UUID().uuidString
        try write(bytes, to: draft)
        guard rename(draft, target) == 0 else { throw failure("renamed") }
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            Glibc.close(parent)
        }
    }

    /// A file that is there is used again: the sweep must take it for new.
    private func isRenewed(_ path: String) -> Bool { Self.sweeping.withLock { _ in utimensat(AT_FDCWD, path, nil, 0) == 0 } }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("created") }
        defer { Glibc.close(file) }
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + place, bytes.count - place) }
            guard count > 0 else {
                let error = failure("written")
                unlink(path)
                throw error
            }
            place += count
        }
        guard fsync(file) == 0 else { throw failure("synced") }
    }

    private func failure(_ verb: String) -> PersistenceError {
        if errno == ENOSPC || errno == EDQUOT { return .diskFull("The disk is full: make room and try again.") }
        return .unavailable("A stored file could not be \(verb): \(String(cString: strerror(errno)))")
    }
}
