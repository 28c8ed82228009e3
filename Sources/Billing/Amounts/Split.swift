/// How an amount is divided between those who have a part in it. Each leg is monotone in the amount and the legs sum to it.
enum Split {
    /// The creator's leg is rounded, the platform has the rest: rounding both would lose or make a cent.
    static func two(_ amount: Int64, creator: BasisPoints) -> (creator: Int64, platform: Int64) {
        let leg = creator.of(amount)
        return (leg, amount - leg)
    }

    /// More than two parties: each share is of what those before left, the last party has the rest. Largest remainders would not be monotone
    /// (1, 3 and 96 percent: 50 gives 1, 1, 48 but 51 gives 0, 2, 49).
    static func nested(_ amount: Int64, _ shares: [BasisPoints]) -> [Int64] {
        var rest = amount
        var legs: [Int64] = []
        for share in shares {
            let leg = share.of(rest)
            legs.append(leg)
            rest -= leg
        }
        return legs + [rest]
    }

    /// The legs of a refund: what the legs of all that was refunded so far have grown by, so that parts sum to the whole.
    static func refund(_ amount: Int64, after before: Int64, creator: BasisPoints) -> (creator: Int64, platform: Int64) {
        let (old, new) = (two(before, creator: creator), two(before + amount, creator: creator))
        return (new.creator - old.creator, new.platform - old.platform)
    }

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

    /// What of a commission goes back when `refunded` of `base` has gone back in all: never more than was paid.
    static func commissionReversal(paid: Int64, reversed: Int64, refunded: Int64, base: Int64) -> Int64 {
        guard base > 0 else { return 0 }
        return min(paid, Fraction.halfUp(paid, min(refunded, base), over: base)) - reversed
    }
}
