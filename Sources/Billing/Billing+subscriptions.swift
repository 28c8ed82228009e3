internal import HTTPSurface
internal import Kernel
internal import Persistence
internal import Tenancy

/// What is asked of a subscription; the same words preview it and do it.
enum SubscriptionRequest: Sendable, Hashable {
    case start(PlanName, BillingInterval, trialDays: Int, overageCap: Int64)
    case change(PlanName, BillingInterval)
    case overage(Int64)
    /// How many of an add-on there are to be.
    case addon(String, Int64)
    /// A coupon's code.
    case redeem(String)
    case cancel, keep, pause, resume

    var action: String {
        switch self {
        case .start: "subscription.start"
        case .change: "subscription.change"
        case .overage: "subscription.overage"
        case .addon: "subscription.addon"
        case .redeem: "subscription.redeem"
        case .cancel: "subscription.cancel"
        case .keep: "subscription.keep"
        case .pause: "subscription.pause"
        case .resume: "subscription.resume"
        }
    }
}

/// A subscription after something was done, and what was charged for it.
struct SubscriptionOutcome: Sendable {
    var subscription: Subscription
    var invoices: [Invoice]
    /// In a preview: what the next period would bring, with what is known now.
    var upcoming: [Invoice] = []
}

extension Till {
    mutating func perform(_ request: SubscriptionRequest) throws {
        if case .start(let plan, let interval, let trialDays, let cap) = request {
            return try start(plan, interval, trialDays: trialDays, cap: cap)
        }
        if case .redeem(let code) = request { return try redeem(code) }
        let old = try found()
        var changed = old
        var charges: [Charge] = []
        switch request {
        case .start, .redeem: break
        case .addon(let code, let quantity): charges = try changed.setAddon(code, quantity: quantity, at: now, terms.catalogue)
        case .change(let plan, let interval):
            charges = try changed.change(to: plan, interval, at: now, terms.catalogue, terms.calendar, paid: try paidPrice(of: old))
        case .overage(let cap): try changed.allow(try Self.checked(cap))
        case .cancel: try changed.cancel()
        case .keep: try changed.keep()
        case .pause: try changed.pause(at: now)
        case .resume:
            try changed.resume(at: now)
            if try isOwing() { changed.becomePastDue() }
        }
        charges = try settle(old, before: &changed) + charges
        subscription = changed
        let withheld = Self.withhold(from: &charges)
        // Before the new invoice, which may charge the same add-on again. An earlier version kept the period alone, which a pause had moved.
        try giveBack(withheld, chargedSince: try invoices.chargedFrom() ?? old.meteredFrom)
        if !charges.isEmpty { try issue(charges, at: now) }
    }

    private mutating func start(_ plan: PlanName, _ interval: BillingInterval, trialDays: Int, cap: Int64) throws {
        if let old = subscription, old.status != .cancelled {
            throw Refusal(.conflict, "already_subscribed", "There is a subscription; change it instead.")
        }
        // A trial is for those who come for the first time.
        guard trialDays == 0 || subscription == nil else { throw Refusal(.conflict, "trial_used", "The trial was used already.") }
        let open = try invoices.open()
        let now = now
        guard !open.contains(where: { $0.dueAt <= now }) else {
            throw Refusal(.conflict, "invoice_overdue", "Pay the overdue invoice before you subscribe again.")
        }
        guard try BillingProfileStore(tx: tx).profile() != nil else {
            throw Refusal(.conflict, "profile_required", "Say first who is to be invoiced: name, address and country.")
        }
        var (made, charges) = try Subscription.start(plan, interval, trialDays: trialDays, at: now, terms.catalogue, terms.calendar)
        made.overageCap = try Self.checked(cap)
        subscription = made
        if !charges.isEmpty { try issue(charges, at: now) }
    }

    private static func checked(_ cap: Int64) throws -> Int64 {
        guard (0...Subscription.overageCapMaximum).contains(cap) else {
            throw Refusal.invalid("overage_cap", "out_of_range", "overage_cap lies between 0 and \(Subscription.overageCapMaximum).")
        }
        return cap
    }
}

extension Billing {
    func subscription(of tenant: TenantID) async throws -> Subscription? {
        try await database.read(in: tenant) { tx in try SubscriptionStore(tx: tx).subscription() }
    }

    /// What it would come to, to the cent, with nothing done.
    /// - Parameter coupon: redeemed before.
    func preview(_ request: SubscriptionRequest, coupon: String? = nil, of tenant: TenantID) async throws -> SubscriptionOutcome {
        try await rehearse(of: tenant) { till in
            till.issued = []
            if let coupon { try till.redeem(coupon) }
            try till.perform(request)
            var outcome = SubscriptionOutcome(subscription: try till.found(), invoices: till.issued)
            if outcome.subscription.isGranted {
                (till.issued, till.now) = ([], outcome.subscription.period.end)
                try till.catchUp()
                outcome.upcoming = till.issued
            }
            return outcome
        }
    }

