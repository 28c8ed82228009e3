internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel

struct LicenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "licence", abstract: "Sell and verify licences of branded deployments.", subcommands: [Issue.self, Verify.self, Key.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sell a licence to a tenant: invoice it and print its file.")
        @Argument(help: "Subdomain of the tenant.") var tenant: String
        @Option(help: "What is licensed, as it stands on the invoice.") var product: String
        @Option(help: "What was agreed; may be given several times.") var feature: [String] = []
        @Option(help: "How many people.") var seats: Int
        @Option(help: "How long it lasts.") var days = 365
        @Option(help: "How long after the expiry it still counts.") var graceDays = 30
        @Option(help: "Price without tax, in the currency's minor unit.") var price: Int
        @Option(help: "Currency of the price.") var currency = "USD"
        @Option(help: "The file to write; printed where it is left out.") var to: String?
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform(
                    "licence.issue",
                    [
                        "tenant": .string(tenant), "product": .string(product), "features": .array(feature.map { .string($0) }),
                        "seats": .number(Double(seats)), "days": .number(Double(days)), "grace_days": .number(Double(graceDays)),
                        "price": .number(Double(price)), "currency": .string(currency)
                    ])
                let file = made["file"]?.text ?? ""
                if let to { try Data(file.utf8).write(to: URL(filePath: to), options: .atomic) }
                if json { return print(made.serialized) }
                print("Invoiced as \(made["invoice"]?.text ?? ""). It is verified with the key \(made["key"]?.text ?? "").")
                if to == nil { print(file, terminator: "") }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify a licence's file with nothing but the key: 0 where it counts, 1 where it does not.")
        @Argument(help: "The file.") var file: String
        @Option(help: "The public key in base64.") var key: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                guard let bytes = FileManager.default.contents(atPath: file) else { throw Refusal.missing("file") }
                let found = try LicenceCheck.verify(String(decoding: bytes, as: UTF8.self), key: key, at: Clock.system.now())
                if json {
                    print(found.serialized)
                } else {
                    print(
                        "\(found["product"]?.text ?? "") of \(found["holder"]?.text ?? ""), \(found["seats"]?.integer ?? 0) seats: \(found["state"]?.text ?? "")"
                    )
                    print("From \(found["starts_at"]?.text ?? "") to \(found["expires_at"]?.text ?? "").")
                }
                if !["valid", "grace"].contains(found["state"]?.text ?? "") { throw ExitCode(1) }
            }
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the key that licences of this deployment are verified with.")
        @OptionGroup var data: DataOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await explaining {
                let made = try await data.perform("licence.key", [:])
                print(json ? made.serialized : made["key"]?.text ?? "")
            }
        }
    }
}
