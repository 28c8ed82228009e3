internal import Billing
package import Kernel

extension Platform {
    /// Sells a licence to the tenant of a subdomain, and hands out its file.
    func issueLicence(_ arguments: JSON) async throws -> JSON {
        func number(_ name: String) -> Int { arguments[name]?.integer ?? 0 }
        let order = LicenceOrder(
            product: arguments["product"]?.text ?? "", features: (arguments["features"]?.array ?? []).compactMap(\.text), seats: number("seats"),
            days: number("days"), graceDays: number("grace_days"),
            price: Money(minorUnits: Int64(number("price")), currency: arguments["currency"]?.text ?? "USD"))
        return try await billing.issueLicence(order, to: arguments["tenant"]?.text ?? "", by: .system(in: nil))
    }
}

/// Verifies a licence with nothing but its file and the public key.
package enum LicenceCheck {
    /// - Returns: `{serial, holder, product, features, seats, starts_at, expires_at, grace_days, state}`; the state is `not_yet`, `valid`, `grace` or
    ///   `expired`.
    /// - Throws: `bad_key`, `bad_licence`
    package static func verify(_ text: String, key: String, at now: Timestamp) throws -> JSON {
        let terms = try LicenceFile.verify(text, key: key)
        return [
            "serial": .string(terms.serial), "holder": .string(terms.holder), "product": .string(terms.product),
            "features": .array(terms.features.map { .string($0) }), "seats": .number(Double(terms.seats)),
            "starts_at": .string(terms.startsAt.description), "expires_at": .string(terms.expiresAt.description),
            "grace_days": .number(Double(terms.graceDays)), "state": .string(terms.state(at: now).rawValue)
        ]
    }
}
