internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Workflows

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a workflow file, of ours or of n8n, without a server; exits with 1 where the run fails.")

    @Argument(help: "The workflow's JSON file.") var file: String
    @Option(help: "A JSON file with the trigger's items: [{\"json\": {…}}, …] or plain objects.") var input: String?
    @Flag(help: "Print {\"status\": …, \"nodes\": {name: [[item, …], …]}}.") var json = false

    func run() async throws {
        try await explaining {
            let items = try input.map { try Files.json($0).array ?? [] } ?? []
            let outcome = try await LocalPlatform().run(try Files.json(file), items: items)
            if json {
                print(outcome.json.serialized)
            } else {
                print("The run \(outcome.status).")
                for (name, outputs) in outcome.nodes {
                    for (index, list) in outputs.enumerated() {
                        print("\n\(name), output \(index): \(list.count) items\n\(JSON.array(list).pretty())")
                    }
                }
                if let error = outcome.error { print("\n\(error.pretty())") }
            }
            if outcome.status != "succeeded" { throw ExitCode(1) }
        }
    }
}

/// JSON files that a person names.
enum Files {
    static func json(_ path: String) throws -> JSON {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Refusal(.missing, "no_file", "There is no file \(path), or it cannot be read.")
        }
        do {
            return try JSON(parsing: [UInt8](data))
        } catch let error as JSON.ParseError {
            throw Refusal(.malformed, "malformed_json", "\(path) is not JSON: \(error).")
        }
    }
}
