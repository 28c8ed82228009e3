internal import Foundation
package import Kernel

/// What is known of backups beside a data folder, in its file `backups.json`: for the doctor, also where no server runs.
package struct BackupState: Sendable, Hashable {
    package struct Note: Sendable, Hashable {
        package var at: Timestamp
        package var path: String
        package var byteCount: Int
    }

    package var lastBackup: Note?
    /// A backup that was unpacked and opened.
    package var lastVerified: Note?

    private static func path(_ folder: String) -> String { folder + "/backups.json" }

    /// Nothing where there is no file, or none that can be read.
    static func read(_ folder: String) -> BackupState {
        guard let data = FileManager.default.contents(atPath: path(folder)), let json = try? JSON(parsing: [UInt8](data)) else {
            return BackupState()
        }
        func note(_ name: String) -> Note? {
            guard let found = json[name], let at = found["at"]?.text.flatMap(Timestamp.init) else { return nil }
            return Note(at: at, path: found["path"]?.text ?? "", byteCount: found["bytes"]?.integer ?? 0)
        }
        return BackupState(lastBackup: note("last_backup"), lastVerified: note("last_verified"))
    }

    static func change(_ folder: String, _ change: (inout BackupState) -> Void) throws {
        var state = read(folder)
        change(&state)
        func json(_ note: Note?) -> JSON {
            note.map { ["at": .string($0.at.description), "path": .string($0.path), "bytes": .number(Double($0.byteCount))] } ?? .null
        }
        let text: JSON = ["last_backup": json(state.lastBackup), "last_verified": json(state.lastVerified)]
        try Data(text.bytes).write(to: URL(filePath: path(folder)), options: .atomic)
    }
}

/// When backups are made by themselves, and how many are kept: `AIAS_BACKUP_EVERY=6h`, `AIAS_BACKUP_KEEP=7`, `AIAS_BACKUP_FOLDER`.
package struct BackupSchedule: Sendable, Hashable {
    /// Nil where none are made by themselves.
    package var interval: Duration?
    package var kept: Int
    package var folder: String
    package var holdsKeys: Bool

    static let keptStandard = 7
    static let intervalLeast: Duration = .seconds(10)

    /// - Throws: a refusal that names the variable that makes no sense.
    init(environment: [String: String], dataFolder: String) throws {
        func filled(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        interval = try filled("AIAS_BACKUP_EVERY").map(Self.duration)
        folder = filled("AIAS_BACKUP_FOLDER") ?? dataFolder + "/backups"
        let keys = filled("AIAS_BACKUP_KEYS") ?? "no"
        guard ["yes", "no"].contains(keys) else {
            throw Refusal.invalid("AIAS_BACKUP_KEYS", "bad_choice", "AIAS_BACKUP_KEYS is yes or no: whether scheduled backups hold the master key.")
        }
        holdsKeys = keys == "yes"
        guard let text = filled("AIAS_BACKUP_KEEP") else {
            kept = Self.keptStandard
            return
        }
        guard let count = Int(text), count >= 1 else {
            throw Refusal.invalid("AIAS_BACKUP_KEEP", "bad_count", "AIAS_BACKUP_KEEP is how many backups are kept: 1 or more.")
        }
        kept = count
    }

    /// `45s`, `30m`, `6h`, `1d`
    private static func duration(_ text: String) throws -> Duration {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0, count < 100_000,
            Duration.seconds(count * unit) >= intervalLeast
        else {
            throw Refusal.invalid(
                "AIAS_BACKUP_EVERY", "bad_interval", "AIAS_BACKUP_EVERY looks like 6h: a number and one of s, m, h, d; 10s at least.")
        }
        return .seconds(count * unit)
    }
}
