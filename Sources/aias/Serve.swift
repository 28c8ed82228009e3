internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Logging
internal import Tenancy
internal import Telemetry

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the platform until told to stop.")

    @OptionGroup var data: DataOptions
    @Option(help: "The port (also AIAS_PORT); 0 takes any free one.") var port: Int?
    @Option(help: "The address to bind (also AIAS_HOST).") var host: String?
    @Option(help: "What this process does, of gateway, worker and scheduler; all where nothing is said (also AIAS_ROLES).") var roles: String?
    @Flag(help: "Make a tenant to try things with, and print a link to sign in.") var demo = false

    func run() async throws {
        try await explaining(invalid: Ending.settings) {
            var given = try data.configuration(host: host, port: port, roles: roles)
            let isOwnerGiven = given.forgetOwner()
            let configuration = given
            LogSetup.bootstrap()
            let logger = Logger(label: "aias")
            if isOwnerGiven {
                logger.warning("AIAS_DATABASE_OWNER_URL is not used by what serves: keep it out of its settings and give it to `aias migrate` alone")
            }
            let platform = try await Platform(configuration, logger: logger)
            let link = demo ? try await platform.prepareDemo() : nil
            try await platform.serve { port in
                logger.notice("serving", metadata: ["port": "\(port)", "data": "\(configuration.dataFolder)"])
                guard let link else { return }
                // Unbuffered, so that it is seen where the output is a pipe.
                let words = "AIAS serves on http://localhost:\(port)\nSign in: http://localhost:\(port)\(link)\n"
                FileHandle.standardOutput.write(Data(words.utf8))
            }
        }
    }
}
