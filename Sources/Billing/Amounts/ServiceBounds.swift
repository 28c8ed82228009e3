internal import Kernel

/// What may be said and counted in services.
enum ServiceBounds {
    static let reason = 1...1_000
    static let note = 0...4_000

    static func check(_ text: String, _ field: String, _ lengths: ClosedRange<Int>) throws {
        guard lengths.contains(text.unicodeScalars.count) else {
            throw Refusal.invalid(field, "out_of_range", "\(field) has \(lengths.lowerBound) to \(lengths.upperBound) characters.")
        }
    }

    /// Who buys pays what they saw, also where it was changed meanwhile.
    /// - Parameter seen: nil where nothing is said of it.
    /// - Throws: `price_changed`
    static func check(_ price: Money, seen: Money?) throws {
        guard seen == nil || seen == price else {
            throw Refusal(.conflict, "price_changed", "The price is \(price.decimalText) \(price.currency) now.", field: "price")
        }
    }

    static func check(_ number: Int64, _ field: String, _ range: ClosedRange<Int64>) throws {
        guard range.contains(number) else {
            throw Refusal.invalid(field, "out_of_range", "\(field) lies between \(range.lowerBound) and \(range.upperBound).")
        }
    }
}
