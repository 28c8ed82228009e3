internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel

/// Where a tenant is, and the folder that it is kept in.
struct TreeOptions: ParsableArguments {
    @Argument(help: "The folder.") var folder = "."
    @Option(help: "The server's address (also AIAS_URL). The key is taken from AIAS_API_KEY.") var url: String?
    @Flag(help: "Print JSON.") var json = false

    func tenant() throws -> TenantFolder {
        let environment = ProcessInfo.processInfo.environment
        guard let url = url ?? environment["AIAS_URL"], !url.isEmpty else {
            throw Refusal.invalid("url", "required", "Name the server with --url, or set AIAS_URL.")
        }
        return TenantFolder(path: folder, url: url, key: environment["AIAS_API_KEY"] ?? "")
    }

    func show(_ outcome: TreeOutcome, isDryRun: Bool = false, none: String) {
        if json {
            var members = outcome.json.object ?? [:]
            members["dry_run"] = .bool(isDryRun)
            return print(JSON.object(members).serialized)
        }
        let marks: [TreeOutcome.Action: String] = [.create: "+", .change: "~", .delete: "-", .publish: "^"]
        for change in outcome.changes {
            print("\(marks[change.action] ?? " ") \(change.file)\(change.detail.isEmpty ? "" : "  \(change.detail)")")
        }
        for note in outcome.notes { print("! \(note)") }
        if outcome.changes.isEmpty { print(none) } else if isDryRun { print("Nothing was changed: this was a dry run.") }
    }
}

struct Pull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a tenant into a folder that Git keeps: workflows, variables, data tables' columns, credentials' names.")

    @OptionGroup var tree: TreeOptions
    @Flag(help: "Also replace files that were changed here and not pushed.") var overwrite = false

    func run() async throws {
        try await explaining { tree.show(try await tree.tenant().pull(overwrites: overwrite), none: "Nothing is new.") }
    }
}

struct Push: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a tenant what a folder says. Drafts are saved; what was changed on the server since it was pulled is not replaced.")

    @OptionGroup var tree: TreeOptions
    @Flag(help: "Only say what would be changed.") var dryRun = false
    @Flag(help: "Publish each workflow whose draft is not what is published.") var publish = false
    @Flag(help: "Replace what was changed on the server since it was pulled.") var overwrite = false
    @Flag(help: "Delete workflows, variables and columns that are gone here; from a fresh clone, with --overwrite, all that are not here.")
    var prune = false

    func run() async throws {
        try await explaining {
            var options = TenantFolder.PushOptions()
            (options.isDryRun, options.publishes, options.overwrites, options.prunes) = (dryRun, publish, overwrite, prune)
            tree.show(try await tree.tenant().push(options), isDryRun: dryRun, none: "Nothing to change.")
        }
    }
}
