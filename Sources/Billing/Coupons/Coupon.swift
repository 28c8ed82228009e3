internal import Kernel
internal import Tenancy

/// What takes something off the price of a subscription: made by an operator, redeemed by tenants.
struct Coupon: Sendable, Hashable {
    enum Reduction: Sendable, Hashable {
        /// Of each charge it is for.
        case share(BasisPoints)
        /// Off each period's charges together, in minor units of a currency.
        case amount(Int64, String)
    }

    /// For how long it takes something off.
    enum Lasting: Sendable, Hashable {
        /// The first invoice that it is for.
        case once
        /// What begins within so many months of the first charge that it was taken off.
        case months(Int64)
        case forever
    }

    /// `A-Z`, `0-9`, `-` and `_`.
    var code: String
    var name: String
    var reduction: Reduction
    var lasting: Lasting
    /// How often it may be redeemed, over all tenants.
    var redemptionsMaximum: Int64
    var redeemed: Int64 = 0
    var expiresAt: Timestamp?
    var isWithdrawn = false

    static let unlimited: Int64 = 1_000_000_000
    static let monthsMaximum: Int64 = 120
    private static let codeLengths = 2...40

    /// In capital letters, as people may type it in any.
    /// - Throws: `bad_code`
    static func checkedCode(_ text: String) throws -> String {
        let code = text.uppercased()
        let isName = code.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
        guard codeLengths.contains(code.utf8.count), isName else {
            throw Refusal.invalid("code", "bad_code", "A code has 2 to 40 of A-Z, 0-9, - and _.")
        }
        return code
    }
}

/// A coupon that a tenant has redeemed, on the terms of that time.
struct Redemption: Sendable, Hashable {
    var code: String
    var reduction: Coupon.Reduction
    var lasting: Coupon.Lasting
    var redeemedAt: Timestamp
    /// The start of the first charge that something was taken off.
    var firstUse: Timestamp?

    /// Whether it takes something off what begins at a moment.
    func isInForce(at moment: Timestamp, _ calendar: BillingCalendar) -> Bool {
        guard let firstUse else { return true }
        return switch lasting {
        case .once: false
        case .forever: true
        case .months(let months): moment < calendar.moment(months: months, after: firstUse)
        }
    }

    /// Takes off what it takes off the charges of one invoice: of whole periods, and of the rest of one at a new price; never of usage, and never
    /// so much that the invoice pays out. An amount is off each period, so that of the rest of one it takes what the old price's credit gave back.
    mutating func apply(to charges: inout [Charge], _ currency: String, _ calendar: BillingCalendar) {
        let places = charges.indices.filter { place in
            let charge = charges[place]
            return (charge.kind == .plan || charge.kind == .remaining) && charge.amount > 0 && isInForce(at: charge.period.start, calendar)
        }
        guard let first = places.first else { return }
        var parts: [Int64]
        switch reduction {
        case .share(let share): parts = places.map { share.of(charges[$0].amount) }
        case .amount(let amount, let own):
            guard own == currency else { return }
            let returned = charges.reduce(0) { $1.kind == .unused ? $0 - $1.discount : $0 }
            let whole = places.contains { charges[$0].kind == .plan } ? amount : returned
            let sum = places.reduce(0) { $0 + charges[$1].amount }
            parts = Split.largestRemainder(min(whole, sum), weights: places.map { charges[$0].amount })
        }
        let asked: Int64 = charges.reduce(0) { $1.kind == .overage ? $0 : $0 + $1.amount - $1.discount }
        let bound = max(asked, 0)
        if parts.reduce(0, +) > bound { parts = Split.largestRemainder(bound, weights: parts) }
        guard parts.contains(where: { $0 > 0 }) else { return }
        for (place, part) in zip(places, parts) { charges[place].discount += part }
        firstUse = firstUse ?? charges[first].period.start
    }
}
