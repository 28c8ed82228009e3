internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tenant", abstract: "Manage tenants.", subcommands: [Create.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a tenant with its owner and a first API key, also while the server runs.")

        @Argument(help: "The subdomain, which is part of its addresses.") var subdomain: String
        @Option(help: "starter, professional, enterprise or custom.") var plan = "starter"
        @Option(help: "E-mail address of the owner.") var owner: String
        @Option(help: "Shown to its members; the subdomain where left out.") var name: String?
        @Option(name: .customLong("limit"), help: "For the custom plan, such as workflows=50; repeat for more. What is left out is unlimited.")
        var limits: [String] = []
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                var values = JSONObject()
                for limit in limits {
                    let parts = limit.split(separator: "=")
                    guard parts.count == 2, let number = Int(parts[1]), number >= 0 else {
                        throw Refusal.invalid("limit", "bad_limit", "A limit looks like workflows=50, not \(limit).")
                    }
                    values[String(parts[0])] = .number(Double(number))
                }
                let made = try await data.perform(
                    "tenant.create",
                    [
                        "subdomain": .string(subdomain), "plan": .string(plan), "owner": .string(owner), "name": .string(name ?? subdomain),
                        "limits": .object(values)
                    ])
                if json { return print(made.serialized) }
                print("Created \(subdomain) on the plan \(plan).\nAPI key, shown this once: \(made["api_key"]?.text ?? "")")
            }
        }
    }
}

extension TenantCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the tenants: subdomain, plan, status, members and name, also while the server runs.")
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("tenant.list", [:])
                if json { return print(made.serialized) }
                for tenant in made["tenants"]?.array ?? [] {
                    let columns: [(text: String, width: Int)] = [
                        (tenant["subdomain"]?.text ?? "", 42), (tenant["plan"]?.text ?? "", 14), (tenant["status"]?.text ?? "", 11),
                        (String(tenant["members"]?.integer ?? 0), 7)
                    ]
                    let words: String = columns.map { $0.text.padding(toLength: $0.width, withPad: " ", startingAt: 0) }.joined()
                    print(words + (tenant["name"]?.text ?? ""))
                }
            }
        }
    }
}

struct SignInLink: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in-link", abstract: "Print a link that signs a person in, good once for a quarter of an hour.")

    @Argument(help: "E-mail address of the person.") var email: String
    @OptionGroup var data: DataOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await explaining {
            let made = try await data.perform("sign_in_link", ["email": .string(email)])
            let link = try data.configuration().publicURL + (made["path"]?.text ?? "")
            print(json ? (["link": .string(link)] as JSON).serialized : link)
        }
    }
}
