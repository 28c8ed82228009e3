internal import Kernel
package import Tenancy

/// What a plan costs here, and what more than it includes costs.
struct PlanPrice: Sendable, Hashable {
    var plan: PlanName
    var currency: String
    var monthly: Int64
    var includedExecutions: Int64?

    func price(_ interval: BillingInterval) -> Int64 { interval == .month ? monthly : monthly * 10 }

    init(plan: PlanName, currency: String, monthly: Int64, includedExecutions: Int64?) {
        self.plan = plan
        self.currency = currency
        self.monthly = monthly
        self.includedExecutions = includedExecutions
    }
}

/// The price list as a change is reckoned with.
struct Catalogue: Sendable {
    private let prices: [PlanName: PlanPrice]
    /// By code, also what is withdrawn.
    private let addons: [String: Addon]
    /// Of plans that the list no longer has, for who has them.
    private var kept: [PlanName: PlanPrice] = [:]

    init(_ prices: [PlanPrice], addons: [Addon] = []) {
        self.prices = Dictionary(prices.map { ($0.plan, $0) }) { first, _ in first }
        self.addons = Dictionary(addons.map { ($0.code, $0) }) { first, _ in first }
    }

    /// Those in which a subscription can be.
    var currencies: Set<String> { Set(prices.values.map(\.currency)) }

    /// Executions of a month, with those of add-ons; nil is unlimited.
    func included(of plan: PlanName, _ items: [AddonItem]) throws -> Int64? {
        try price(of: plan).includedExecutions.map { included in
            try items.reduce(included) { sum, item in
                let addon = try addon(item.code)
                return addon.limit == .executions ? sum + addon.units * item.quantity : sum
            }
        }
    }

    /// - Throws: `missing` for one that there is not.
    func addon(_ code: String) throws -> Addon {
        guard let addon = addons[code] else { throw Refusal.missing("add-on") }
        return addon
    }

    /// Whether there is an add-on of a code, also a withdrawn one.
    func sells(_ code: String) -> Bool { addons[code] != nil }

    mutating func keep(_ price: PlanPrice) { kept[price.plan] = price }

    func lists(_ plan: PlanName, in currency: String) -> Bool { prices[plan]?.currency == currency }

    /// Of a plan that somebody has.
    /// - Throws: as `listed`
    func price(of plan: PlanName) throws -> PlanPrice { try kept[plan] ?? listed(plan) }

    /// Of a plan that somebody chooses.
    /// - Throws: `plan_not_listed` for one whose price is agreed with each customer.
    func listed(_ plan: PlanName) throws -> PlanPrice {
        guard let price = prices[plan] else {
            throw Refusal.invalid("plan", "plan_not_listed", "The plan \(plan.rawValue) is not on the price list; ask for an offer.")
        }
        return price
    }
}

/// A line of an invoice to be, before discount and tax.
struct Charge: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// A whole period, paid in advance.
        case plan
        /// What is left of a period at a price that is no more.
        case unused
        /// The rest of a period at a new price.
        case remaining
        /// Usage beyond what is included, in arrears.
        case overage
    }

    var kind: Kind
    var plan: PlanName
    var period: BillingPeriod
    var quantity: Int64 = 1
    var amount: Int64
    /// What is charged where it is not the plan itself.
    var item: ChargeItem?
    /// What is taken off; below zero on a credit, which gives back no more than was paid.
    var discount: Int64 = 0
}

/// What a line is for beside the plan.
struct ChargeItem: Sendable, Hashable {
    var code: String
    /// For people.
    var name: String

    init(code: String, name: String) {
        self.code = code
        self.name = name
    }

    init(_ addon: Addon) { self.init(code: addon.code, name: addon.name) }
}

