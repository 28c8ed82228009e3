internal import Foundation
internal import Glibc
internal import HTTPSurface
package import Kernel
internal import Persistence
internal import Scripting

/// Looks at the machine and the configuration without changing either, and says what to do about what is wrong.
package struct Doctor: Sendable {
    package struct Finding: Sendable, Hashable {
        package var name: String
        package var isGood: Bool
        package var message: String
        /// What to do; nothing where all is well.
        package var advice: String?

        package var json: JSON {
            var members: JSONObject = ["name": .string(name), "ok": .bool(isGood), "message": .string(message)]
            members["advice"] = advice.map { .string($0) }
            return .object(members)
        }

        static func good(_ name: String, _ message: String) -> Finding { Finding(name: name, isGood: true, message: message) }
        static func bad(_ name: String, _ message: String, _ advice: String) -> Finding {
            Finding(name: name, isGood: false, message: message, advice: advice)
        }
    }

    /// Below this a start is still possible, but not for long.
    static let diskBytesMinimum = 1 << 30

    private let configuration: PlatformConfiguration
    private let folder: String

    package init(_ configuration: PlatformConfiguration) throws {
        self.configuration = configuration
        folder = (try DataFolder.socketPath(of: configuration.dataFolder) as NSString).deletingLastPathComponent
    }

    package func examine() -> [Finding] {
        let machine = [sandbox(), python(), converter(), home(), dataFolder(), disk(), masterKey(), database()]
        return machine + server() + tls() + backups()
    }

    private func sandbox() -> Finding {
        let check = SandboxCheck.report()
        let walls = "Walls: \(check.walls.joined(separator: ", "))."
        guard check.available else {
            return .bad(
                "sandbox", "The sandbox for Code nodes is off: \(check.missing.joined(separator: ", ")).",
                "Code nodes and expressions beyond plain paths are refused until then. The kernel must allow seccomp (Linux 5.0 or later, and a container "
                    + "profile that does not forbid prctl and seccomp), and the program aias-sandbox must lie beside aias.")
        }
        let lacking = check.missing.isEmpty ? "" : " Not on this machine: \(check.missing.joined(separator: ", "))."
        return .good("sandbox", "The sandbox for Code nodes works. \(walls)\(lacking)")
    }

    /// Python is not needed, so that its absence is nothing bad.
    private func python() -> Finding {
        let check = SandboxCheck.reportPython()
        guard check.available else { return .good("python", "Code nodes in Python fail: \(check.missing.joined(separator: ", ")).") }
        let name = check.walls.first { $0.hasPrefix("Python") } ?? "Python"
        return .good("python", "Code nodes in Python run with \(name).")
    }

    private func converter() -> Finding {
        guard FileConverter.isInstalled else {
            return .bad(
                "converter", "The program that converts files is missing.",
                "Spreadsheets, PDF files, archives and images cannot be read or made until aias-files lies beside aias.")
        }
        return .good("converter", "The program that converts files is there.")
    }

    private func home() -> Finding {
        for name in ["Web", "Locales"] where !FileManager.default.fileExists(atPath: configuration.home + "/" + name) {
            return .bad("files", "\(configuration.home)/\(name) is missing.", "Name the folder that holds Web and Locales with AIAS_HOME.")
        }
        return .good("files", "Pages and texts lie in \(configuration.home).")
    }

    private func dataFolder() -> Finding {
        guard let mode = mode(of: folder) else {
            let parent = (folder as NSString).deletingLastPathComponent
            guard access(parent.isEmpty ? "." : parent, W_OK) == 0 else {
                return .bad(
                    "data_folder", "\(folder) is not there and cannot be made.", "Name another folder with --data, or make \(parent) writable.")
            }
            return .good("data_folder", "\(folder) is not there yet; the first start makes it.")
        }
        guard access(folder + "/.", R_OK | W_OK | X_OK) == 0 else {
            return .bad(
                "data_folder", "\(folder) cannot be written by this user.", "Give it to the user that serves: chown it, or name another with --data.")
        }
        guard mode & 0o077 == 0 else {
            return .bad("data_folder", "\(folder) may be read by other users.", "chmod 700 \(folder)")
        }
        if let foreign = foreignFile() {
            return .bad("data_folder", "\(foreign) belongs to another user than \(folder).", "chown -R --reference=\(folder) \(folder)")
        }
        return .good("data_folder", "\(folder) belongs to this user alone.")
    }

    /// What a command left that root ran while nobody served: whoever owns the folder could not use it.
    private func foreignFile() -> String? {
        func owner(_ path: String) -> Int? {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return (attributes?[.ownerAccountID] as? NSNumber)?.intValue
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        // That one is the file system's own.
        let paths = names.filter { $0 != "lost+found" }.sorted().map { "\(folder)/\($0)" }
        return paths.first { path in owner(path).map { $0 != owner(folder) } ?? false }
    }

    private func disk() -> Finding {
        var about = statvfs()
        let place = FileManager.default.fileExists(atPath: folder) ? folder : "."
        guard statvfs(place, &about) == 0 else { return .bad("disk", "The disk of \(folder) cannot be asked.", "Check that it is mounted.") }
        let free = Int(about.f_bavail) * Int(about.f_frsize)
        let text = "\(free >> 20) MiB are free where the data lies."
        return free >= Self.diskBytesMinimum ? .good("disk", text) : .bad("disk", text, "Make room: below 1 GiB writes may soon be refused.")
    }

    private func masterKey() -> Finding {
        let path = folder + "/master.key"
        let isGiven = configuration.environment["AIAS_MASTER_KEY"] != nil
        guard isGiven || FileManager.default.fileExists(atPath: path) else {
            let isNew = !FileManager.default.fileExists(atPath: folder + "/aias.db")
            return isNew
                ? .good("master_key", "There is no master key yet; the first start makes \(path).")
                : .bad(
                    "master_key", "The master key \(path) is gone.",
                    "Put back the one from your backup: stored credentials cannot be opened without it.")
        }
        do {
            _ = try MasterKey(environment: configuration.environment, path: path)
            return .good("master_key", isGiven ? "The master key comes from AIAS_MASTER_KEY." : "The master key may be read by this user alone.")
        } catch {
            return .bad("master_key", (error as? PersistenceError)?.sentence ?? "\(error)", "Do as it says, then ask again.")
        }
    }

    private func database() -> Finding {
        guard let url = configuration.databaseURL else {
            let path = folder + "/aias.db"
            guard FileManager.default.fileExists(atPath: path) else { return .good("database", "The embedded database is made by the first start.") }
            guard access(path, R_OK | W_OK) == 0 else {
                return .bad("database", "\(path) cannot be read and written by this user.", "Give it to the user that serves: chown it.")
            }
            return .good("database", "The embedded database lies in \(path).")
        }
        do {
            try Databases.checkServer(url: url, tables: Platform.tables, migrations: Platform.migrations)
            return .good("database", "The database server answers, its schema is current, and the walls between tenants stand.")
        } catch {
            return .bad(
                "database", (error as? PersistenceError)?.sentence ?? "\(error)",
                "Check AIAS_DATABASE_URL and that the server runs; `aias migrate` makes the schema and the role that serves.")
        }
    }

    /// Where a process owns the folder: whether it answers.
    private func server() -> [Finding] {
        do {
            guard FileManager.default.fileExists(atPath: folder + "/lock") else { return [] }
            _ = try DataFolder(path: folder)
            return [.good("server", "No server runs on this folder.")]
        } catch PersistenceError.locked {
            do {
                _ = try ControlSocket.ask(folder + "/aias.sock", "health", [:])
                return [.good("server", "A server runs on this folder and answers.")]
            } catch {
                let words = (error as? Refusal)?.message ?? "\(error)"
                return [.bad("server", words, "Look at the server's log; if it hangs, stop it and start it again: nothing that was saved is lost.")]
            }
        } catch {
            return [.bad("server", (error as? PersistenceError)?.sentence ?? "\(error)", "Make the data folder usable first.")]
        }
    }

    private func tls() -> [Finding] {
        guard let files = configuration.binding.tls else { return [] }
        do {
            try files.check()
        } catch {
            return [
                .bad(
                    "tls", "The certificate or its key cannot be used: \(error)",
                    "AIAS_TLS_CERTIFICATE and AIAS_TLS_KEY name PEM files that belong together.")
            ]
        }
        guard let mode = mode(of: files.privateKey), mode & 0o007 == 0 else {
            // Its group may have been given it on purpose, as Debian's ssl-cert is.
            return [.bad("tls", "The key \(files.privateKey) may be used by everybody.", "chmod o-rwx \(files.privateKey)")]
        }
        return [.good("tls", "The certificate and its key can be used.")]
    }

    /// Nothing where there is no data yet.
    private func backups() -> [Finding] {
        guard FileManager.default.fileExists(atPath: folder + "/aias.db") || configuration.databaseURL != nil,
            FileManager.default.fileExists(atPath: folder)
        else { return [] }
        let state = BackupState.read(folder)
        let interval: Duration?
        do {
            interval = try BackupSchedule(environment: configuration.environment, dataFolder: folder).interval
        } catch {
            return [.bad("backup", (error as? Refusal)?.message ?? "\(error)", "Mend the variable.")]
        }
        let verified = state.lastVerified.map { "The backup \($0.path) was verified at \($0.at)." } ?? "No backup was verified yet."
        let restore = Finding.good(
            "restore", verified + (state.lastVerified == nil ? " `aias backup verify FILE` shows whether one can be restored." : ""))
        guard let last = state.lastBackup else {
            let text = "No backup was made yet."
            return [
                interval == nil
                    ? .good("backup", text + " `aias backup` makes one, AIAS_BACKUP_EVERY=6h makes them by itself.")
                    : .bad("backup", text, "The first one is made soon after the start of the server; its log says what stands in the way."), restore
            ]
        }
        let text = "The last backup is \(last.path), made at \(last.at), \(last.byteCount >> 10) KiB."
        // One that is late may be under way.
        if let interval, Clock.system.now() - last.at > interval * 2 + .seconds(60) {
            return [.bad("backup", text, "It is older than AIAS_BACKUP_EVERY asks for; the server's log says why none was made."), restore]
        }
        guard FileManager.default.fileExists(atPath: last.path) else {
            return [.good("backup", text + " It is not there any more: moved elsewhere, as it should be, or lost."), restore]
        }
        return [.good("backup", text), restore]
    }

    /// Permission bits; nil where there is nothing.
    private func mode(of path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
    }
}
