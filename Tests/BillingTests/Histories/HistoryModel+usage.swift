import Kernel
import Tenancy

@testable import Billing

/// Executions beyond the included ones, and changes of the terms that they are reckoned by.
extension HistoryModel {
    /// How many executions of a period are reckoned, with those up to a moment: the most by which they were ever beyond the included ones.
    func reckoned(of subscription: Subscription, until end: Timestamp) throws -> Int64 {
        guard subscription.status != .trialing, let included = try Self.catalogue.included(of: subscription.plan, subscription.addons) else {
            return subscription.settled
        }
        let used: Int64 = usage.values.reduce(0) { $1.at >= subscription.meteredFrom && $1.at < end ? $0 + $1.quantity : $0 }
        return max(used - included * (subscription.interval == .year ? 12 : 1), subscription.settled)
    }

    /// What of those is charged: no more in a period than its cap.
    func charge(of subscription: Subscription, _ units: Int64) -> [Charge] {
        let left = max(subscription.overageCap - charged(in: subscription), 0)
        let last = min(units, subscription.settled + left)
        let price = UnitRate.executions.price(of: last) - UnitRate.executions.price(of: subscription.settled)
        guard price > 0 else { return [] }
        let period = BillingPeriod(start: subscription.meteredFrom, end: now)
        return [Charge(kind: .overage, plan: subscription.plan, period: period, quantity: last - subscription.settled, amount: price)]
    }

    private func charged(in subscription: Subscription) -> Int64 {
        let all: [Charge] = bills.flatMap(\.charges)
        return all.reduce(0) { $1.kind == .overage && $1.period.start >= subscription.meteredFrom ? $0 + $1.quantity : $0 }
    }

    /// Takes a change up and bills it, with what was used on the terms before it.
    mutating func change(from old: Subscription, to new: Subscription, _ own: [Charge]) throws {
        var (new, charges) = (new, own)
        if old.status != .trialing, old.status != .cancelled {
            let isAnew = new.meteredFrom != old.meteredFrom
            let stops = new.status != old.status && [.paused, .cancelled].contains(new.status)
            let raises = try Self.catalogue.included(of: old.plan, old.addons) != Self.catalogue.included(of: new.plan, new.addons)
            let turns = (old.overageCap > 0) != (new.overageCap > 0)
            let soon = now + .seconds(61)
            let end = isAnew ? now : old.status == .paused ? soon : min(soon, old.period.end)
            let units = try reckoned(of: old, until: end)
            let beyond = charged(in: old) + units - old.settled
            let moves = old.overageCap != new.overageCap && beyond > min(old.overageCap, new.overageCap)
            if isAnew || turns || old.overageCap > 0 && (stops || raises || moves) {
                charges = charge(of: old, units) + own
                if !isAnew { new.settled = units }
            }
        }
        subscription = new
        let excess = withheld(from: &charges)
        for (item, amount) in excess { try giveBack(amount, of: item, since: old.meteredFrom) }
        if !charges.isEmpty { issue(charges, at: now) }
    }

    /// What credits give back beyond what is asked for: the last of them are lessened until nothing is left of the sum.
    private func withheld(from charges: inout [Charge]) -> [(item: ChargeItem, amount: Int64)] {
        var sum: Int64 = charges.reduce(0) { $0 + $1.amount - $1.discount }
        var excess: [(item: ChargeItem, amount: Int64)] = []
        while sum < 0, let place = charges.lastIndex(where: { $0.amount - $0.discount < 0 }) {
            let part = min(-sum, charges[place].discount - charges[place].amount)
            if let item = charges[place].item { excess.append((item, part)) }
            charges[place].amount += part
            sum += part
            if charges[place].amount == charges[place].discount { charges.remove(at: place) }
        }
        return excess
    }

    private mutating func giveBack(_ amount: Int64, of item: ChargeItem, since start: Timestamp) throws {
        var rest = amount
        for place in bills.indices.reversed() where rest > 0 {
            let own = bills[place].charges.filter { $0.item == item && $0.amount > 0 && $0.period.start >= start }
            let net = min(rest, own.reduce(0) { $0 + $1.amount - $1.discount })
            rest -= net
            let gross = min(net + Self.rate.of(net), bills[place].total - bills[place].credited)
            if gross > 0 { try credit(place, gross, nil, isReckoned: true) }
        }
    }

    /// What is taken back of the period's plan and add-ons no change of them gives back once more; what is billed beside them is taken back first.
    mutating func lessen(_ place: Int, from before: Int64) {
        let bill = bills[place]
        guard bill.sold == 0, var changed = subscription, changed.status != .cancelled else { return }
        let start = changed.meteredFrom
        let own = bill.charges.filter { $0.kind != .overage && $0.period.start >= start }
        let codes: [String?] = [nil] + changed.addons.map { Optional($0.code) }
        let nets: [Int64] = codes.map { code in
            let lines = own.filter { $0.item?.code == code }
            return max(lines.reduce(0) { $0 + $1.amount - $1.discount }, 0)
        }
        let (whole, net) = (nets.reduce(0, +), bill.total - bill.tax)
        func left(_ taken: Int64) -> Int64 { min(net - taken, whole) }
        changed.lessen(Split.largestRemainder(left(before) - left(bill.credited - bill.taxCredited), weights: nets))
        subscription = changed
    }
}
