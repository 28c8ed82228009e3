internal import Kernel

/// Amounts as Stripe counts them: in the minor unit of ISO 4217 but for a few (https://docs.stripe.com/currencies#special-cases). ISK and UGX have no
/// minor unit any more and are still written with two decimals that are zero; MGA is written without any, though ISO has two. Of currencies with
/// three decimals the last is 0, as on our invoices.
enum StripeAmount {
    private static let withZeros: Set<String> = ["ISK", "UGX"]
    private static let withoutDecimals: Set<String> = ["MGA"]

    /// - Throws: `ProviderError.refused` for a part of what Stripe takes whole.
    static func units(of money: Money) throws -> Int64 {
        if withZeros.contains(money.currency) { return money.minorUnits * 100 }
        let step = withoutDecimals.contains(money.currency) ? 100 : Money.step(of: money.currency)
        guard money.minorUnits.isMultiple(of: step) else { throw ProviderError.refused("amount_not_whole") }
        return withoutDecimals.contains(money.currency) ? money.minorUnits / 100 : money.minorUnits
    }

    /// What a payer is asked for: where a part was paid in another way, the next amount that Stripe takes, so that nothing stays owed. What is more
    /// goes into the wallet.
    static func asked(of money: Money) throws -> Int64 {
        let step = Money.step(of: money.currency)
        return try units(of: Money(minorUnits: (money.minorUnits + step - 1) / step * step, currency: money.currency))
    }

    /// - Parameter currency: in letters of any case; where there is none the amount stays as it is.
    static func minorUnits(_ units: Int, _ currency: String?) -> Int64 {
        let code = (currency ?? "").uppercased()
        if withZeros.contains(code) { return Int64(units) / 100 }
        return withoutDecimals.contains(code) ? Int64(units) * 100 : Int64(units)
    }
}
