internal import ArgumentParser
internal import Gateway
internal import Kernel

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "keys", abstract: "Manage the keys that seal secrets.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new data key for every tenant, also while the server runs; what older keys sealed stays readable.")

        @Flag(help: "Also change the master key in the data folder, which wraps the data keys. Keep a backup of the new one.") var master = false
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("keys.rotate", ["master": .bool(master)])
                if json { return print(made.serialized) }
                print("Made \(made["data_keys"]?.integer ?? 0) data keys.")
                if master {
                    print("The master key was changed: back up the file master.key in the data folder; backups from before need the old one.")
                }
            }
        }
    }
}

struct Operator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Say who runs the platform.", subcommands: [Add.self, Remove.self, List.self, Link.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a person an operator; a new address becomes a user.")
        @Argument(help: "E-mail address of the person.") var email: String
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("operator.set", ["email": .string(email), "is_operator": true])
                if json { return print(made.serialized) }
                print(
                    made["changed"]?.boolean == true
                        ? "\(email) runs the platform now. `aias operator link \(email)` lets them in." : "\(email) runs it already.")
            }
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a link to the operators' pages, good once for a quarter of an hour; what it opens lasts two hours.")
        @Argument(help: "E-mail address of the operator.") var email: String
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("operator.link", ["email": .string(email)])
                let link = try data.configuration().publicURL + (made["path"]?.text ?? "")
                print(json ? (["link": .string(link)] as JSON).serialized : link)
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take it from a person; their account stays.")
        @Argument(help: "E-mail address of the person.") var email: String
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("operator.set", ["email": .string(email), "is_operator": false])
                if json { return print(made.serialized) }
                print(made["changed"]?.boolean == true ? "\(email) no longer runs the platform." : "\(email) did not run it.")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print who runs the platform.")
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("operator.list", [:])
                if json { return print(made.serialized) }
                for person in made["operators"]?.array ?? [] { print(person["email"]?.text ?? "") }
            }
        }
    }
}

struct OpenAPICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the OpenAPI document of the API; needs no server and no data folder.")

    func run() async throws { try await explaining { print(try await Platform.openAPI().pretty()) } }
}
