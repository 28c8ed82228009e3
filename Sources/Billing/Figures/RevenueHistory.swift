internal import Kernel
internal import Tenancy

/// From a moment on, what a tenant pays in a month.
struct RevenueChange: Sendable, Hashable {
    var tenant: TenantID
    var at: Timestamp
    var currency: String
    /// Monthly recurring revenue in minor units: the listed price, a twelfth of a year's; without tax, usage and what is credited.
    var monthly: Int64
}

/// One change of what a tenant pays, by its name: a row behind the figures.
struct RevenueMove: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable { case new, reactivation, expansion, contraction, churn }

    var tenant: TenantID
    var at: Timestamp
    var kind: Kind
    /// Above zero; contraction and churn take it away.
    var amount: Int64
}

/// What moved monthly recurring revenue within a time, in minor units. `start + new + reactivation + expansion - contraction - churn = end`.
struct RevenueMovement: Sendable, Hashable {
    var start: Int64 = 0
    /// Of tenants that never paid before.
    var new: Int64 = 0
    /// Of tenants that had left.
    var reactivation: Int64 = 0
    var expansion: Int64 = 0
    var contraction: Int64 = 0
    var churn: Int64 = 0
    var end: Int64 = 0
    /// Tenants that pay something at the start, that came or came back, that left, and that pay at the end.
    var customersAtStart = 0
    var customersGained = 0
    var customersLost = 0
    var customersAtEnd = 0
    /// Of those gained, the ones that never paid before.
    var customersNew = 0
    /// What those who paid at the start pay at the end, and what of that is no more than they paid then.
    var retained: Int64 = 0
    var kept: Int64 = 0
    /// The changes in the order of time, as they count.
    var moves: [RevenueMove] = []

    /// Each change counts by itself: who goes up and down within the time is in both.
    /// - Parameter changes: all of one currency, in any order.
    init(_ changes: some Sequence<RevenueChange>, from start: Timestamp, to end: Timestamp) {
        for (_, own) in Dictionary(grouping: changes, by: \.tenant) {
            var (level, everPaid) = (Int64(0), false)
            let ordered = own.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
            for change in ordered where change.at < start {
                level = change.monthly
                everPaid = everPaid || level > 0
            }
            let before = level
            self.start += level
            if level > 0 { customersAtStart += 1 }
            for change in ordered where change.at >= start && change.at < end {
                if let move = Self.move(from: level, to: change, everPaid: everPaid) { count(move) }
                level = change.monthly
                everPaid = everPaid || level > 0
            }
            self.end += level
            if level > 0 { customersAtEnd += 1 }
            if before > 0 {
                retained += level
                kept += min(level, before)
            }
        }
        moves.sort { ($0.at, $0.tenant) < ($1.at, $1.tenant) }
    }

    private static func move(from old: Int64, to change: RevenueChange, everPaid: Bool) -> RevenueMove? {
        let now = change.monthly
        func move(_ kind: RevenueMove.Kind, _ amount: Int64) -> RevenueMove {
            RevenueMove(tenant: change.tenant, at: change.at, kind: kind, amount: amount)
        }
        if old == now { return nil }
        if old == 0 { return move(everPaid ? .reactivation : .new, now) }
        if now == 0 { return move(.churn, old) }
        return now > old ? move(.expansion, now - old) : move(.contraction, old - now)
    }

    private mutating func count(_ move: RevenueMove) {
        moves.append(move)
        switch move.kind {
        case .new:
            new += move.amount
            customersNew += 1
            customersGained += 1
        case .reactivation:
            reactivation += move.amount
            customersGained += 1
        case .expansion: expansion += move.amount
        case .contraction: contraction += move.amount
        case .churn:
            churn += move.amount
            customersLost += 1
        }
    }

    /// Of the revenue at the start what left, in basis points, halves up; nil where there was none.
    var revenueChurn: Int64? { ofStart(churn + contraction) }
    /// Of the customers at the start those who left, in basis points, halves up; nil where there was none.
    var customerChurn: Int64? { customersAtStart > 0 ? Fraction.halfUp(Int64(customersLost), 10_000, over: Int64(customersAtStart)) : nil }
    /// What those who paid at the start pay at the end, over what they paid then: net revenue retention (NRR), in basis points.
    var netRetention: Int64? { ofStart(retained) }
    /// The same without what they pay more: gross revenue retention (GRR), never above 10,000.
    var grossRetention: Int64? { ofStart(kept) }
    /// The end over the start, less one.
    var growth: Int64? { ofStart(end - start) }

    private func ofStart(_ amount: Int64) -> Int64? { start > 0 ? Fraction.halfUp(amount, 10_000, over: start) : nil }
}

extension Subscription {
    /// What it brings in a month; nothing on trial, paused or ended.
    func monthlyRevenue(_ catalogue: Catalogue) throws -> Int64 {
        guard status == .active || status == .pastDue else { return 0 }
        let monthly = try catalogue.price(of: plan).monthly
        let more = try addons.reduce(Int64(0)) { $0 + (try catalogue.addon($1.code).monthly) * $1.quantity }
        return interval == .month ? monthly + more : Fraction.halfUp((monthly + more) * 10, 1, over: 12)
    }
}
