internal import ArgumentParser
internal import Gateway
internal import Kernel

/// Measurements that must run inside the program; `make bench` calls them.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Parts of the benchmarks that run inside the program.", shouldDisplay: false,
        subcommands: [Bare.self, Chain.self, Fill.self, Raw.self, Tenants.self])

    struct Bare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The HTTP framework alone, answering with a small JSON body.")
        @Option var port = 8_099
        func run() async throws { try await Benchmarks.serveBare(port: port) }
    }

    struct Chain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Durable chains of three steps, each with its own commit.")
        @OptionGroup var data: DataOptions
        @Option var runs = 1_000
        @Option var clients = 1

        func run() async throws {
            try await explaining {
                print(try await Benchmarks.chain(try data.configuration(), runs: runs, clients: clients).serialized)
            }
        }
    }

    struct Fill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stores so many ended runs of a tenant, so that others can be measured beside them.")
        @OptionGroup var data: DataOptions
        @Option var tenant: String
        @Option var runs = 1_000
        @Option var clients = 256

        func run() async throws {
            try await explaining {
                print(try await Benchmarks.fill(try data.configuration(), tenant: tenant, runs: runs, clients: clients).serialized)
            }
        }
    }

    struct Raw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The same rows through the database alone.")
        @OptionGroup var data: DataOptions
        @Option var runs = 1_000
        @Option var clients = 1

        func run() async throws {
            try await explaining { print(try await Benchmarks.raw(try data.configuration(), runs: runs, clients: clients).serialized) }
        }
    }

    struct Tenants: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates so many tenants and prints an API key of each.")
        @OptionGroup var data: DataOptions
        @Option var count = 1
        @Option(help: "The number of the first one.") var first = 0

        func run() async throws {
            try await explaining {
                print(try await Benchmarks.tenants(try data.configuration(), count: count, first: first).serialized)
            }
        }
    }
}
