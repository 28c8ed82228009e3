import Kernel
import Tenancy

@testable import Billing

/// A customer's account as a value, written apart from the till: what happens to it must be what happens there, and the invariants hold in both.
struct HistoryModel {
    struct Bill: Equatable {
        var total: Int64
        var tax: Int64
        var paid: Int64 = 0
        var credited: Int64 = 0
        var taxCredited: Int64 = 0
        var isOpen = true
        var dueAt: Timestamp
        var reminders = 0
        /// By the place of the grant that paid it.
        var draws: [Int: Int64] = [:]
        var charges: [Charge] = []
        /// What is sold on it: without tax, and the seller's part of what was collected.
        var sold: Int64 = 0
        var share = BasisPoints.zero
        var earned: Int64 = 0
        var held: Int64 = 0
        var commission: Int64 = 0
        var due: Int64 { total - paid - credited }
        var drawn: Int64 { draws.values.reduce(0, +) }
    }

    struct Grant: Equatable {
        var left: Int64
        var expiresAt: Timestamp?
    }

    struct Money: Equatable {
        var reference: Int
        var amount: Int64
        var refunded: Int64 = 0
        var invoice: Int?
        var status = Payment.Status.received
        var disputed: Int64?
        var fee: Int64 = 0
        var parts: [Int: Int64] = [:]
    }

    /// The ledger's accounts, by their place in `balances`.
    enum Side: Int { case receivable, wallet, cash, revenue, tax, fees, seller, affiliate, hold }

    var now: Timestamp
    var subscription: Subscription?
    var bills: [Bill] = []
    var payments: [Money] = []
    var usage: [Int: (quantity: Int64, at: Timestamp)] = [:]
    var redemptions: [Redemption] = []
    var grants: [Grant] = []
    var balances = [Int64](repeating: 0, count: 9)
    /// Whether an affiliate has brought this customer.
    var isReferred = false
    var sales: [Int: Int] = [:]

    static let catalogue = Catalogue(
        Plan.seeded.map {
            PlanPrice(
                plan: $0.name, currency: "USD", monthly: $0.priceMonthly ?? 0, includedExecutions: $0.limits.executionsPerMonth.map { Int64($0) })
        }, addons: addons)
    static let addons = [
        Addon(code: "boost", name: "More executions", monthly: 4_900, currency: "USD", limit: .executions, units: 5_000, quantityMaximum: 3),
        Addon(code: "seats", name: "Five seats", monthly: 1_233, currency: "USD", limit: .users, units: 5, quantityMaximum: 20)
    ]
    static let coupons = [
        Coupon(code: "HALF", name: "Half", reduction: .share(.percent(50)), lasting: .once, redemptionsMaximum: Coupon.unlimited),
        Coupon(code: "FREE", name: "Free", reduction: .share(.whole), lasting: .months(2), redemptionsMaximum: Coupon.unlimited),
        Coupon(code: "THIRD", name: "Third", reduction: .share(try! BasisPoints(3_333)), lasting: .forever, redemptionsMaximum: Coupon.unlimited),
        Coupon(code: "TEN", name: "Ten", reduction: .amount(1_000, "USD"), lasting: .months(3), redemptionsMaximum: Coupon.unlimited)
    ]
    static let calendar = BillingCalendar(zone: "UTC")
    static let rate = try! BasisPoints(1_900)
    static let dueTime: Duration = .seconds(14 * 86_400)

    init(at start: Timestamp) { now = start }

    func balance(_ side: Side) -> Int64 { balances[side.rawValue] }

    private mutating func move(_ amount: Int64, _ debit: Side, _ credit: Side) {
        balances[debit.rawValue] += amount
        balances[credit.rawValue] -= amount
    }

