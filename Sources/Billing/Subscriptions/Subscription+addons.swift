internal import Kernel

/// Add-ons and discounts of a subscription: each thing that is paid for a period knows what was charged for it, and what of that was taken off, so
/// that a credit gives back no more than was paid.
extension Subscription {
    /// More at once, with the rest of the period; fewer at its end.
    /// - Throws: `unknown_addon`, `out_of_range`, `no_change`, `not_active`, `invoice_overdue`
    mutating func setAddon(_ code: String, quantity: Int64, at now: Timestamp, _ catalogue: Catalogue) throws -> [Charge] {
        let addon = try catalogue.addon(code)
        guard status != .pastDue else { throw Refusal(.conflict, "invoice_overdue", "Pay the overdue invoice before you change the subscription.") }
        guard status == .active || status == .trialing, now < period.end else {
            throw Refusal(.conflict, "not_active", "The subscription is not active.")
        }
        guard addon.currency == currency else { throw Refusal.invalid("code", "other_currency", "The add-on is in another currency.") }
        let place = addons.firstIndex { $0.code == code }
        let had = place.map { addons[$0].quantity } ?? 0
        guard (0...addon.quantityMaximum).contains(quantity) || quantity <= had && quantity >= 0 else {
            throw Refusal.invalid("quantity", "out_of_range", "quantity lies between 0 and \(addon.quantityMaximum).")
        }
        guard quantity <= had || !addon.isWithdrawn else { throw Refusal.missing("add-on") }
        if quantity == had {
            guard let place, addons[place].pending != nil else { throw Refusal(.conflict, "no_change", "So many there are already.") }
            addons[place].pending = nil
            return []
        }
        if status == .trialing {
            if let place { addons.remove(at: place) }
            insert(AddonItem(code: code, quantity: quantity, pending: nil, creditable: 0, discounted: 0))
            return []
        }
        if quantity < had {
            if let place { addons[place].pending = quantity }
            return []
        }
        let amount = Proration.unused(addon.price(interval) * (quantity - had), of: period, at: now)
        var item = place.map { addons.remove(at: $0) } ?? AddonItem(code: code, quantity: 0, pending: nil, creditable: 0, discounted: 0)
        (item.quantity, item.pending) = (quantity, nil)
        item.creditable += amount
        insert(item)
        guard amount > 0 else { return [] }
        let rest = BillingPeriod(start: now, end: period.end)
        return [Charge(kind: .remaining, plan: plan, period: rest, quantity: quantity - had, amount: amount, item: ChargeItem(addon))]
    }

    private mutating func insert(_ item: AddonItem) {
        guard item.quantity > 0 else { return }
        addons.append(item)
        addons.sort { $0.code < $1.code }
    }

    /// The add-ons of a period that begins, paid in advance.
    mutating func chargeAddons(_ catalogue: Catalogue) throws -> [Charge] {
        addons = addons.compactMap { item in
            var item = item
            item.quantity = item.pending ?? item.quantity
            (item.pending, item.creditable, item.discounted) = (nil, 0, 0)
            return item.quantity > 0 ? item : nil
        }
        var charges: [Charge] = []
        for place in addons.indices {
            let addon = try catalogue.addon(addons[place].code)
            let amount = addon.price(interval) * addons[place].quantity
            addons[place].creditable = amount
            guard amount > 0 else { continue }
            charges.append(
                Charge(kind: .plan, plan: plan, period: period, quantity: addons[place].quantity, amount: amount, item: ChargeItem(addon)))
        }
        return charges
    }

    /// What is unused of the add-ons' old prices, when another period begins at once.
    mutating func creditAddons(at now: Timestamp, _ catalogue: Catalogue) throws -> [Charge] {
        var charges: [Charge] = []
        for place in addons.indices {
            var item = addons[place]
            let addon = try catalogue.addon(item.code)
            let unused = Proration.unused(addon.price(interval) * item.quantity, of: period, at: now)
            let (credit, discount) = Self.take(unused, from: &item.creditable, &item.discounted)
            addons[place] = item
            guard credit > 0 else { continue }
            charges.append(
                Charge(
                    kind: .unused, plan: plan, period: BillingPeriod(start: now, end: period.end), quantity: item.quantity,
                    amount: -credit, item: ChargeItem(addon), discount: -discount))
        }
        return charges
    }

    /// Takes a credit from what was charged, and from what was discounted the same part of it.
    static func take(_ unused: Int64, from creditable: inout Int64, _ discounted: inout Int64) -> (credit: Int64, discount: Int64) {
        let credit = min(unused, max(creditable, 0))
        let discount = creditable > 0 ? Fraction.halfUp(discounted, credit, over: creditable) : 0
        creditable -= credit
        discounted -= discount
        return (credit, discount)
    }

    /// Remembers what was taken off the charges that this subscription has brought.
    mutating func note(_ charges: [Charge]) {
        for charge in charges where (charge.kind == .plan || charge.kind == .remaining) && charge.discount > 0 {
            guard let item = charge.item else {
                discounted += charge.discount
                continue
            }
            if let place = addons.firstIndex(where: { $0.code == item.code }) { addons[place].discounted += charge.discount }
        }
    }
}
