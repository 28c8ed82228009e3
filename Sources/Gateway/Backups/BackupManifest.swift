package import Kernel
package import Persistence

/// What a backup says of itself: the last file of its archive, `manifest.json`.
package struct BackupManifest: Sendable, Hashable {
    static let name = "manifest.json"
    /// Of the archive's layout.
    static let format = 1

    package var madeAt: Timestamp
    package var engine: DatabaseEngine
    /// The migrations that the database has run.
    package var schema: [String]
    package var holdsKeys: Bool
    package var entries: [ArchiveEntry]

    var json: JSON {
        [
            "format": .number(Double(Self.format)), "made_at": .string(madeAt.description), "engine": .string(engine.rawValue),
            "schema": .array(schema.map { .string($0) }), "keys": .bool(holdsKeys),
            "files": .array(
                entries.map { ["name": .string($0.name), "bytes": .number(Double($0.byteCount)), "sha256": .string($0.digest)] })
        ]
    }

    init(madeAt: Timestamp, engine: DatabaseEngine, schema: [String], holdsKeys: Bool, entries: [ArchiveEntry]) {
        self.madeAt = madeAt
        self.engine = engine
        self.schema = schema
        self.holdsKeys = holdsKeys
        self.entries = entries
    }

    /// - Throws: a refusal for what is no manifest, or one of a later format.
    init(_ bytes: [UInt8]) throws {
        let unreadable = Refusal(.invalid, "no_backup", "This is no backup of this program: its manifest cannot be read.")
        guard let json = try? JSON(parsing: bytes), let format = json["format"]?.integer else { throw unreadable }
        guard format <= Self.format else {
            throw Refusal(
                .invalid, "newer_backup", "The backup is of a later format (\(format)): a newer version of this program made it. Use that one.")
        }
        guard let at = json["made_at"]?.text.flatMap(Timestamp.init), let engine = json["engine"]?.text.flatMap(DatabaseEngine.init(rawValue:)),
            let schema = json["schema"]?.array, let files = json["files"]?.array
        else { throw unreadable }
        madeAt = at
        self.engine = engine
        self.schema = schema.compactMap(\.text)
        holdsKeys = json["keys"]?.boolean ?? false
        entries = files.map {
            ArchiveEntry(name: $0["name"]?.text ?? "", byteCount: $0["bytes"]?.integer ?? -1, digest: $0["sha256"]?.text ?? "")
        }
    }
}

/// The names that a backup's archive may hold; anything else is refused, so that no archive can write beside its folder.
enum BackupName {
    static let embedded = "database/aias.db"
    static let dump = "database/postgres.dump"
    static let key = "keys/master.key"

    static func blob(_ tenant: String, _ file: String) -> String { "blobs/\(tenant)/\(file)" }

    static func isKnown(_ name: String) -> Bool {
        if [embedded, dump, key, BackupManifest.name].contains(name) { return true }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "blobs" && TenantID(String(parts[1])) != nil && PayloadHash(hex: String(parts[2])) != nil
    }
}
