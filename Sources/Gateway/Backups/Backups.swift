internal import Foundation
internal import Glibc
internal import Kernel
internal import Logging
internal import Persistence
internal import Synchronization
internal import Telemetry

/// Makes backups of a deployment while it serves: the database as of one moment, every file that it names, and the keys only when asked.
struct Backups: Sendable {
    let database: any Database
    let folder: DataFolder
    let configuration: PlatformConfiguration
    let schedule: BackupSchedule
    let clock: Clock
    let logger: Logger

    private static let isRunning = Mutex(false)
    private static let stagingPrefix = ".backup-"
    private static let namePrefix = "aias-"
    private static let nameSuffix = ".tar.zst"

    struct Report: Sendable {
        var path: String
        var byteCount: Int
        var files: Int
        var took: Duration

        var json: JSON {
            [
                "path": .string(path), "bytes": .number(Double(byteCount)), "files": .number(Double(files)),
                "seconds": .number((Double(took.microseconds) / 10_000).rounded() / 100)
            ]
        }
    }

    /// - Parameter target: a file that is not there yet; nil for one in the folder of backups, named by the time.
    /// - Throws: `backup_running`, and what the disk or the database says; no half archive is left.
    func make(to target: String?, withKeys: Bool) async throws -> Report {
        guard
            Self.isRunning.withLock({ isRunning in
                defer { isRunning = true }
                return !isRunning
            })
        else { throw Refusal(.conflict, "backup_running", "A backup is being made already.") }
        defer { Self.isRunning.withLock { $0 = false } }
        let began = ContinuousClock.now
        let now = clock.now()
        let path = try target ?? scheduledPath(now)
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Refusal(.conflict, "file_exists", "\(path) is there already; name another file.")
        }
        let staging = try makeStaging()
        defer { try? FileManager.default.removeItem(atPath: staging) }
        let name = try await stage(in: staging)
        let entries = try await Self.onThread { try archive(staging, database: name, to: path, at: now, withKeys: withKeys) }
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
        try BackupState.change(folder.path) { $0.lastBackup = BackupState.Note(at: now, path: path, byteCount: size) }
        Metrics.shared.set(.backupTime, now.microseconds)
        let report = Report(path: path, byteCount: size, files: entries, took: ContinuousClock.now - began)
        logger.notice("backup made", metadata: ["path": "\(path)", "bytes": "\(size)", "seconds": "\(report.took)"])
        return report
    }

    /// What the schedule asks for: one more, and none beyond those that are kept. What a person put beside them stays, and is not counted.
    func makeScheduled() async throws {
        _ = try await make(to: nil, withKeys: schedule.holdsKeys)
        let names = try FileManager.default.contentsOfDirectory(atPath: schedule.folder).filter(Self.isNamedByTime).sorted()
        for name in names.dropLast(schedule.kept) { try FileManager.default.removeItem(atPath: "\(schedule.folder)/\(name)") }
    }

    // MARK: What goes in

    /// Files are linked before the database is copied and again after: whatever the copy names is among them, also what is removed meanwhile.
    /// - Returns: the name of the database in the archive.
    private func stage(in staging: String) async throws -> String {
        try await linkBlobs(staging)
        let name: String
        switch database.engine {
        case .sqlite:
            guard let embedded = database as? SQLiteDatabase else { preconditionFailure("the embedded database is SQLite") }
            name = BackupName.embedded
            try await embedded.backup(to: staging + "/database")
        case .postgres:
            name = BackupName.dump
            try await PostgresTools(url: try Self.dumpURL(configuration)).dump(to: staging + "/database")
        }
        try await linkBlobs(staging)
        return name
    }

    /// A restore writes, which the login that backups read with may not; and a database that is named with the command is the one that is meant.
    static func restoreURL(_ configuration: PlatformConfiguration) throws -> String {
        guard let url = configuration.namedDatabaseURL ?? configuration.databaseOwnerURL ?? configuration.databaseURL else { throw noDatabase }
        return url
    }

    private static let noDatabase = Refusal.invalid("database_url", "required", "Name the database with --database-url or AIAS_DATABASE_URL.")

    static func dumpURL(_ configuration: PlatformConfiguration) throws -> String {
        let own = configuration.environment["AIAS_BACKUP_DATABASE_URL"].flatMap { $0.isEmpty ? nil : $0 }
        guard let url = own ?? configuration.databaseOwnerURL ?? configuration.databaseURL else { throw noDatabase }
        return url
    }

    /// Those of the tenants that are here: other deployments may keep theirs in the same folder. A bucket keeps its own copies.
    private func linkBlobs(_ staging: String) async throws {
        guard let place = BlobPlace.folder(configuration.blobsPlace, folder) else { return }
        let own = Set(try await database.readDirectory { tx in try MoveDirectoryStore(tx: tx).tenants().map(\.id) })
        try await Self.onThread { try link(own, from: place, into: staging) }
    }

    private func link(_ tenants: Set<TenantID>, from place: String, into staging: String) throws {
        let files = FileManager.default
        for tenant in (try? files.contentsOfDirectory(atPath: place)) ?? [] {
            guard let id = TenantID(tenant), tenants.contains(id) else { continue }
            let target = "\(staging)/blobs/\(tenant)"
            try files.createDirectory(atPath: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in (try? files.contentsOfDirectory(atPath: "\(place)/\(tenant)")) ?? [] where PayloadHash(hex: name) != nil {
                let (from, to) = ("\(place)/\(tenant)/\(name)", "\(target)/\(name)")
                guard Glibc.link(from, to) != 0, errno != EEXIST, errno != ENOENT else { continue }
                // Another file system: copied then.
                guard errno == EXDEV || errno == EPERM || errno == EMLINK else {
                    throw PersistenceError.unavailable("\(from) cannot be linked: \(String(cString: strerror(errno))).")
                }
                try files.copyItem(atPath: from, toPath: to)
            }
        }
    }

    private func archive(_ staging: String, database name: String, to path: String, at now: Timestamp, withKeys: Bool) throws -> Int {
        let files = FileManager.default
        let parent = (path as NSString).deletingLastPathComponent
        try files.createDirectory(atPath: parent.isEmpty ? "." : parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = path + ".part"
        try? files.removeItem(atPath: draft)
        do {
            let writer = try ArchiveWriter(path: draft, seconds: Int(now.seconds))
            var entries = [try writer.add(name, file: staging + "/database")]
            for tenant in ((try? files.contentsOfDirectory(atPath: staging + "/blobs")) ?? []).sorted() {
                for file in try files.contentsOfDirectory(atPath: "\(staging)/blobs/\(tenant)").sorted() {
                    entries.append(try writer.add(BackupName.blob(tenant, file), file: "\(staging)/blobs/\(tenant)/\(file)"))
                }
            }
            if withKeys { entries.append(try writer.add(BackupName.key, file: try keyFile())) }
            let schema =
                database.engine == .sqlite ? try SQLiteDatabase.schema(ofCopyAt: staging + "/database") : Platform.migrations.map(\.id).sorted()
            let manifest = BackupManifest(madeAt: now, engine: database.engine, schema: schema, holdsKeys: withKeys, entries: entries)
            try writer.add(BackupManifest.name, bytes: Array(manifest.json.pretty().utf8))
            try writer.finish()
            guard rename(draft, path) == 0 else {
                throw PersistenceError.unavailable("\(path) cannot be put in place: \(String(cString: strerror(errno))).")
            }
            return entries.count
        } catch {
            try? files.removeItem(atPath: draft)
            throw error
        }
    }

    private func keyFile() throws -> String {
        guard configuration.environment["AIAS_MASTER_KEY"] == nil, FileManager.default.fileExists(atPath: folder.masterKeyPath) else {
            throw Refusal(
                .conflict, "master_key_elsewhere",
                "The master key is not in the data folder but comes from AIAS_MASTER_KEY: keep that one safe yourself.")
        }
        return folder.masterKeyPath
    }

    // MARK: Places

    /// `aias-20260310T120000Z.tar.zst`
    private static func isNamedByTime(_ name: String) -> Bool {
        guard name.hasPrefix(namePrefix), name.hasSuffix(nameSuffix) else { return false }
        return name.dropFirst(namePrefix.count).dropLast(nameSuffix.count).wholeMatch(of: #/[0-9]{8}T[0-9]{6}Z/#) != nil
    }

    private func scheduledPath(_ now: Timestamp) throws -> String {
        let time = now.description.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "\(schedule.folder)/\(Self.namePrefix)\(time)Z\(Self.nameSuffix)"
    }

    /// Beside the files, so that they can be linked; what a backup left that was cut off goes first.
    private func makeStaging() throws -> String {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix(Self.stagingPrefix) {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        let staging = "\(folder.path)/\(Self.stagingPrefix)\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return staging
    }

    static func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
        }
    }
}
