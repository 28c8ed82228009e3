internal import Kernel

/// Parts of amounts in minor units, in whole numbers throughout: the product is made in 128 bits, so that nothing overflows before it is divided.
enum Fraction {
    /// `amount × numerator ÷ denominator`, halves away from zero, so that a refund mirrors the charge it undoes.
    static func halfUp(_ amount: Int64, _ numerator: Int64, over denominator: Int64) -> Int64 {
        precondition(denominator > 0 && numerator >= 0, "a part of an amount is a positive fraction")
        let product = Int128(amount.magnitude) * Int128(numerator)
        let part = Int64((2 * product + Int128(denominator)) / (2 * Int128(denominator)))
        return amount < 0 ? -part : part
    }

    /// The same, rounded toward zero.
    static func down(_ amount: Int64, _ numerator: Int64, over denominator: Int64) -> Int64 {
        precondition(denominator > 0 && numerator >= 0, "a part of an amount is a positive fraction")
        let part = Int64(Int128(amount.magnitude) * Int128(numerator) / Int128(denominator))
        return amount < 0 ? -part : part
    }
}

/// A share in hundredths of a percent: 7,000 is 70%.
package struct BasisPoints: Sendable, Hashable, Codable {
    package let value: Int
    package static let whole = BasisPoints(unchecked: 10_000)
    package static let zero = BasisPoints(unchecked: 0)

    /// - Throws: `out_of_range` for less than nothing or more than all.
    package init(_ value: Int, field: String = "basis_points") throws {
        guard (0...10_000).contains(value) else { throw Refusal.invalid(field, "out_of_range", "\(field) lies between 0 and 10000.") }
        self.value = value
    }

    private init(unchecked value: Int) { self.value = value }

    /// A share that the program itself names.
    static func percent(_ percent: Int) -> BasisPoints {
        precondition((0...100).contains(percent), "a share lies between nothing and all")
        return BasisPoints(unchecked: percent * 100)
    }

    /// Of an amount, halves away from zero.
    func of(_ amount: Int64) -> Int64 { Fraction.halfUp(amount, Int64(value), over: 10_000) }
}
