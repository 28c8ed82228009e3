internal import ArgumentParser

/// The command. Every subcommand that shows something takes `--json` for programs.
struct AIAS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aias", abstract: "A platform for automations: serve it, manage it, run workflows without it.", version: "0.1.0",
        subcommands: [
            Serve.self, TenantCommand.self, SignInLink.self, Run.self, Import.self, Export.self, Migrate.self, Doctor.self, Keys.self, OpenAPI.self,
            Bench.self,
        ])
}

/// Where the data lies; shared by all commands that touch it.
struct DataOptions: ParsableArguments {
    @Option(help: "The data folder (also AIAS_DATA).")
    var data: String?

    @Option(name: .customLong("database-url"), help: "postgres://… in place of the embedded database (also AIAS_DATABASE_URL).")
    var databaseURL: String?
}