    /// - Returns: the code of the refusal; nothing has changed then.
    mutating func apply(_ step: HistoryStep) throws -> String? {
        if case .wait(let seconds) = step {
            now = now + .seconds(seconds)
            return nil
        }
        if case .use(let key, let quantity) = step {
            if usage[key] == nil { usage[key] = (quantity, now) }
            return nil
        }
        let before = self
        do {
            try catchUp()
            switch step {
            case .wait, .use: break
            case .ask(.redeem(let code)): try redeem(code)
            case .ask(let request): try ask(request)
            case .sell(let key, let kind, let amount): try sell(key, kind, amount)
            case .grant(let amount, let seconds):
                grants.append(Grant(left: amount, expiresAt: seconds.map { now + .seconds($0) }))
                move(amount, .revenue, .wallet)
            case .pay(let reference, let amount, let place): try pay(reference, amount, place)
            case .credit(let place, let amount, let payment): try credit(place, amount, payment)
            case .dispute(let place, let outcome, let amount, let fee): try dispute(place, outcome, amount, fee)
            }
            return nil
        } catch let refusal as Refusal {
            self = before
            return refusal.code
        }
    }

    private mutating func catchUp() throws {
        for _ in 0..<60 {
            guard let ended = subscription else { break }
            var renewed = ended
            guard let renewal = try renewed.renew(at: now, Self.catalogue, Self.calendar) else { break }
            subscription = renewed
            expire(at: renewal.ended.end)
            let units = try reckoned(of: ended, until: renewal.ended.end + .seconds(renewed.status == .cancelled ? 61 : 0))
            let charges: [Charge] = charge(of: ended, units) + renewal.charges
            if !charges.isEmpty { issue(charges, at: renewal.ended.end) }
        }
        expire(at: now)
        for place in open {
            while bills[place].reminders < Dunning.steps.count, bills[place].dueAt + Dunning.steps[bills[place].reminders] <= now {
                bills[place].reminders += 1
                subscription?.becomePastDue()
                if bills[place].reminders == Dunning.steps.count, let old = subscription, old.status != .cancelled {
                    var ended = old
                    ended.end()
                    try change(from: old, to: ended, [])
                }
            }
        }
    }

    private var open: [Int] { bills.indices.filter { bills[$0].isOpen }.sorted { (bills[$0].dueAt, $0) < (bills[$1].dueAt, $1) } }
    private var isOverdue: Bool { bills.contains { $0.isOpen && $0.dueAt <= now } }

    private var isSuspended: Bool {
        payments.contains { payment in
            payment.status == .disputed || (payment.status == .reversed && payment.parts.keys.contains { bills[$0].isOpen })
        }
    }

    private mutating func recover() {
        if subscription?.status == .pastDue, !isSuspended, !isOverdue { subscription?.recover() }
    }

    private mutating func expire(at moment: Timestamp) {
        for place in grants.indices where grants[place].expiresAt.map({ $0 <= moment }) ?? false {
            move(grants[place].left, .wallet, .revenue)
            grants[place].left = 0
        }
    }

    private mutating func redeem(_ code: String) throws {
        guard let coupon = Self.coupons.first(where: { $0.code == code }) else { throw Refusal.invalid("code", "unknown_coupon", "") }
        guard !redemptions.contains(where: { $0.code == code }) else { throw Refusal(.conflict, "coupon_used", "") }
        guard !redemptions.contains(where: { $0.isInForce(at: now, Self.calendar) }) else { throw Refusal(.conflict, "coupon_active", "") }
        redemptions.append(
            Redemption(code: code, reduction: coupon.reduction, lasting: coupon.lasting, redeemedAt: now, firstUse: nil))
    }

    private mutating func sell(_ key: Int, _ kind: SaleKind, _ amount: Int64) throws {
        if let known = sales[key] {
            guard bills[known].sold == amount else { throw Posting.conflict }
            return
        }
        let period = BillingPeriod(start: now, end: now)
        issue([Charge(kind: .plan, plan: .starter, period: period, amount: amount)], at: now, isSubscribed: false)
        let place = bills.count - 1
        (bills[place].sold, bills[place].share, sales[key]) = (amount, kind.creatorShare, place)
        settle(place)
    }