/// A tenant's subscription as a state machine. Its methods change it and return what is to be charged; what they refuse changes nothing.
package struct Subscription: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case trialing, active
        /// An invoice is overdue; the plan is still granted, for as long as the grace lasts.
        case pastDue = "past_due"
        case paused, cancelled
    }

    struct Pending: Sendable, Hashable {
        var plan: PlanName
        var interval: BillingInterval
    }

    package internal(set) var plan: PlanName
    package internal(set) var interval: BillingInterval
    package internal(set) var status: Status
    package internal(set) var currency: String
    /// Periods are counted from here.
    var anchor: Timestamp
    var index: Int64
    package internal(set) var period: BillingPeriod
    /// Taken up at the end of the period.
    var pending: Pending?
    package internal(set) var cancelsAtPeriodEnd: Bool
    /// What was charged for the current period and not yet credited.
    var creditable: Int64
    /// What of that was taken off.
    var discounted: Int64 = 0
    /// By code.
    var addons: [AddonItem] = []
    var pausedAt: Timestamp?
    /// Executions beyond the included ones that may be made, and that a period charges at the most; 0 stops at the included ones.
    var overageCap: Int64
    var createdAt: Timestamp
    /// What is used from here on counts for the current period. A pause moves the period and not this.
    var meteredFrom: Timestamp
    /// Executions of the current period beyond the included ones that are reckoned already: charged, or made while none were charged.
    var settled: Int64 = 0

    static let trialDaysMaximum = 90
    static let overageCapMaximum: Int64 = 1_000_000_000

    /// Begins with a trial, at no price, or with the first period, paid in advance.
    static func start(
        _ plan: PlanName, _ interval: BillingInterval, trialDays: Int, at now: Timestamp, _ catalogue: Catalogue, _ calendar: BillingCalendar
    ) throws -> (Subscription, [Charge]) {
        guard (0...trialDaysMaximum).contains(trialDays) else {
            throw Refusal.invalid("trial_days", "out_of_range", "A trial lasts at most \(trialDaysMaximum) days.")
        }
        let price = try catalogue.listed(plan)
        var made = Subscription(
            plan: plan, interval: interval, status: .active, currency: price.currency, anchor: now, index: 0,
            period: calendar.period(0, of: interval, anchor: now), pending: nil, cancelsAtPeriodEnd: false, creditable: 0, pausedAt: nil,
            overageCap: 0, createdAt: now, meteredFrom: now)
        if trialDays > 0 {
            made.status = .trialing
            made.period = BillingPeriod(start: now, end: now + .seconds(Int64(trialDays) * 86_400))
            return (made, [])
        }
        let first = made.charge(price)
        return (made, [first])
    }

    /// Dearer at once, with proration; cheaper at the end of the period; to yearly at once, in a new period; to monthly at the end.
    /// - Parameter paid: what the present period was charged at as a whole; what the list says where it is left out.
    mutating func change(
        to plan: PlanName, _ interval: BillingInterval, at now: Timestamp, _ catalogue: Catalogue, _ calendar: BillingCalendar, paid: Int64? = nil
    ) throws -> [Charge] {
        let old = try catalogue.price(of: self.plan)
        let new = plan == self.plan ? old : try catalogue.listed(plan)
        guard status != .pastDue else { throw Self.refusal("invoice_overdue", "Pay the overdue invoice before you change the plan.") }
        guard status == .active || status == .trialing, now < period.end else { throw Self.refusal("not_active", "The subscription is not active.") }
        guard new.currency == currency else { throw Refusal.invalid("plan", "other_currency", "The plan is in another currency.") }
        if plan == self.plan, interval == self.interval {
            guard pending != nil else { throw Self.refusal("no_change", "This is the plan already.") }
            pending = nil
            return []
        }
        if status == .trialing {
            (self.plan, self.interval, pending) = (plan, interval, nil)
            return []
        }
        let isLater = (interval == .month && self.interval == .year) || new.monthly < old.monthly
        if isLater {
            pending = Pending(plan: plan, interval: interval)
            return []
        }
        let price = paid ?? old.price(self.interval)
        return interval == self.interval ? upgrade(price, new, at: now) : try startAnew(price, new, interval, at: now, catalogue, calendar)
    }

    private mutating func upgrade(_ old: Int64, _ new: PlanPrice, at now: Timestamp) -> [Charge] {
        let (_, charge) = Proration.change(from: old, to: new.price(interval), of: period, at: now, creditable: creditable)
        let (credit, discount) = Self.take(Proration.unused(old, of: period, at: now), from: &creditable, &discounted)
        let rest = BillingPeriod(start: now, end: period.end)
        let lines = [
            Charge(kind: .unused, plan: plan, period: rest, amount: -credit, discount: -discount),
            Charge(kind: .remaining, plan: new.plan, period: rest, amount: charge)
        ]
        (plan, pending) = (new.plan, nil)
        creditable += charge
        return lines
    }

    private mutating func startAnew(
        _ old: Int64, _ new: PlanPrice, _ interval: BillingInterval, at now: Timestamp, _ catalogue: Catalogue, _ calendar: BillingCalendar
    ) throws -> [Charge] {
        let (credit, discount) = Self.take(Proration.unused(old, of: period, at: now), from: &creditable, &discounted)
        let rest = BillingPeriod(start: now, end: period.end)
        let unused = [Charge(kind: .unused, plan: plan, period: rest, amount: -credit, discount: -discount)] + (try creditAddons(at: now, catalogue))
        (plan, self.interval, pending, anchor, index) = (new.plan, interval, nil, now, 0)
        period = calendar.period(0, of: interval, anchor: now)
        (meteredFrom, settled) = (now, 0)
        return unused + [charge(new)] + (try chargeAddons(catalogue))
    }

    private mutating func charge(_ price: PlanPrice) -> Charge {
        let amount = price.price(interval)
        (creditable, discounted) = (amount, 0)
        return Charge(kind: .plan, plan: plan, period: period, amount: amount)
    }

    /// No more than before is used on account while something is overdue.
    mutating func allow(_ cap: Int64) throws {
        guard status != .pastDue || cap <= overageCap else {
            throw Self.refusal("invoice_overdue", "Pay the overdue invoice before you allow more executions.")
        }
        overageCap = cap
    }

    /// At the end of the period; a trial ends without a charge.
    mutating func cancel() throws {
        guard status != .cancelled else { throw Self.refusal("already_cancelled", "The subscription is cancelled already.") }
        if status == .paused {
            end()
        } else {
            cancelsAtPeriodEnd = true
        }
        pending = nil
    }

    /// Takes a cancellation back while the period lasts.
    mutating func keep() throws {
        guard cancelsAtPeriodEnd, status != .cancelled else { throw Self.refusal("not_cancelled", "No cancellation is pending.") }
        cancelsAtPeriodEnd = false
    }

    /// Stops the plan and the clock: what is left of the period is there again on resuming. No money moves.
    mutating func pause(at now: Timestamp) throws {
        guard status == .active, !cancelsAtPeriodEnd, now < period.end else {
            throw Self.refusal("not_active", "Only an active subscription can be paused.")
        }
        (status, pausedAt) = (.paused, now)
    }

    mutating func resume(at now: Timestamp) throws {
        guard status == .paused, let pausedAt else { throw Self.refusal("not_paused", "The subscription is not paused.") }
        let away = max(now, pausedAt) - pausedAt
        period = BillingPeriod(start: period.start + away, end: period.end + away)
        // The next period begins where this one ends now, and those after it are counted from there.
        (status, self.pausedAt, anchor, index) = (.active, nil, period.end, -1)
    }

    mutating func becomePastDue() { if status == .active { status = .pastDue } }
    mutating func recover() { if status == .pastDue { status = .active } }
    mutating func end() { (status, cancelsAtPeriodEnd, pending, pausedAt, addons) = (.cancelled, false, nil, nil, []) }

    /// What a period's end brings.
    struct Renewal: Sendable, Hashable {
        /// The period that ended, with the plan it had.
        var ended: BillingPeriod
        var endedPlan: PlanName
        var charges: [Charge]
    }

    /// Goes over the end of one period, where it has come; called again until nil, so that a subscription left alone for months owes each of them.
    mutating func renew(at now: Timestamp, _ catalogue: Catalogue, _ calendar: BillingCalendar) throws -> Renewal? {
        guard [.trialing, .active, .pastDue].contains(status), now >= period.end else { return nil }
        var renewal = Renewal(ended: period, endedPlan: plan, charges: [])
        if cancelsAtPeriodEnd {
            end()
            return renewal
        }
        if status == .trialing {
            (status, anchor, index) = (.active, period.end, -1)
        }
        if let pending {
            if pending.interval != interval { (anchor, index) = (period.end, -1) }
            (plan, interval, self.pending) = (pending.plan, pending.interval, nil)
        }
        let price = try catalogue.price(of: plan)
        index += 1
        // From the end of the one before, which another time zone may have set: nothing lies between them, and nothing in both.
        period = BillingPeriod(start: renewal.ended.end, end: calendar.period(index, of: interval, anchor: anchor).end)
        (meteredFrom, settled) = (period.start, 0)
        renewal.charges = [charge(price)] + (try chargeAddons(catalogue))
        return renewal
    }

    /// When something happens by itself next.
    var nextDue: Timestamp? { status == .paused || status == .cancelled ? nil : period.end }

    /// Whether the plan's limits are granted.
    var isGranted: Bool { [.trialing, .active, .pastDue].contains(status) }

    private static func refusal(_ code: String, _ text: String) -> Refusal { Refusal(.conflict, code, text) }
}

/// A price for so many units of usage.
struct UnitRate: Sendable, Hashable {
    var minorUnits: Int64
    var perUnits: Int64

    /// For executions beyond the included ones: five dollars a thousand, whatever the plan.
    static let executions = UnitRate(minorUnits: 500, perUnits: 1_000)

    /// For all units of a period at once, so that no rounding is repeated.
    func price(of units: Int64) -> Int64 { Fraction.halfUp(minorUnits, max(units, 0), over: perUnits) }
}
