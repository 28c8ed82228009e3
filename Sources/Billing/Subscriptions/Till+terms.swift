internal import Kernel
internal import Persistence
internal import Tenancy

/// What is agreed with a subscriber where the price list says something else now, or nothing.
extension Till.Terms {
    /// A plan that is taken off the list, or is in another currency there, goes on for who has it: at what it was charged at last, with what it
    /// included.
    mutating func keep(_ subscription: Subscription, in tx: TenantTransaction) throws {
        for plan in Set([subscription.plan, subscription.pending?.plan].compactMap { $0 }) {
            guard !catalogue.lists(plan, in: subscription.currency), let published = Plan.seeded.first(where: { $0.name == plan }) else { continue }
            let limits =
                plan == subscription.plan ? try included(in: subscription, try tenancy.granted(in: tx), published.limits) : published.limits
            let monthly = try InvoiceStore(tx: tx).lastCharge(of: plan)?.monthly(in: subscription, listed: published.priceMonthly)
            kept[plan] = limits
            catalogue.keep(
                PlanPrice(
                    plan: plan, currency: subscription.currency, monthly: monthly ?? published.priceMonthly ?? 0,
                    includedExecutions: limits.executionsPerMonth.map(Int64.init)))
        }
    }

    /// What a tenant has now, less what its subscription adds to the plan.
    private func included(in subscription: Subscription, _ granted: PlanLimits, _ published: PlanLimits) throws -> PlanLimits {
        var limits = granted
        let isTrial = subscription.status == .trialing
        for item in subscription.addons {
            let addon = try catalogue.addon(item.code)
            if addon.limit != .executions || !isTrial { limits.raise(addon, by: -item.quantity) }
        }
        if subscription.overageCap > 0, !isTrial { limits.executionsPerMonth = limits.executionsPerMonth.map { $0 - Int(subscription.overageCap) } }
        // Use that is stopped does not say what it was.
        if granted.executionsPerMonth == 0 { limits.executionsPerMonth = published.executionsPerMonth }
        let counts = [limits.workflows, limits.executionsPerMonth, limits.storageBytes, limits.users, limits.requestsPerSecond]
        return counts.contains { ($0 ?? 0) < 0 } ? published : limits
    }
}

extension Till {
    /// What the present period of a subscription was charged at as a whole.
    func paidPrice(of subscription: Subscription) throws -> Int64? {
        let listed = try terms.catalogue.price(of: subscription.plan).price(subscription.interval)
        return try invoices.lastCharge(of: subscription.plan)?.price(of: subscription.period, listed: listed)
    }
}

extension Charge {
    private static let longMonth: Int64 = 40 * 86_400

    /// The price of a whole period that this is all or the rest of.
    /// - Parameter listed: stands where it comes to the same, since a part does not tell the whole to the unit.
    fileprivate func price(of whole: BillingPeriod, listed: Int64?) -> Int64? {
        let (part, all) = (period.seconds, kind == .plan ? period.seconds : whole.seconds)
        guard part > 0, all > 0 else { return listed }
        if let listed, Fraction.halfUp(listed, part, over: all) == amount { return listed }
        return Fraction.halfUp(amount, all, over: part)
    }

    fileprivate func monthly(in subscription: Subscription, listed: Int64?) -> Int64? {
        let isYear = kind == .plan ? period.seconds > Self.longMonth : subscription.interval == .year
        let whole = price(of: subscription.period, listed: listed.map { isYear ? $0 * 10 : $0 })
        return isYear ? whole.map { Fraction.halfUp($0, 1, over: 10) } : whole
    }
}
