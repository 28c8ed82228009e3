internal import Kernel

/// Amounts as Stripe counts them: in the minor unit of ISO 4217 but for a few (https://docs.stripe.com/currencies#special-cases). ISK and UGX have no
/// minor unit any more and are still written with two decimals that are zero; MGA is written without any, though ISO has two.
enum StripeAmount {
    private static let withZeros: Set<String> = ["ISK", "UGX"]
    private static let withoutDecimals: Set<String> = ["MGA"]

    /// - Throws: `ProviderError.refused` for a part of what Stripe takes whole.
    static func units(of money: Money) throws -> Int64 {
        if withZeros.contains(money.currency) { return money.minorUnits * 100 }
        guard withoutDecimals.contains(money.currency) else { return money.minorUnits }
        guard money.minorUnits.isMultiple(of: 100) else { throw ProviderError.refused("amount_not_whole") }
        return money.minorUnits / 100
    }

    /// - Parameter currency: in letters of any case; where there is none the amount stays as it is.
    static func minorUnits(_ units: Int, _ currency: String?) -> Int64 {
        let code = (currency ?? "").uppercased()
        if withZeros.contains(code) { return Int64(units) / 100 }
        return withoutDecimals.contains(code) ? Int64(units) * 100 : Int64(units)
    }
}
