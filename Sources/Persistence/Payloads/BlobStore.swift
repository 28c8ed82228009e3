internal import Foundation
internal import Glibc
package import Kernel
internal import Synchronization

/// Where large payloads lie, outside the database.
package protocol BlobStore: Sendable {
    /// Returns when the bytes are durable; the row that names them is written after.
    func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws
    /// Keeps bytes that come piece by piece, without ever holding all of them.
    func keep(_ pieces: BytePieces, tenant: TenantID) async throws -> (hash: PayloadHash, byteCount: Int)
    /// - Returns: nil where there is none.
    func load(_ hash: PayloadHash, tenant: TenantID) throws -> [UInt8]?
    /// The same piece by piece.
    func pieces(_ hash: PayloadHash, byteCount: Int, tenant: TenantID) async throws -> BytePieces?
    /// Removes what has no row (never written, or deleted) once it is older than `grace`, which is longer than any transaction waits between its
    /// blob and its row. Its age is told by the clock of the store, which stamped it.
    /// - Parameter tenants: whose blobs this database answers for. Those of others stay: another deployment may keep them in the same place.
    /// - Returns: how many blobs were removed.
    @discardableResult
    func sweep(_ database: any Database, of tenants: Set<TenantID>, olderThan grace: Duration) async throws -> Int
    /// Whether `load` is as quick as a disk, so that any thread may wait for it.
    var isAtHand: Bool { get }
    func close() async
}

extension BlobStore {
    package var isAtHand: Bool { false }
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
    package var isAtHand: Bool { true }
    /// Held while a file is found to be there already, and while one is swept.
    static let sweeping = Mutex(())
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "blobs"
        queue.maxConcurrentOperationCount = 4
        return queue
    }()

    /// Makes the names in a folder durable.
    private let sync: @Sendable (_ folder: String) throws -> Void
    /// Folders for which that failed: what lies there may be gone after a crash until it is made up for.
    private static let unsynced = Mutex<Set<String>>([])

    package init(path: String) { self.init(path: path, sync: Self.synced) }

    init(path: String, sync: @escaping @Sendable (_ folder: String) throws -> Void) {
        root = path
        self.sync = sync
    }

    package func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws {
        try await Self.queue.run { try keepNow(bytes, hash, tenant) }
    }

    package func keep(_ pieces: BytePieces, tenant: TenantID) async throws -> (hash: PayloadHash, byteCount: Int) {
        let draft = try await Self.queue.run {
            try makeFolder(tenant)
            return try FileDraft(path: "\(folder(tenant))/incoming.\(UUID().uuidString)")
        }
        do {
            var gathered: [UInt8] = []
            for try await piece in pieces {
                gathered += piece
                guard gathered.count >= Limits.pieceBytes else { continue }
                let next = gathered
                gathered = []
                try await Self.queue.run { try draft.write(next) }
            }
            let rest = gathered
            return try await Self.queue.run {
                try draft.write(rest)
                let hash = try draft.finish()
                try place(draft.path, at: path(hash, tenant), tenant)
                return (hash, draft.byteCount)
            }
        } catch {
            draft.remove()
            throw error
        }
    }

    package func pieces(_ hash: PayloadHash, byteCount: Int, tenant: TenantID) async throws -> BytePieces? {
        let path = self.path(hash, tenant)
        return try await Self.queue.run { try FileReading(path: path)?.pieces(Self.queue) }
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

    private func folder(_ tenant: TenantID) -> String { "\(root)/\(tenant)" }

    func path(_ hash: PayloadHash, _ tenant: TenantID) -> String { "\(folder(tenant))/\(hash.hex)" }

    private func keepNow(_ bytes: [UInt8], _ hash: PayloadHash, _ tenant: TenantID) throws {
        let target = path(hash, tenant)
        if isRenewed(target) { return try settle(folder(tenant), isNew: false) }
        try makeFolder(tenant)
        let draft = try FileDraft(path: target + "." + UUID().uuidString)
        do {
            try draft.write(bytes)
            _ = try draft.finish()
            try place(draft.path, at: target, tenant)
        } catch {
            draft.remove()
            throw error
        }
    }

    private func makeFolder(_ tenant: TenantID) throws {
        let files = FileManager.default
        let (isNew, isFirst) = (!files.fileExists(atPath: folder(tenant)), !files.fileExists(atPath: root))
        do {
            try files.createDirectory(atPath: folder(tenant), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PersistenceError.unavailable("The blob folder cannot be made: \(error.localizedDescription)")
        }
        if isFirst { try settle(URL(filePath: root).deletingLastPathComponent().path, isNew: true) }
        try settle(root, isNew: isNew)
    }

    /// Gives a finished draft its name, and makes that durable.
    private func place(_ draft: String, at target: String, _ tenant: TenantID) throws {
        guard rename(draft, target) == 0 else { throw FileFault.error("renamed") }
        try settle(folder(tenant), isNew: true)
    }

    /// Makes the names in a folder durable.
    /// - Parameter isNew: whether one has just come; else only what failed before is made up for.
    private func settle(_ folder: String, isNew: Bool) throws {
        guard isNew || Self.unsynced.withLock({ $0.contains(folder) }) else { return }
        do { try sync(folder) } catch {
            Self.unsynced.withLock { _ = $0.insert(folder) }
            throw error
        }
        Self.unsynced.withLock { _ = $0.remove(folder) }
    }

    private static func synced(_ folder: String) throws {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw FileFault.error("synced") }
        defer { Glibc.close(file) }
        // A file system that has no such thing for folders says EINVAL, as fsync(2) may, or EBADF.
        guard fsync(file) == 0 || errno == EINVAL || errno == EBADF else { throw FileFault.error("synced") }
    }

    /// A file that is there is used again: the sweep must take it for new.
    private func isRenewed(_ path: String) -> Bool { Self.sweeping.withLock { _ in utimensat(AT_FDCWD, path, nil, 0) == 0 } }
}
