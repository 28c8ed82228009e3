internal import Foundation
package import Kernel
package import Persistence
internal import Tenancy

/// The payment providers of the deployment and what they are reached with: from the environment, else as an operator gave it, sealed.
package struct Providers: Sendable {
    let database: any Database
    let vault: KeyVault
    let clock: Clock
    let environment: [String: String]
    /// Where browsers reach the console, without a slash at the end.
    let publicURL: String
    let send: ProviderSend
    private let pass = PayPalPass()

    static let names = [StripeProvider.name, PayPalProvider.name]
    static let context = "payment-provider"

    package init(
        database: any Database, vault: KeyVault, clock: Clock, environment: [String: String], publicURL: String, send: @escaping ProviderSend
    ) {
        self.database = database
        self.vault = vault
        self.clock = clock
        self.environment = environment
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
        self.send = send
    }

    /// What a provider needs, each with the variable that gives it.
    private static let variables: [String: [(key: String, variable: String)]] = [
        StripeProvider.name: [("key", "AIAS_STRIPE_KEY"), ("webhook_secret", "AIAS_STRIPE_WEBHOOK_SECRET")],
        PayPalProvider.name: [("client_id", "AIAS_PAYPAL_CLIENT_ID"), ("secret", "AIAS_PAYPAL_SECRET"), ("webhook_id", "AIAS_PAYPAL_WEBHOOK_ID")]
    ]

    static func keys(of name: String) throws -> [String] {
        guard let keys = variables[name] else { throw Refusal.missing("payment provider") }
        return keys.map(\.key)
    }

    /// - Throws: `provider_missing` where nobody has set it up.
    func provider(_ name: String) async throws -> any PaymentProvider {
        guard let keys = try await keys(of: name) else {
            throw Refusal(.conflict, "provider_missing", "The payment provider \(name) is not set up here.", field: "provider")
        }
        func text(_ key: String) -> String { keys[key] ?? "" }
        func line(_ variable: String, _ standard: String) -> ProviderLine {
            let given = environment[variable] ?? ""
            return ProviderLine(url: given.isEmpty ? standard : given, send: send)
        }
        if name == StripeProvider.name {
            return StripeProvider(
                line: line("AIAS_STRIPE_URL", "https://api.stripe.com"), key: text("key"), webhookSecret: text("webhook_secret"), clock: clock)
        }
        return PayPalProvider(
            line: line("AIAS_PAYPAL_URL", "https://api-m.paypal.com"), clientID: text("client_id"), secret: text("secret"),
            webhookID: text("webhook_id"), clock: clock, pass: pass)
    }

    /// Those that are set up.
    func ready() async throws -> [String] {
        var ready: [String] = []
        for name in Self.names where try await keys(of: name) != nil { ready.append(name) }
        return ready
    }

    /// - Throws: `required` for a key that is missing or empty, `unknown_key`.
    func configure(_ name: String, _ given: [String: String], by principal: Principal) async throws {
        let keys = try Self.keys(of: name)
        for key in keys where (given[key] ?? "").isEmpty { throw Refusal.invalid("settings", "required", "\(name) needs \(key).") }
        if let other = given.keys.sorted().first(where: { !keys.contains($0) }) {
            throw Refusal.invalid("settings", "unknown_key", "\(name) knows no \(other).")
        }
        let bytes = [UInt8](try JSONEncoder().encode(given))
        let sealed = try await vault.seal(bytes, tenant: KeyVault.platform, context: "\(Self.context):\(name)")
        try await database.write(in: Tenancy.platformLog) { tx in
            try ProviderSettingStore(tx: tx.platform).save(name, sealed)
            try tx.audit(principal, "payment_provider.update", "payment_provider:\(name)")
        }
        pass.forget()
    }

    private func keys(of name: String) async throws -> [String: String]? {
        guard let variables = Self.variables[name] else { throw Refusal.missing("payment provider") }
        let found = variables.compactMap { key, variable in
            environment[variable].flatMap { $0.isEmpty ? nil : (key, $0) }
        }
        if found.count == variables.count { return Dictionary(uniqueKeysWithValues: found) }
        guard let sealed = try await database.readPlatform({ tx in try ProviderSettingStore(tx: tx).sealed(name) }) else { return nil }
        let opened = try await vault.open(sealed, tenant: KeyVault.platform, context: "\(Self.context):\(name)")
        return try JSONDecoder().decode([String: String].self, from: Data(opened))
    }
}
