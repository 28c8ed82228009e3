internal import Kernel
internal import Tenancy

/// Executions beyond those a plan includes. Each is priced by the terms that held when it was made, and charged once: what is reckoned already is
/// kept with the subscription, so that a period owes the most by which its usage was ever above what was included, up to its cap. What may be made is
/// counted by the calendar month, of which a period has parts of two or more: what went beyond the cap so is reckoned, and free.
extension Till {
    /// What was used on terms that end here, and is not charged yet: where the plan or its add-ons include more or fewer, executions beyond the
    /// included ones begin or cease to be charged, more was made than the old or the new cap has, or the period moves or stops.
    /// - Parameter new: the subscription after the change; it remembers what is reckoned.
    func settle(_ old: Subscription, before new: inout Subscription) throws -> [Charge] {
        guard old.status != .trialing, old.status != .cancelled else { return [] }
        let isCharged = old.overageCap > 0
        // A new period has what is used from now on.
        if new.meteredFrom != old.meteredFrom { return try isCharged ? overage(of: old, until: now).charges : [] }
        let isStopped = new.status != old.status && (new.status == .paused || new.status == .cancelled)
        let isOtherwise = isCharged != (new.overageCap > 0)
        let isMoved = isCharged && new.overageCap != old.overageCap
        guard try isOtherwise || isMoved || isCharged && (isStopped || includedUnits(in: old) != includedUnits(in: new)) else { return [] }
        // What is used now is dated up to a minute later, but what is dated after the period counts in the next one.
        let soon = now + Self.tallyTime
        let (charges, settled) = try overage(of: old, until: old.status == .paused ? soon : min(soon, old.period.end))
        // A cap that moves beyond what was made changes the terms of none of it.
        if isMoved, !isOtherwise, try charged(in: old) + settled - old.settled <= min(old.overageCap, new.overageCap) { return [] }
        new.settled = settled
        return charges
    }

    /// Tallies have the time of their minute's end.
    static let tallyTime: Duration = .seconds(61)

    private func includedUnits(in subscription: Subscription) throws -> Int64? {
        try terms.catalogue.included(of: subscription.plan, subscription.addons)
    }

    /// What a subscription's executions up to a moment cost beyond what is charged of its period already. The price is that of all of them less that
    /// of those reckoned before, so that no rounding is repeated.
    func overage(of subscription: Subscription, until end: Timestamp) throws -> (charges: [Charge], settled: Int64) {
        let before = subscription.settled
        guard subscription.status != .trialing, let included = try includedUnits(in: subscription) else { return ([], before) }
        let start = subscription.meteredFrom
        let used = try Meters(tx: tx).quantity(of: .executions, in: BillingPeriod(start: start, end: end))
        let settled = max(used - included * subscription.interval.months, before)
        let units = min(settled - before, max(subscription.overageCap - (try charged(in: subscription)), 0))
        let price = UnitRate.executions.price(of: before + units) - UnitRate.executions.price(of: before)
        guard price > 0 else { return ([], settled) }
        let period = BillingPeriod(start: start, end: min(end, now))
        return ([Charge(kind: .overage, plan: subscription.plan, period: period, quantity: units, amount: price)], settled)
    }

    /// Executions that are charged of the current period already.
    private func charged(in subscription: Subscription) throws -> Int64 { try invoices.chargedUsage(since: subscription.meteredFrom) }
}
