internal import ArgumentParser
internal import Gateway

/// The command. Every subcommand that shows something takes `--json` for programs.
@main
struct AIAS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aias", abstract: "A platform for automations: serve it, manage it, run workflows without it.", version: Platform.version,
        subcommands: [
            Serve.self, TenantCommand.self, SignInLink.self, Run.self, Import.self, Export.self, Pull.self, Push.self, Migrate.self, Keys.self,
            LicenceCommand.self,
            Operator.self,
            OpenAPICommand.self, DoctorCommand.self, Top.self, Backup.self, Restore.self, Move.self, Bench.self
        ])
}
