internal import Foundation
internal import Glibc
package import Kernel
internal import Persistence

/// Reads backups: checks all of one, and puts one in the place of a data folder that nobody serves.
package struct Restoration: Sendable {
    private let file: String

    package init(file: String) { self.file = file }

    package struct Report: Sendable {
        package var manifest: BackupManifest
        package var took: Duration

        package var json: JSON {
            [
                "made_at": .string(manifest.madeAt.description), "engine": .string(manifest.engine.rawValue),
                "files": .number(Double(manifest.entries.count)), "keys": .bool(manifest.holdsKeys),
                "schema": .string(manifest.schema.last ?? ""), "seconds": .number((Double(took.microseconds) / 10_000).rounded() / 100)
            ]
        }
    }

    // MARK: Verifying

    /// Unpacks the whole backup into a folder that is thrown away, compares every checksum, and opens the database in it.
    /// - Parameter dataFolder: where to note that this backup can be restored; nil notes it nowhere.
    package func verify(dataFolder: String?, clock: Clock = .system) async throws -> Report {
        let began = ContinuousClock.now
        let parent = dataFolder.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil } ?? NSTemporaryDirectory()
        let place = "\(parent)/.verify-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let manifest = try await Backups.onThread { try unpack(into: place) }
        try await check(manifest, at: place)
        if let dataFolder, FileManager.default.fileExists(atPath: dataFolder) {
            let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int ?? 0
            let now = clock.now()
            try BackupState.change(dataFolder) { $0.lastVerified = BackupState.Note(at: now, path: file, byteCount: size) }
        }
        return Report(manifest: manifest, took: ContinuousClock.now - began)
    }

    private func check(_ manifest: BackupManifest, at place: String) async throws {
        switch manifest.engine {
        case .sqlite:
            let schema = try await Backups.onThread { try SQLiteDatabase.check(copyAt: place + "/" + BackupName.embedded) }
            guard schema == manifest.schema else { throw Self.damaged("the database has run other migrations than the manifest says") }
        case .postgres: try await PostgresTools.check(dumpAt: place + "/" + BackupName.dump)
        }
        let known = Set(Platform.migrations.map(\.id))
        if let newer = manifest.schema.first(where: { !known.contains($0) }) {
            throw Refusal(
                .conflict, "newer_backup",
                "The backup has run \(newer), which this program does not know: it belongs to a newer version. Restore it with that one.")
        }
    }

    /// - Returns: the manifest, with which all that was unpacked agrees.
    private func unpack(into place: String) throws -> BackupManifest {
        let files = FileManager.default
        try files.createDirectory(atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var manifest: [UInt8] = []
        var output: FileHandle?
        let found = try ArchiveReader(path: file).readAll { name, size in
            guard BackupName.isKnown(name) else { throw Self.damaged("it holds \(name), which no backup holds") }
            if name == BackupManifest.name {
                guard size <= Self.manifestBytesMaximum else { throw Self.damaged("its manifest is too large") }
                return { manifest += $0 }
            }
            try output?.close()
            let path = "\(place)/\(name)"
            try files.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
                throw PersistenceError.unavailable("\(path) cannot be written.")
            }
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            output = handle
            return { try handle.write(contentsOf: Data($0)) }
        }
        try output?.synchronize()
        try output?.close()
        let read = try BackupManifest(manifest)
        let listed = Dictionary(read.entries.map { ($0.name, $0) }) { first, _ in first }
        let unpacked = Dictionary(found.filter { $0.name != BackupManifest.name }.map { ($0.name, $0) }) { first, _ in first }
        if let wrong = unpacked.values.first(where: { listed[$0.name] != $0 }) {
            throw Self.damaged("\(wrong.name) is not as it was when it was archived")
        }
        if let missing = listed.keys.first(where: { unpacked[$0] == nil }) { throw Self.damaged("\(missing) is missing") }
        return read
    }

    private static let manifestBytesMaximum = 1 << 30

    private static func damaged(_ reason: String) -> Refusal {
        Refusal(.invalid, "damaged_backup", "The backup cannot be used: \(reason).")
    }

    // MARK: Restoring

    /// Puts the backup in the place of the data folder (and of the database on a server), after all of it was checked.
    /// - Parameter force: also where there is something already, which is lost then.
    /// - Throws: `not_empty`, `newer_backup`, `damaged_backup`; nothing is changed then.
    package func restore(_ configuration: PlatformConfiguration, force: Bool) async throws -> Report {
        let began = ContinuousClock.now
        let folder = try DataFolder(path: configuration.dataFolder)
        let there = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "lock" && $0 != "server.log" }
        guard there.isEmpty || force else {
            throw Refusal(
                .conflict, "not_empty", "\(folder.path) is not empty: name another folder with --data, or say --force to lose what is in it.")
        }
        let place = "\(folder.path)/.restore-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let manifest = try await Backups.onThread { try unpack(into: place) }
        try await check(manifest, at: place)
        guard manifest.engine == .postgres || configuration.databaseURL == nil else {
            throw Refusal(
                .conflict, "other_engine",
                "The backup is of an embedded database, but a database server is configured: leave AIAS_DATABASE_URL out to restore it into a folder."
            )
        }
        if manifest.engine == .postgres { try await restoreServer(configuration, place, force: force) }
        try move(manifest, from: place, to: folder, blobs: BlobPlace.folder(configuration.blobsPlace, folder) ?? folder.blobsPath)
        return Report(manifest: manifest, took: ContinuousClock.now - began)
    }

    private func restoreServer(_ configuration: PlatformConfiguration, _ place: String, force: Bool) async throws {
        let url = try Backups.restoreURL(configuration)
        if !force, try PostgresDatabase.hasSchema(url: url) {
            throw Refusal(.conflict, "not_empty", "The database is not empty: name another one, or say --force to lose what is in it.")
        }
        // The role that serves must be there before its rights are given to it.
        try PostgresDatabase.prepare(url: url)
        let (tools, dump) = (try PostgresTools(url: url), place + "/" + BackupName.dump)
        if try PostgresDatabase.hasSchema(url: url) { try await tools.replace(by: dump) } else { try await tools.restore(dump) }
    }

    private func move(_ manifest: BackupManifest, from place: String, to folder: DataFolder, blobs: String) throws {
        let files = FileManager.default
        for old in ["aias.db", "aias.db-wal", "aias.db-shm", "blobs"] { try? files.removeItem(atPath: "\(folder.path)/\(old)") }
        if manifest.holdsKeys {
            try? files.removeItem(atPath: folder.masterKeyPath)
            try files.moveItem(atPath: "\(place)/\(BackupName.key)", toPath: folder.masterKeyPath)
        }
        if files.fileExists(atPath: place + "/blobs") { try moveBlobs(from: place + "/blobs", to: blobs) }
        if manifest.engine == .sqlite { try files.moveItem(atPath: "\(place)/\(BackupName.embedded)", toPath: folder.databasePath) }
        // Everything by one call: a folder may hold many files.
        sync()
    }

    /// What lies there already stays: a file's name says what is in it, and other deployments may keep theirs in the same folder.
    private func moveBlobs(from place: String, to target: String) throws {
        let files = FileManager.default
        for tenant in try files.contentsOfDirectory(atPath: place) {
            let own = "\(target)/\(tenant)"
            try files.createDirectory(atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in try files.contentsOfDirectory(atPath: "\(place)/\(tenant)") where !files.fileExists(atPath: "\(own)/\(name)") {
                try files.moveItem(atPath: "\(place)/\(tenant)/\(name)", toPath: "\(own)/\(name)")
            }
        }
    }
}
