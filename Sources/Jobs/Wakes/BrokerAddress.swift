internal import Foundation
internal import Kernel

/// Where a broker of wakes is: `redis://[user:password@]host[:port][/database]`; `rediss` goes over TLS.
package struct BrokerAddress: Sendable, Hashable {
    package let host: String
    package let port: Int
    package let usesTLS: Bool
    package let user: String
    package let password: String
    package let database: Int

    /// - Throws: a refusal for anything else.
    package init(_ text: String) throws {
        let refusal = Refusal.invalid("broker", "bad_broker", "AIAS_BROKER is redis://[user:password@]host[:port][/database].")
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty, ["redis", "rediss"].contains(parts.scheme) else {
            throw refusal
        }
        let path = String(parts.path.drop { $0 == "/" })
        guard let database = path.isEmpty ? 0 : Int(path), (0...65_535).contains(database) else { throw refusal }
        self.database = database
        usesTLS = parts.scheme == "rediss"
        (user, password) = (parts.user ?? "", parts.password ?? "")
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.port = parts.port ?? 6_379
    }

    /// Without the password.
    package var shown: String { "redis at \(host):\(port)" }
}
