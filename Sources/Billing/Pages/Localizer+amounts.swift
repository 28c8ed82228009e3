internal import HTTPSurface
internal import Kernel

/// Amounts as people of a language write them; `Money.decimalText` is for programs and for fields to fill in.
extension Localizer {
    /// Without its currency, where that stands elsewhere.
    func amount(_ units: Int64, _ currency: String) -> String { figure(Money(minorUnits: units, currency: currency).decimalText) }
    func price(_ units: Int64, _ currency: String) -> String { "\(amount(units, currency)) \(currency)" }
    func price(_ money: Money) -> String { price(money.minorUnits, money.currency) }
}
