internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Make and check backups.", subcommands: [Create.self, Verify.self], defaultSubcommand: Create.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Write everything into one file, also while the server runs: database, files and a manifest with checksums.")

        @Option(help: "The file to write; by default one in the folder of backups (AIAS_BACKUP_FOLDER), named by the time.") var to: String?
        @Flag(name: .customLong("with-keys"), help: "Also the master key: whoever has such a backup can open stored credentials.")
        var withKeys = false
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                var arguments: JSONObject = ["with_keys": .bool(withKeys)]
                // The server has another working folder.
                arguments["to"] = to.map { .string(URL(filePath: $0).standardizedFileURL.path(percentEncoded: false)) }
                let made = try await data.perform("backup.create", .object(arguments))
                if json { return print(made.serialized) }
                print("Wrote \(made["path"]?.text ?? ""): \(made["bytes"]?.integer ?? 0) bytes in \(made["seconds"]?.double ?? 0) s.")
                if !withKeys {
                    print("The master key is not in it: keep a copy of master.key elsewhere, or stored credentials are lost with the folder.")
                }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Unpack a backup into a folder that is thrown away, compare every checksum and open the database in it.")

        @Argument(help: "The backup.") var file: String
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let report = try await Restoration(file: file).verify(dataFolder: try data.configuration().dataFolder)
                if json { return print(report.json.serialized) }
                print(
                    "\(file) is whole: made at \(report.manifest.madeAt), \(report.manifest.entries.count) files, "
                        + "\(report.manifest.holdsKeys ? "with" : "without") the master key. It can be restored.")
            }
        }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a backup in the place of a data folder that no server runs on, after all of it was checked.")

    @Argument(help: "The backup.") var file: String
    @OptionGroup var data: DataOptions
    @Flag(help: "Also where the folder or the database is not empty; what is in it is lost.") var force = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await explaining {
            let configuration = try data.configuration()
            let report = try await Restoration(file: file).restore(configuration, force: force)
            if json { return print(report.json.serialized) }
            print("Restored \(configuration.dataFolder) as of \(report.manifest.madeAt) in \(report.json["seconds"]?.double ?? 0) s.")
            let hasKey = FileManager.default.fileExists(atPath: configuration.dataFolder + "/master.key")
            if !hasKey, configuration.environment["AIAS_MASTER_KEY"] == nil {
                print("The backup holds no master key: put your copy at \(configuration.dataFolder)/master.key (mode 600) before the first start.")
            }
        }
    }
}