    /// What others earn with a bill, reckoned from what is paid of it alone.
    private mutating func settle(_ place: Int) {
        let bill = bills[place]
        guard bill.total > 0 else { return }
        let earned = bill.share.of(Fraction.halfUp(bill.sold, bill.paid, over: bill.total))
        move(earned - bill.earned, .revenue, .seller)
        bills[place].earned = earned
        let isDisputed = payments.contains { $0.status == .disputed && $0.parts[place] != nil }
        let held = bill.sold > 0 && isDisputed ? earned : 0
        move(held - bill.held, .seller, .hold)
        bills[place].held = held
        guard isReferred else { return }
        let base = Fraction.halfUp(bill.total - bill.tax, bill.paid - bill.drawn, over: bill.total)
        let commission = max(min(base / 5, base - earned), 0)
        move(commission - bill.commission, .revenue, .affiliate)
        bills[place].commission = commission
    }

    mutating func issue(_ asked: [Charge], at moment: Timestamp, isSubscribed: Bool = true) {
        var charges = asked
        if isSubscribed {
            for place in redemptions.indices { redemptions[place].apply(to: &charges, "USD", Self.calendar) }
            subscription?.note(charges)
        }
        let figures = InvoiceFigures(charges, rate: Self.rate)
        var bill = Bill(total: figures.total, tax: figures.tax, dueAt: moment + Self.dueTime)
        bill.charges = charges
        move(figures.total - figures.tax, .receivable, .revenue)
        move(figures.tax, .receivable, .tax)
        let prepaid = min(-balance(.wallet), bill.due)
        if prepaid > 0 {
            move(prepaid, .wallet, .receivable)
            bill.paid = prepaid
            var rest = prepaid
            let order = grants.indices.sorted {
                (grants[$0].expiresAt?.microseconds ?? .max, $0) < (grants[$1].expiresAt?.microseconds ?? .max, $1)
            }
            for place in order where rest > 0 && grants[place].left > 0 {
                let part = min(grants[place].left, rest)
                grants[place].left -= part
                bill.draws[place] = part
                rest -= part
            }
        }
        bill.isOpen = bill.due > 0
        bills.append(bill)
        settle(bills.count - 1)
    }

    private mutating func ask(_ request: SubscriptionRequest) throws {
        if case .start(let plan, let interval, let trialDays, let cap) = request {
            if let old = subscription, old.status != .cancelled { throw Refusal(.conflict, "already_subscribed", "") }
            guard trialDays == 0 || subscription == nil else { throw Refusal(.conflict, "trial_used", "") }
            guard !isOverdue else { throw Refusal(.conflict, "invoice_overdue", "") }
            var (made, charges) = try Subscription.start(plan, interval, trialDays: trialDays, at: now, Self.catalogue, Self.calendar)
            made.overageCap = cap
            subscription = made
            if !charges.isEmpty { issue(charges, at: now) }
            return
        }
        guard let old = subscription else { throw Refusal.missing("subscription") }
        var changed = old
        var charges: [Charge] = []
        switch request {
        case .start, .redeem: break
        case .addon(let code, let quantity): charges = try changed.setAddon(code, quantity: quantity, at: now, Self.catalogue)
        case .change(let plan, let interval): charges = try changed.change(to: plan, interval, at: now, Self.catalogue, Self.calendar)
        case .overage(let cap):
            guard old.status != .pastDue || cap <= old.overageCap else { throw Refusal(.conflict, "invoice_overdue", "") }
            changed.overageCap = cap
        case .cancel: try changed.cancel()
        case .keep: try changed.keep()
        case .pause: try changed.pause(at: now)
        case .resume:
            try changed.resume(at: now)
            if isOverdue || isSuspended { changed.becomePastDue() }
        }
        try change(from: old, to: changed, charges)
    }

