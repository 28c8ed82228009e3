internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Workflows

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "import", abstract: "Import workflows from another system.", subcommands: [N8n.self])

    struct N8n: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "n8n", abstract: "Import n8n's workflow files into a tenant, or report on them without a server.")

        @Argument(help: "Workflow files.") var files: [String]
        @Flag(help: "Only say what of each file runs here.") var report = false
        @Option(help: "The subdomain of the tenant to import into.") var tenant: String?
        @Flag(help: "Publish what can be published.") var publish = false
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining { if report { try reportAll() } else { try await importAll() } }
        }

        private func reportAll() throws {
            let reports = try files.map { file in (file, try LocalPlatform.report(try Files.json(file))) }
            if json {
                let rows: [JSON] = reports.map { file, report in
                    var members = report.json.object ?? [:]
                    members["file"] = .string(file)
                    return .object(members)
                }
                return print((["workflows": .array(rows)] as JSON).serialized)
            }
            for (file, report) in reports {
                print("\(file): \(report.runsWholly ? "runs wholly" : "needs \(report.missing.map(\.type).joined(separator: ", "))")")
                Self.show(report)
            }
        }

        /// What is left to do, a line each.
        private static func show(_ report: ImportReport) {
            for credential in report.credentials {
                print("  credential \(credential.type) \"\(credential.name)\": \(credential.nodes.joined(separator: ", "))")
            }
            for unread in report.unreadParameters { print("  not read: \(unread.parameter) of \(unread.node)") }
            for note in report.notes { print("  \(note.node.map { "\($0): " } ?? "")\(note.message)") }
        }

        private func importAll() async throws {
            var unpublished = 0
            guard let tenant else { throw Refusal.invalid("tenant", "required", "Name the tenant with --tenant, or ask for a --report.") }
            for file in files {
                let made = try await data.perform(
                    "workflow.import", ["tenant": .string(tenant), "document": try Files.json(file), "publish": .bool(publish)])
                let isShort = publish && made["published"]?.boolean != true
                if isShort { unpublished += 1 }
                if json {
                    print(made.serialized)
                } else {
                    print("\(file): imported as \(made["id"]?.text ?? "")\(isShort ? ", not published:" : "")")
                    for fault in made["faults"]?.array ?? [] { print("  \(fault["field"]?.text ?? ""): \(fault["message"]?.text ?? "")") }
                }
            }
            if unpublished > 0 {
                throw Refusal(.invalid, "not_published", "\(unpublished) of \(files.count) could not be published; their drafts are kept.")
            }
        }
    }
}

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a tenant's workflows.")

    @Option(help: "The tenant's subdomain.") var tenant: String
    @Option(help: "n8n, or aias for our own documents.") var format = "aias"
    @OptionGroup var data: DataOptions
    @Flag(help: "Print one line of JSON.") var json = false

    func run() async throws {
        try await explaining {
            let made = try await data.perform("workflow.export", ["tenant": .string(tenant), "format": .string(format)])
            print(json ? made.serialized : made.pretty())
        }
    }
}
