package import Kernel
internal import Persistence

/// What steps of a run do with the tenant's disk.
extension Disk {
    /// The files that a pattern matches, by path, held by the run whose items will name them. They are looked for outside of any transaction, which
    /// would keep all others waiting, and held as they are by then.
    /// - Throws: `too_many`
    package func select(_ pattern: DiskGlob, for holder: FileHolder) async throws -> [DiskFile] {
        var found: [DiskPath] = []
        var last = ""
        while true {
            let page = try await database.read(in: holder.tenant) { [last] tx in
                try DiskStore(tx: tx).files(below: pattern.root, after: last, limit: Self.pageRows)
            }
            found += page.map(\.path).filter { pattern.matches($0.text) }
            guard found.count <= Limits.diskFilesPerStep else {
                throw Refusal(
                    .invalid, "too_many", "The pattern matches more than \(Limits.diskFilesPerStep) files, which one step reads; narrow it.")
            }
            guard page.count == Self.pageRows, let next = page.last else { break }
            last = next.path.text
            try Task.checkCancellation()
        }
        guard !found.isEmpty else { return [] }
        return try await hold(found, for: holder)
    }

    /// Those of some files that are still there.
    func hold(_ paths: [DiskPath], for holder: FileHolder) async throws -> [DiskFile] {
        try await database.write(in: holder.tenant) { tx in
            let store = DiskStore(tx: tx)
            let files = try paths.compactMap { try store.file(at: $0) }
            try Self.hold(files, for: holder, tx)
            return files
        }
    }

    /// - Throws: `no_such_file`
    package func file(at path: DiskPath, for holder: FileHolder) async throws -> DiskFile {
        try await database.write(in: holder.tenant) { tx in
            guard let file = try DiskStore(tx: tx).file(at: path) else {
                throw Refusal(.missing, "no_such_file", "There is no file \(path.shown) on the tenant's disk.")
            }
            try Self.hold([file], for: holder, tx)
            return file
        }
    }

    /// The file that was written last, of those that a node waits for; nil where there is none.
    func newest(_ watch: DiskWatch, tenant: TenantID) async throws -> DiskFile? {
        try await database.read(in: tenant) { tx in
            let store = DiskStore(tx: tx)
            return try watch.isFolder ? store.newest(below: watch.path) : store.file(at: DiskPath(stored: watch.path))
        }
    }

    /// Writes for all items of a step in one transaction: all of them or nothing. A repeat with the same key and bytes changes nothing.
    /// - Throws: `file_busy` where others keep changing a file that is appended to; `file_too_large`, `limit_reached`, `binary_gone`
    package func write(
        _ writes: [DiskWrite], key: String, tenant: TenantID, open: @escaping @Sendable (BinaryReference) async throws -> BytePieces
    ) async throws {
        let changes = DiskWrites(writes).changes
        guard changes.count <= Limits.diskFilesPerStep else {
            throw Refusal(.invalid, "too_many", "One step writes at most \(Limits.diskFilesPerStep) files; divide the items.")
        }
        for _ in 0..<Self.triesMaximum {
            do {
                var prepared: [Prepared] = []
                for change in changes { prepared.append(try await prepare(change, key, tenant, open)) }
                if try await commit(prepared, tenant) { return }
            } catch let refusal as Refusal where refusal.code == Self.changed.code {
                // Another appended between the look at the file and its bytes.
            }
        }
        throw StepFailure("file_busy", "Other executions keep changing a file that this one appends to; it can be tried again.")
    }

    private static let pageRows = 2_000
    private static let triesMaximum = 8

    /// One file's change with its bytes at hand.
    private struct Prepared: Sendable {
        var change: DiskWrites.Change
        var mark: String
        /// What it goes on from, where it does.
        var base: PayloadHash?
        /// nil where it was appended already.
        var content: DiskEdit.Content?
    }

    private func prepare(_ change: DiskWrites.Change, _ key: String, _ tenant: TenantID, _ open: @escaping DiskWrites.Open) async throws -> Prepared {
        let mark = change.mark(key)
        var sources = change.parts.map { part in { @Sendable in try await open(part) } as @Sendable () async throws -> BytePieces }
        var base: DiskFile?
        if change.extends {
            let (known, isDone) = try await database.read(in: tenant) { tx in
                let store = DiskStore(tx: tx)
                return (try store.file(at: change.path), try store.hasAppended(mark))
            }
            if isDone { return Prepared(change: change, mark: mark) }
            base = known
            if let known { sources.insert({ @Sendable in try await pieces(known, tenant) }, at: 0) }
        }
        if sources.count == 1, let hash = PayloadHash(hex: change.parts[0].id) {
            return Prepared(change: change, mark: mark, content: .stored(hash))
        }
        let limit = change.extends ? Limits.diskAppendBytes : Limits.fileBytes
        let payload: PreparedPayload
        do {
            payload = try await PreparedPayload(JoinedPieces(sources).pieces, upTo: limit, tenant: tenant, blobs: blobs)
        } catch let refusal as Refusal where refusal.code == "too_large" {
            throw Refusal(
                .tooLarge, "file_too_large", "\(change.path.shown) would be larger than \(limit) bytes; begin another file.")
        }
        return Prepared(change: change, mark: mark, base: base?.hash, content: .payload(payload))
    }

    /// - Returns: false where a file that is gone on from has changed meanwhile.
    private func commit(_ prepared: [Prepared], _ tenant: TenantID) async throws -> Bool {
        try await database.write(in: tenant) { tx in
            let store = DiskStore(tx: tx)
            for one in prepared where one.change.extends && one.content != nil {
                guard try store.file(at: one.change.path)?.hash == one.base, try !store.hasAppended(one.mark) else { return false }
            }
            var edit = try DiskEdit(tx)
            for one in prepared {
                guard let content = one.content else { continue }
                try edit.put(one.change.path, content, mediaType: one.change.mediaType, by: one.mark)
                if one.change.extends { try store.note(appended: one.mark) }
            }
            try edit.finish()
            return true
        }
    }

    /// Items name a file by its bytes, which stay for them when the file is changed or deleted.
    private static func hold(_ files: [DiskFile], for holder: FileHolder, _ tx: TenantTransaction) throws {
        try RunFileStore(tx: tx).hand(Set(files.map(\.hash)), to: holder.run)
    }
}

extension DiskFile {
    /// As an item carries it.
    package var reference: BinaryReference {
        BinaryReference(
            id: hash.hex, mimeType: mediaType, fileName: path.name, fileExtension: FileTypes.ending(ofName: path.name), byteCount: byteCount)
    }
}
