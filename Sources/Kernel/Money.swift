/// An exact amount in a currency's minor unit (cents for USD), never a floating-point number.
package struct Money: Sendable, Hashable, Codable {
    package var minorUnits: Int64
    /// ISO 4217, upper case.
    package var currency: String

    package init(minorUnits: Int64, currency: String) {
        self.minorUnits = minorUnits
        self.currency = currency
    }
}
