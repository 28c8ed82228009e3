/// How an amount is divided between those who have a part in it.
enum Split {
    /// An amount over the lines of an invoice in proportion to their weights, to the last unit: the largest remainders get the units that
    /// rounding down left, the first of equals first. For a discount over lines, never for parties.
    static func largestRemainder(_ amount: Int64, weights: [Int64]) -> [Int64] {
        precondition(weights.allSatisfy { $0 >= 0 }, "a weight is not negative")
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        guard sum > 0 else { return weights.map { _ in 0 } }
        let products = weights.map { Int128(amount.magnitude) * Int128($0) }
        var parts = products.map { Int64($0 / sum) }
        let left = Int(Int64(amount.magnitude) - parts.reduce(0, +))
        let order = products.indices.sorted { (products[$0] % sum, $1) > (products[$1] % sum, $0) }
        for index in order.prefix(left) { parts[index] += 1 }
        return amount < 0 ? parts.map { -$0 } : parts
    }

    /// An affiliate's commission, of cash collected net of tax, discounts and credits; from the platform's leg, so never more than that.
    static func commission(_ base: Int64, _ share: BasisPoints, platform: Int64) -> Int64 {
        min(Fraction.down(base, Int64(share.value), over: 10_000), max(platform, 0))
    }
}
