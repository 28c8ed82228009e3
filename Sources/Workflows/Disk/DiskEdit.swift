internal import Jobs
internal import Kernel
internal import Persistence
internal import Tenancy

/// A tenant's disk in the hands of one transaction. What published workflows wait for is told at the end, once for each path, by timers that are
/// written with the files.
struct DiskEdit {
    enum Content: Sendable {
        case payload(PreparedPayload)
        /// Bytes that the tenant has stored already.
        case stored(PayloadHash)

        var hash: PayloadHash {
            switch self {
            case .payload(let payload): payload.hash
            case .stored(let hash): hash
            }
        }
    }

    private let tx: TenantTransaction
    private let store: DiskStore
    private let payloads: PayloadStore
    private let watches: [DiskWatch]
    private let now: Timestamp
    /// Whether there was a file at a path that was changed here.
    private var filesBefore: [String: Bool] = [:]
    private var foldersBefore: [String: Bool] = [:]
    private var order: [String] = []
    /// How many files there are, once that was asked.
    private var fileCount: Int?

    init(_ tx: TenantTransaction) throws {
        self.tx = tx
        store = DiskStore(tx: tx)
        payloads = PayloadStore(tx: tx)
        watches = try DiskWatchStore(tx: tx).all()
        now = tx.clock.now()
    }

    /// Writes a file in place of the one that is there, if there is one.
    /// - Parameter mark: what the writing step is known by; where the file has these bytes by the same step, nothing is changed.
    /// - Throws: `limit_reached`, `too_many`, `not_a_folder`, `is_a_folder`, `binary_gone`
    @discardableResult
    mutating func put(_ path: DiskPath, _ content: Content, mediaType: String, by mark: String? = nil) throws -> DiskFile {
        let known = try store.file(at: path)
        if let known, let mark, known.writtenBy == mark, known.hash == content.hash { return known }
        if known == nil { try checkRoom(for: path) }
        try note(path)
        let id = known?.id ?? tx.ids.next()
        let byteCount = try keep(content, for: id)
        if let known, known.hash != content.hash { try payloads.release([known.hash], of: PayloadUser(id)) }
        let file = DiskFile(
            id: id, path: path, hash: content.hash, byteCount: byteCount, mediaType: mediaType, writtenBy: mark,
            createdAt: known?.createdAt ?? now, updatedAt: now)
        if known == nil { try insert(file) } else { try store.update(file) }
        try tx.requireStorage()
        return file
    }

    /// - Throws: `name_taken`, `not_a_folder`, `is_a_folder`
    mutating func move(_ file: DiskFile, to path: DiskPath) throws -> DiskFile {
        guard path != file.path else { return file }
        guard try store.file(at: path) == nil else {
            throw Refusal(.conflict, "name_taken", "There is a file \(path.shown) already.", field: "path")
        }
        try note(file.path)
        try note(path)
        var moved = file
        moved.path = path
        moved.mediaType = FileTypes.type(ofName: path.name) ?? file.mediaType
        moved.updatedAt = now
        // Out of the way first, so that `a` can become `a/b`.
        try delete(file.id)
        try checkRoom(for: path)
        try insert(moved)
        return moved
    }

    mutating func remove(_ file: DiskFile) throws {
        try note(file.path)
        try delete(file.id)
        try payloads.release([file.hash], of: PayloadUser(file.id))
    }

    /// Tells those who wait.
    func finish() throws {
        guard !watches.isEmpty else { return }
        for path in order {
            let (was, stands) = (filesBefore[path] ?? false, try store.isFile(anyOf: [path]))
            if was || stands { try tell(stands ? (was ? .change : .add) : .unlink, path) }
        }
        for (folder, was) in foldersBefore.sorted(by: { $0.key < $1.key }) {
            let stands = try store.hasFiles(below: folder)
            if was != stands { try tell(stands ? .addDir : .unlinkDir, folder) }
        }
    }

    private func tell(_ event: DiskWatch.Event, _ path: String) throws {
        for watch in watches where watch.wants(event, at: path) {
            try DiskStarts.set(event, at: path, for: watch, tx)
        }
    }

    private mutating func note(_ path: DiskPath) throws {
        guard !watches.isEmpty, filesBefore[path.text] == nil else { return }
        order.append(path.text)
        filesBefore[path.text] = try store.isFile(anyOf: [path.text])
        guard watches.contains(where: \.wantsFolders) else { return }
        for folder in path.folders where foldersBefore[folder] == nil { foldersBefore[folder] = try store.hasFiles(below: folder) }
    }

    private mutating func insert(_ file: DiskFile) throws {
        try store.insert(file)
        fileCount? += 1
    }

    private mutating func delete(_ id: DiskFileID) throws {
        try store.delete(id)
        fileCount? -= 1
    }

    private mutating func checkRoom(for path: DiskPath) throws {
        let count = try fileCount ?? store.count()
        fileCount = count
        guard count < Limits.filesPerDisk else {
            throw Refusal(.limitReached, "too_many", "A disk has at most \(Limits.filesPerDisk) files; delete some.")
        }
        guard try !store.isFile(anyOf: path.folders) else {
            throw Refusal(.conflict, "not_a_folder", "\(path.shown) lies in what is a file, not a folder.", field: "path")
        }
        guard try !store.hasFiles(below: path.text) else {
            throw Refusal(.conflict, "is_a_folder", "\(path.shown) is a folder that holds files.", field: "path")
        }
    }

    /// - Returns: how many bytes they are.
    private func keep(_ content: Content, for id: DiskFileID) throws -> Int {
        switch content {
        case .payload(let payload):
            try payloads.store(payload, for: PayloadUser(id))
            return payload.byteCount
        case .stored(let hash):
            guard let byteCount = try payloads.share(hash, with: PayloadUser(id)) else {
                throw Refusal(.gone, "binary_gone", "The attached file is gone.")
            }
            return byteCount
        }
    }
}