    /// - Parameter coupon: redeemed before, in the same transaction.
    func perform(_ request: SubscriptionRequest, coupon: String? = nil, of tenant: TenantID, by principal: Principal) async throws
        -> SubscriptionOutcome
    {
        let outcome = try await atTill(of: tenant) { till in
            till.issued = []
            if let coupon { try till.redeem(coupon) }
            try till.perform(request)
            try till.tx.audit(principal, request.action, "subscription:\(tenant)", ["plan": .string(try till.found().plan.rawValue)])
            return SubscriptionOutcome(subscription: try till.found(), invoices: till.issued)
        }
        try await giveOrders(of: tenant)
        return outcome
    }

    /// - Throws: `unknown_coupon`, `coupon_used`, `coupon_active`, `coupon_spent`, `other_currency`
    func redeem(_ code: String, of tenant: TenantID, by principal: Principal, claim: IdempotencyClaim? = nil) async throws -> Redemption {
        try await atTill(of: tenant) { till in
            try till.redeem(code)
            let all = try RedemptionStore(tx: till.tx).all()
            guard let redeemed = all.first(where: { $0.code == code.uppercased() }) else { throw Refusal.missing("coupon") }
            try till.tx.audit(principal, "subscription.redeem", "coupon:\(redeemed.code)")
            try claim?.record(RedemptionView(redeemed), status: 201, in: till.tx)
            return redeemed
        }
    }

    /// Renews and reminds where it is time; one tenant that fails keeps no other from it.
    /// - Throws: the first failure, after all were tried.
    package func collectDue() async throws {
        var failure: (any Error)?
        var done: Set<TenantID> = []
        var last: BillingDueStore.Due?
        while !Task.isCancelled {
            let place = last
            let due = try await database.readSystem { tx in
                try BillingDueStore(tx: tx).due(at: tx.clock.now(), after: place, limit: Self.dueAtOnce)
            }
            // Those that fail stay due.
            for (_, tenant) in due where done.insert(tenant).inserted {
                do { try await atTill(of: tenant) { _ in } } catch { failure = failure ?? error }
            }
            guard due.count == Self.dueAtOnce else { break }
            last = due.last
        }
        do { try await giveOrders() } catch { failure = failure ?? error }
        do { try await moveSheetsOn() } catch { failure = failure ?? error }
        do { try await payOutDue() } catch { failure = failure ?? error }
        if let failure { throw failure }
    }

    private static let dueAtOnce = 200

    func profile(of tenant: TenantID) async throws -> Party? {
        try await database.read(in: tenant) { tx in try BillingProfileStore(tx: tx).profile() }
    }

    /// - Throws: `unknown_country`, `bad_vat_id`
    func setProfile(_ party: Party, of tenant: TenantID, by principal: Principal) async throws -> Party {
        var party = party
        party.country = try VATRules.checkedCountry(party.country)
        party.vatId = try party.vatId.flatMap { $0.isEmpty ? nil : try VATRules.checkedVATID($0, country: party.country) }
        let checked = party
        try await database.write(in: tenant) { tx in
            try BillingProfileStore(tx: tx).save(checked)
            try tx.audit(principal, "billing_profile.update", "tenant:\(tenant)", ["country": .string(checked.country)])
        }
        return checked
    }

    /// Moves a sandbox tenant's time forward; what falls due on the way happens on the way.
    /// - Throws: `not_a_sandbox`, `out_of_range`
    func moveClock(of tenant: TenantID, to time: Timestamp, by principal: Principal) async throws -> Timestamp {
        guard try await tenancy.tenant(tenant)?.features.contains(Self.sandboxFeature) == true else {
            throw Refusal(.conflict, "not_a_sandbox", "Only a tenant with the feature \(Self.sandboxFeature) has a time of its own.")
        }
        try await database.write(in: tenant) { tx in
            let store = BillingProfileStore(tx: tx)
            let now = try store.now()
            guard time >= now, time <= now + Self.leapMaximum else {
                throw Refusal.invalid("now", "out_of_range", "Time moves forward, by at most five years at once.")
            }
            try store.set(now: time)
            try BillingDueStore(tx: tx.system).set(tenant, nil)
            try tx.audit(principal, "billing_clock.move", "tenant:\(tenant)", ["to": .string(time.description)])
        }
        try await atTill(of: tenant) { _ in }
        try await giveOrders(of: tenant)
        return time
    }

    package static let sandboxFeature = "sandbox"
    private static let leapMaximum: Duration = .seconds(5 * 366 * 86_400)
}
