internal import ArgumentParser
internal import Gateway
internal import Kernel
internal import Logging
internal import Persistence
internal import Telemetry

struct Move: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Move a tenant, or all, with their waiting runs to a PostgreSQL server or a data folder. Started again after it was cut off, it goes on.",
        discussion: "No server may run on the source meanwhile. The target is served with the same master key, which a new folder gets.")

    @Option(help: "The target: postgres://… as the owner of its schema, or a data folder.") var to: String
    @Option(help: "The subdomain of one tenant; all where nothing is said.") var tenant: String?
    @Option(
        name: .customLong("to-blobs"),
        help:
            "Where the target's large payloads lie, a folder or s3://bucket/prefix; as AIAS_BLOBS, or in the target's folder, where nothing is said.")
    var toBlobs: String?
    @OptionGroup var data: DataOptions
    @Flag(help: "Print JSON, a line for each tenant.") var json = false

    func run() async throws {
        try await explaining {
            LogSetup.bootstrap()
            let configuration = try data.configuration()
            let platform: Platform
            do { platform = try await Platform(configuration, logger: Logger(label: "aias")) } catch PersistenceError.locked {
                throw Refusal(.conflict, "source_in_use", "A server runs on \(configuration.dataFolder): stop it first.")
            }
            let isJSON = json
            do {
                let moves = try await Moves(platform, to: to, blobs: toBlobs)
                do {
                    try await moves.run(tenant) { report in
                        if isJSON { return print(report.json.serialized) }
                        let rows = report.tables.reduce(0) { $0 + $1.rows }
                        print(
                            "Moved \(report.tenant): \(rows) rows, \(report.blobs) files, \(report.laidAside) things that wait. Both sides have the same."
                        )
                    }
                } catch {
                    await moves.close()
                    throw error
                }
                await moves.close()
            } catch {
                await platform.close()
                throw error
            }
            await platform.close()
        }
    }
}
