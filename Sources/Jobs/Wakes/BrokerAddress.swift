internal import Foundation
internal import Kernel

/// Where a broker of wakes is: `redis://[user:password@]host[:port][/database]` or `amqp://[user:password@]host[:port][/virtual-host]`; `rediss` and
/// `amqps` go over TLS.
package struct BrokerAddress: Sendable, Hashable {
    package enum Kind: String, Sendable { case redis, rabbitmq }

    package let kind: Kind
    package let host: String
    package let port: Int
    package let usesTLS: Bool
    package let user: String
    package let password: String
    /// Of Redis.
    package let database: Int
    /// Of RabbitMQ.
    package let virtualHost: String

    /// - Throws: a refusal for anything else.
    package init(_ text: String) throws {
        let refusal = Refusal.invalid(
            "broker", "bad_broker",
            "AIAS_BROKER is redis://[user:password@]host[:port][/database] or amqp://[user:password@]host[:port][/virtual-host].")
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty, let scheme = parts.scheme,
            ["redis", "rediss", "amqp", "amqps"].contains(scheme)
        else { throw refusal }
        kind = scheme.hasPrefix("redis") ? .redis : .rabbitmq
        usesTLS = scheme == "rediss" || scheme == "amqps"
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        let path = String(parts.path.drop { $0 == "/" })
        switch kind {
        case .redis:
            guard let database = path.isEmpty ? 0 : Int(path), (0...65_535).contains(database) else { throw refusal }
            (self.database, virtualHost) = (database, "")
            (user, password) = (parts.user ?? "", parts.password ?? "")
            port = parts.port ?? 6_379
        case .rabbitmq:
            (database, virtualHost) = (0, path.isEmpty ? "/" : path)
            (user, password) = (parts.user ?? "guest", parts.password ?? "guest")
            port = parts.port ?? (scheme == "amqps" ? 5_671 : 5_672)
        }
    }

    /// Without the password.
    package var shown: String { "\(kind.rawValue) at \(host):\(port)" }
}
