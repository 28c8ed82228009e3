package import Kernel

/// What an amount may be at all.
enum AmountBounds {
    /// Ten trillion dollars in cents: sums of a thousand such amounts still fit 64 bits.
    static let minorUnitsMaximum: Int64 = 1_000_000_000_000_000

    /// - Throws: `out_of_range`
    static func checked(_ minorUnits: Int64, field: String, minimum: Int64 = 0) throws -> Int64 {
        guard (minimum...minorUnitsMaximum).contains(minorUnits) else {
            throw Refusal.invalid(field, "out_of_range", "\(field) lies between \(minimum) and \(minorUnitsMaximum).")
        }
        return minorUnits
    }

    /// Three upper-case letters of ISO 4217.
    /// - Throws: `unknown_currency`
    static func checkedCurrency(_ text: String) throws -> String {
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw Refusal.invalid("currency", "unknown_currency", "A currency has three capital letters, as USD.")
        }
        return text
    }
}

extension Money {
    /// How people read it: `1234.50`. Currencies without minor units, or with three digits of them, are told apart.
    package var decimalText: String {
        let digits = Self.fractionDigits(of: currency)
        let sign = minorUnits < 0 ? "-" : ""
        let text = String(minorUnits.magnitude)
        guard digits > 0 else { return sign + text }
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    /// Of ISO 4217.
    static func fractionDigits(of currency: String) -> Int {
        switch currency {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF": 0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }

    /// What an amount that is asked for is a multiple of. Of these currencies with three decimals the last is 0: providers take no other, and have
    /// amounts rounded to the nearest ten (https://docs.stripe.com/currencies#three-decimal).
    static func step(of currency: String) -> Int64 { ["BHD", "JOD", "KWD", "OMR", "TND"].contains(currency) ? 10 : 1 }

    /// Reads `1234.5` or `-3`, in whole numbers; nil where it is no amount of the currency or too large.
    package init?(decimal text: String, currency: String) {
        let digits = Self.fractionDigits(of: currency)
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative { rest = rest.dropFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let isNumber = (parts + [Substring(fraction)]).allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
        guard isNumber, let whole = parts.first, !whole.isEmpty, whole.count <= 13, parts.count == 1 || !fraction.isEmpty else { return nil }
        // Zeros beyond the smallest unit say nothing more.
        let kept = fraction.count > digits ? String(fraction.prefix(digits)) : fraction
        guard fraction.dropFirst(kept.count).allSatisfy({ $0 == "0" }),
            let units = Int64(whole + kept + String(repeating: "0", count: digits - kept.count))
        else { return nil }
        self.init(minorUnits: isNegative ? -units : units, currency: currency)
    }
}