    private mutating func pay(_ reference: Int, _ given: Int64?, _ place: Int?) throws {
        let named = place.flatMap { bills.indices.contains($0) ? $0 : nil }
        let amount = given ?? max(named.map { bills[$0].due } ?? 0, 1)
        if let known = payments.first(where: { $0.reference == reference }) {
            guard known.amount == amount else { throw Posting.conflict }
            return
        }
        var (rest, made) = (amount, Money(reference: reference, amount: amount, invoice: named))
        for place in open.filter({ $0 == named }) + open.filter({ $0 != named }) where rest > 0 {
            let part = min(rest, bills[place].due)
            guard part > 0 else { continue }
            bills[place].paid += part
            rest -= part
            made.parts[place] = part
            move(part, .cash, .receivable)
            if bills[place].due == 0 { bills[place].isOpen = false }
            settle(place)
        }
        move(rest, .cash, .wallet)
        payments.append(made)
        recover()
    }

    mutating func credit(_ place: Int, _ amount: Int64, _ paymentPlace: Int?, isReckoned: Bool = false) throws {
        guard bills.indices.contains(place) else { throw Refusal.missing("invoice") }
        guard amount <= bills[place].total - bills[place].credited else { throw Refusal(.conflict, "exceeds_invoice", "") }
        let taken = amount - min(amount, bills[place].due)
        let fromGrants = max(taken - (bills[place].paid - bills[place].drawn), 0)
        let fromPaid = taken - fromGrants
        let tax = Fraction.halfUp(bills[place].tax, bills[place].credited + amount, over: bills[place].total) - bills[place].taxCredited
        let before = bills[place].credited - bills[place].taxCredited
        bills[place].credited += amount
        bills[place].paid -= taken
        move(fromGrants, .receivable, .wallet)
        var rest = fromGrants
        for (grant, drawn) in bills[place].draws.sorted(by: { $0.key > $1.key }) where rest > 0 {
            let part = min(drawn, rest)
            bills[place].draws[grant] = drawn - part
            grants[grant].left += part
            rest -= part
        }
        bills[place].taxCredited += tax
        if !isReckoned { lessen(place, from: before) }
        move(amount - tax, .revenue, .receivable)
        move(tax, .tax, .receivable)
        if let paymentPlace {
            guard payments.indices.contains(paymentPlace) else { throw Refusal.missing("payment") }
            guard payments[paymentPlace].status == .received else { throw Refusal(.conflict, "dispute_open", "") }
            let left = payments[paymentPlace].amount - payments[paymentPlace].refunded
            guard fromPaid <= left else { throw Refusal(.conflict, "exceeds_payment", "") }
            payments[paymentPlace].refunded += fromPaid
            move(fromPaid, .receivable, .cash)
        } else {
            move(fromPaid, .receivable, .wallet)
        }
        settle(place)
        expire(at: now)
        if bills[place].due == 0 { bills[place].isOpen = false }
        recover()
    }

    private mutating func dispute(_ place: Int, _ outcome: Till.DisputeOutcome, _ given: Int64?, _ fee: Int64) throws {
        guard payments.indices.contains(place) else { throw Refusal.missing("payment") }
        if payments[place].status == .received, payments[place].disputed == nil {
            let left = payments[place].amount - payments[place].refunded
            let taken = min(given ?? left, left)
            guard taken > 0 else { return }
            payments[place].disputed = taken
            payments[place].status = .disputed
            move(taken, .receivable, .cash)
            move(fee, .fees, .cash)
            payments[place].fee = fee
            subscription?.becomePastDue()
        }
        guard payments[place].status == .disputed, let taken = payments[place].disputed else { return }
        switch outcome {
        case .opened: break
        case .won:
            payments[place].status = .received
            move(taken, .cash, .receivable)
            recover()
        case .lost:
            payments[place].status = .reversed
            if payments[place].parts.keys.contains(where: { bills[$0].sold > 0 }) { move(payments[place].fee, .seller, .fees) }
            lose(taken, place)
        }
        for bill in payments[place].parts.keys { settle(bill) }
    }

