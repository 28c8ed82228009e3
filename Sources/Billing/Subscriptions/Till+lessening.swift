internal import Kernel
internal import Persistence

/// What is taken back of an invoice is not given back by a change of the subscription once more.
extension Till {
    /// Lessens what changes may still give back of the period: by what is taken back of its invoice beyond what they never give back, as usage; of
    /// the plan and the add-ons in proportion to what each was charged.
    /// - Parameters:
    ///   - invoice: with the amount among what is credited.
    ///   - amount: with its tax.
    mutating func lessen(for invoice: Invoice, _ amount: Int64) throws {
        guard var changed = subscription, changed.status != .cancelled else { return }
        // What is sold for others has names of its own.
        guard try SaleStore(tx: tx.platform).sales(on: invoice.id).isEmpty else { return }
        let start = try invoices.chargedFrom() ?? changed.meteredFrom
        let own = invoice.lines.filter { $0.charge.kind != .overage && $0.charge.period.start >= start }
        func charged(_ code: String?) -> Int64 {
            let sum: Int64 = own.reduce(0) { $1.charge.item?.code == code ? $0 + $1.net : $0 }
            return max(sum, 0)
        }
        let weights: [Int64] = [charged(nil)] + changed.addons.map { charged($0.code) }
        let whole: Int64 = weights.reduce(0, +)
        let others = max(invoice.total - invoice.tax - whole, 0)
        func taken(_ credited: Int64) -> Int64 {
            let net = credited - Fraction.halfUp(invoice.tax, credited, over: invoice.total)
            return min(max(net - others, 0), whole)
        }
        let part = taken(invoice.credited) - taken(invoice.credited - amount)
        changed.lessen(Split.largestRemainder(part, weights: weights))
        subscription = changed
    }
}

extension Subscription {
    /// Takes what came back in another way out of what credits may give back.
    /// - Parameter parts: of what was paid, for the plan and then for each add-on.
    mutating func lessen(_ parts: [Int64]) {
        guard let own = parts.first else { return }
        Self.lessen(own, &creditable, &discounted)
        for (place, part) in zip(addons.indices, parts.dropFirst()) {
            var item = addons[place]
            Self.lessen(part, &item.creditable, &item.discounted)
            addons[place] = item
        }
    }

    private static func lessen(_ paid: Int64, _ creditable: inout Int64, _ discounted: inout Int64) {
        let whole = creditable - discounted
        guard paid > 0, whole > 0 else { return }
        _ = take(Fraction.halfUp(creditable, min(paid, whole), over: whole), from: &creditable, &discounted)
    }
}
