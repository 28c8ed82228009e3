internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Logging
internal import Scripting

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database's schema up to date; on PostgreSQL as its owner, also making the role that serves.")

    @OptionGroup var data: DataOptions

    func run() async throws {
        try await explaining {
            let configuration = try data.configuration()
            if let url = configuration.databaseURL {
                try Platform.migrate(url: url)
            } else {
                // Opening the embedded database migrates it.
                let platform = try await Platform(configuration, logger: Logger(label: "aias"))
                await platform.close()
            }
            print("The schema is up to date.")
        }
    }
}

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check the machine and say what to do.")

    func run() async throws {
        let sandbox = SandboxCheck.report()
        print(
            sandbox.available
                ? "ok    The sandbox for Code nodes works." : "FAULT The sandbox for Code nodes is off: Code nodes and some expressions are refused.")
        for wall in sandbox.walls { print("        has \(wall)") }
        for wall in sandbox.missing { print("        lacks \(wall)") }
        for program in ["Web", "Locales"] {
            let path = (ProcessInfo.processInfo.environment["AIAS_HOME"] ?? FileManager.default.currentDirectoryPath) + "/" + program
            let isThere = FileManager.default.fileExists(atPath: path)
            print(isThere ? "ok    \(path)" : "FAULT \(path) is missing: name the folder that holds it with AIAS_HOME.")
        }
        guard sandbox.available else { throw ExitCode(1) }
    }
}