    private mutating func lose(_ amount: Int64, _ payment: Int) {
        var rest = amount
        for (place, part) in payments[payment].parts.sorted(by: { $0.key > $1.key }) { rest -= reopen(place, min(part, rest), payment) }
        let prepaid = min(rest, max(-balance(.wallet) - grants.reduce(0) { $0 + $1.left }, 0))
        move(prepaid, .wallet, .receivable)
        rest -= prepaid
        for place in bills.indices.reversed() { rest -= reopen(place, rest, payment) }
        precondition(rest == 0, "all that came is on bills or in the wallet")
        subscription?.becomePastDue()
    }

    private mutating func reopen(_ place: Int, _ rest: Int64, _ payment: Int) -> Int64 {
        let part = min(rest, bills[place].paid - bills[place].drawn)
        guard part > 0 else { return 0 }
        bills[place].paid -= part
        (bills[place].isOpen, bills[place].dueAt, bills[place].reminders) = (true, now, 0)
        settle(place)
        if payments[payment].parts[place] == nil { payments[payment].parts[place] = part }
        return part
    }
}

extension HistoryModel {
    /// The invariants of a single customer's money, in words; empty where all hold.
    var faults: [String] {
        var faults: [String] = []
        func hold(_ isTrue: Bool, _ text: String) { if !isTrue { faults.append(text) } }
        hold(balances.reduce(0, +) == 0, "the ledger sums to zero")
        let disputed = payments.reduce(0) { $1.status == .disputed ? $0 + ($1.disputed ?? 0) : $0 }
        hold(balance(.receivable) == bills.reduce(0) { $0 + $1.due } + disputed, "what is owed is what is due and disputed")
        hold(balance(.wallet) <= 0, "prepaid money is not spent twice")
        var left: Int64 = 0
        for payment in payments {
            hold(payment.refunded >= 0 && payment.refunded <= payment.amount, "refunds do not exceed payments")
            left += payment.amount - payment.refunded - (payment.status == .received ? 0 : payment.disputed ?? 0)
        }
        hold(balance(.cash) == left - payments.reduce(0) { $0 + $1.fee }, "the provider holds what came and was not sent back")
        let earned = bills.reduce(0) { $0 + $1.earned }
        hold(-balance(.seller) - balance(.hold) <= earned && balance(.hold) <= 0, "a seller has what was earned, less fees")
        hold(-balance(.affiliate) == bills.reduce(0) { $0 + $1.commission }, "an affiliate has the commissions")
        for bill in bills {
            hold(bill.earned >= 0 && bill.earned + bill.commission <= bill.total - bill.tax, "others earn no more than was sold")
            hold(bill.paid > 0 || bill.earned + bill.commission == 0, "all taken back, nobody has earned anything")
            hold(bill.due > 0 || bill.credited > 0 || bill.earned == bill.share.of(bill.sold), "all paid, the seller has its whole part")
            hold(bill.paid >= 0 && bill.credited >= 0 && bill.due >= 0 && bill.total >= 0, "no figure of a bill is negative")
            hold(bill.drawn <= bill.paid, "grants have paid no more of a bill than was paid")
            hold(bill.isOpen == (bill.due > 0), "a bill is open while something is due")
            hold(bill.credited != bill.total || bill.taxCredited == bill.tax, "all taken back, the tax is back to the cent")
        }
        hold(-balance(.tax) == bills.reduce(0) { $0 + $1.tax - $1.taxCredited }, "the tax owed is that of the bills")
        hold((subscription?.creditable ?? 0) >= 0, "no more is credited than was charged")
        hold(grants.allSatisfy { $0.left >= 0 }, "no grant is drawn twice")
        hold(grants.reduce(0) { $0 + $1.left } <= -balance(.wallet), "what was given is in the wallet")
        if let subscription {
            hold((0...max(subscription.creditable, 0)).contains(subscription.discounted), "no more is taken off than was charged")
            for item in subscription.addons {
                hold(item.creditable >= 0 && (0...item.creditable).contains(item.discounted), "an add-on gives back no more than was paid")
                hold(item.quantity > 0, "an add-on that is there has a quantity")
            }
        }
        return faults
    }
}
