internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Logging

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database's schema up to date; on PostgreSQL as its owner, also making the role that serves.")

    @Flag(help: "Only say whether it is: exits with 1 where the program cannot serve this database yet. The embedded one is migrated by the start.")
    var check = false
    @OptionGroup var data: DataOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await explaining {
            let configuration = try data.configuration()
            if check {
                if let url = configuration.databaseURL { try Platform.checkSchema(url: url) }
            } else if let url = configuration.databaseOwnerURL ?? configuration.databaseURL {
                try Platform.migrate(url: url)
            } else {
                // Opening the embedded database migrates it.
                let platform = try await Platform(configuration, logger: Logger(label: "aias"))
                await platform.close()
            }
            print(json ? (["up_to_date": true] as JSON).serialized : "The schema is up to date.")
        }
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the machine and the configuration, and say what to do. Changes nothing.")

    @OptionGroup var data: DataOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await explaining {
            let findings = try Doctor(try data.configuration()).examine()
            let isWell = findings.allSatisfy(\.isGood)
            if json {
                print((["ok": .bool(isWell), "checks": .array(findings.map(\.json))] as JSON).serialized)
            } else {
                for finding in findings {
                    print("\(finding.isGood ? "ok   " : "FAULT") \(finding.message)")
                    if let advice = finding.advice { print("      \(advice)") }
                }
            }
            guard isWell else { throw ExitCode(1) }
        }
    }
}
