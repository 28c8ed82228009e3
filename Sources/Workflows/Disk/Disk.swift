package import Kernel
package import Persistence

/// The verbs on tenants' disks, for people.
package struct Disk: Sendable {
    let database: any Database
    let blobs: any BlobStore
    let policies: TenantPolicies

    package init(database: any Database, blobs: any BlobStore, policies: TenantPolicies) {
        self.database = database
        self.blobs = blobs
        self.policies = policies
    }

    /// All files in a folder and below, by path.
    package func files(below folder: String, after last: String, limit: Int, by principal: Principal) async throws -> [DiskFile] {
        let tenant = try principal.tenant(for: .filesRead)
        let folder = try DiskPath.folder(folder)
        return try await database.read(in: tenant) { tx in try DiskStore(tx: tx).files(below: folder, after: last, limit: limit) }
    }

    /// What lies directly in a folder; one that no file lies in is empty.
    package func folder(_ written: String, after last: String, limit: Int, by principal: Principal) async throws -> DiskFolder {
        let tenant = try principal.tenant(for: .filesRead)
        let path = try DiskPath.folder(written)
        return try await database.read(in: tenant) { tx in
            let store = DiskStore(tx: tx)
            return DiskFolder(
                path: path, children: Self.children(of: path, try store.folders(below: path)),
                files: try store.files(in: path, after: last, limit: limit), diskFileCount: try store.count(), diskByteCount: try store.byteCount())
        }
    }

    package func file(_ id: DiskFileID, by principal: Principal) async throws -> DiskFile {
        let tenant = try principal.tenant(for: .filesRead)
        return try await database.read(in: tenant) { tx in try Self.known(id, DiskStore(tx: tx)) }
    }

    /// A file with its bytes.
    package func open(_ id: DiskFileID, by principal: Principal) async throws -> (DiskFile, BytePieces) {
        let tenant = try principal.tenant(for: .filesRead)
        let file = try await database.read(in: tenant) { tx in try Self.known(id, DiskStore(tx: tx)) }
        return (file, try await pieces(file, tenant))
    }

    /// Writes a file, in place of the one at the path if there is one.
    /// - Parameter type: its media type, where its name does not say it.
    /// - Throws: `bad_path`, `limit_reached`, `not_a_folder`, `is_a_folder`
    package func put(_ written: String, _ bytes: [UInt8], type: String?, by principal: Principal) async throws -> DiskFile {
        let tenant = try principal.tenant(for: .filesWrite)
        let path = try DiskPath(written)
        let mediaType =
            FileTypes.type(ofName: path.name) ?? type.flatMap(Self.plainType) ?? FileTypes.type(ofBytes: bytes) ?? "application/octet-stream"
        let payload = try await PreparedPayload(bytes, tenant: tenant, blobs: blobs)
        return try await database.write(in: tenant) { [self] tx in
            var edit = try DiskEdit(tx)
            let file = try edit.put(path, .payload(payload), mediaType: mediaType)
            try edit.finish()
            try policies.audit(tx, principal, "file.write", "file:\(file.id)", ["path": .string(path.shown)])
            return file
        }
    }

    /// Gives a file another path.
    /// - Throws: `bad_path`, `name_taken`, `not_a_folder`, `is_a_folder`
    package func move(_ id: DiskFileID, to written: String, by principal: Principal) async throws -> DiskFile {
        let tenant = try principal.tenant(for: .filesWrite)
        let path = try DiskPath(written)
        return try await database.write(in: tenant) { [self] tx in
            var edit = try DiskEdit(tx)
            let file = try Self.known(id, DiskStore(tx: tx))
            let moved = try edit.move(file, to: path)
            try edit.finish()
            try policies.audit(
                tx, principal, "file.move", "file:\(id)", ["from": .string(file.path.shown), "path": .string(path.shown)])
            return moved
        }
    }

    package func delete(_ id: DiskFileID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .filesWrite)
        try await database.write(in: tenant) { [self] tx in
            var edit = try DiskEdit(tx)
            let file = try Self.known(id, DiskStore(tx: tx))
            try edit.remove(file)
            try edit.finish()
            try policies.audit(tx, principal, "file.delete", "file:\(id)", ["path": .string(file.path.shown)])
        }
    }

    func pieces(_ file: DiskFile, _ tenant: TenantID) async throws -> BytePieces {
        switch try await database.read(in: tenant, { tx in try PayloadStore(tx: tx).find(file.hash) }) {
        case .here(let bytes)?: return BytePieces(bytes)
        case .blob(let byteCount)?:
            if let pieces = try await blobs.pieces(file.hash, byteCount: byteCount, tenant: tenant) { return pieces }
        case nil: break
        }
        throw Self.changed
    }

    /// The file was replaced between the look at it and the one at its bytes.
    static let changed = Refusal(.gone, "file_changed", "The file was changed just now; read it again.")

    static func known(_ id: DiskFileID, _ store: DiskStore) throws -> DiskFile {
        guard let file = try store.file(id) else { throw Refusal.missing("file") }
        return file
    }

    /// The next names below a folder, of the folders that hold files.
    private static func children(of folder: String, _ all: [(path: String, files: Int, bytes: Int)]) -> [DiskFolder.Child] {
        var children: [DiskFolder.Child] = []
        for one in all {
            let rest = folder.isEmpty ? one.path[...] : one.path.dropFirst(folder.count + 1)
            let name = String(rest.prefix { $0 != "/" })
            if children.last?.name == name {
                children[children.count - 1].fileCount += one.files
                children[children.count - 1].byteCount += one.bytes
            } else if let known = children.firstIndex(where: { $0.name == name }) {
                // `a-b` lies between `a` and `a/c`.
                children[known].fileCount += one.files
                children[known].byteCount += one.bytes
            } else {
                children.append(DiskFolder.Child(name: name, fileCount: one.files, byteCount: one.bytes))
            }
        }
        return children
    }

    /// A media type without its parameters; nil for what says nothing, or is none.
    private static func plainType(_ written: String) -> String? {
        let type = written.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        let isType = type.utf8.count <= 127 && type.wholeMatch(of: #/[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+/#) != nil
        return isType && type != "application/octet-stream" && type != "application/x-www-form-urlencoded" ? type : nil
    }
}
