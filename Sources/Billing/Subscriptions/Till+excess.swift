internal import Kernel
internal import Tenancy

/// What a change gives back beyond what it asks for, as add-ons of a month that are not taken into a year, or a plan that has become cheaper. No
/// invoice is below zero: the rest is taken back from the invoices that charged it, so that no more comes back than they asked for, and only what was
/// paid goes into the wallet.
extension Till {
    /// Takes out of the charges of an invoice to be what would bring it below zero, from the last credit on.
    static func withhold(from charges: inout [Charge]) -> [Charge] {
        let asked: Int64 = charges.reduce(0) { $0 + $1.amount - $1.discount }
        guard asked < 0 else { return [] }
        var excess = -asked
        var withheld: [Charge] = []
        for place in charges.indices.reversed() where excess > 0 && charges[place].kind == .unused {
            let part = min(excess, charges[place].discount - charges[place].amount)
            guard part > 0 else { continue }
            var given = charges[place]
            (given.amount, given.discount) = (-part, 0)
            withheld.append(given)
            charges[place].amount += part
            excess -= part
        }
        charges.removeAll { $0.kind == .unused && $0.amount == $0.discount }
        return withheld
    }

    /// Takes what was withheld back from the invoices that charged the same thing, the latest first, each as far as it charged it and was not taken
    /// back otherwise.
    /// - Parameter start: of the period that they charged it for.
    mutating func giveBack(_ withheld: [Charge], chargedSince start: Timestamp) throws {
        for charge in withheld {
            guard let item = charge.item else {
                try giveBackPlan(-charge.amount, chargedSince: start)
                continue
            }
            var rest = -charge.amount
            for id in try invoices.charging(.addon(item.code), since: start) where rest > 0 {
                guard let invoice = try invoices.invoice(id) else { continue }
                let own: Int64 = invoice.lines.reduce(0) { $1.charge.item == item && $1.net > 0 ? $0 + $1.net : $0 }
                let net = min(rest, own)
                let gross = min(net + invoice.rate.of(net), invoice.total - invoice.credited)
                rest -= net
                if gross > 0 { issued.append(try credit(id, gross, to: .wallet, isReckoned: true)) }
            }
        }
    }

    /// The same of the plan, which is worth more than the new one where the list has become cheaper. What paid for it may have come by a credit from
    /// an earlier period: what the invoices of this one never asked for is taken back from those before, and last from the add-ons' of this one.
    private mutating func giveBackPlan(_ amount: Int64, chargedSince start: Timestamp) throws {
        var rest = amount
        for id in try invoices.charging(.plan, since: start) where rest > 0 {
            rest -= try giveBack(rest, of: id) { $0.charge.item == nil }
        }
        guard rest > 0 else { return }
        let catalogue = terms.catalogue
        let present = try invoices.charging(.anything, since: start)
        let earlier = try invoices.charging(.anything, since: Timestamp(microseconds: 0)).filter { !present.contains($0) }
        for id in earlier + present where rest > 0 {
            rest -= try giveBack(rest, of: id) { line in line.charge.item.map { catalogue.sells($0.code) } ?? true }
        }
    }

    /// - Parameter isOwn: whether a line is for what is given back; usage never is.
    /// - Returns: how much of it, without tax.
    private mutating func giveBack(_ rest: Int64, of id: InvoiceID, _ isOwn: (InvoiceLine) -> Bool) throws -> Int64 {
        guard let invoice = try invoices.invoice(id), invoice.currency == subscription?.currency else { return 0 }
        let own: Int64 = invoice.lines.reduce(0) { $1.charge.kind != .overage && isOwn($1) ? $0 + $1.net : $0 }
        let net = min(rest, own, invoice.total - invoice.tax)
        let left = invoice.total - invoice.credited
        guard net > 0, left > 0 else { return 0 }
        let gross = net + invoice.rate.of(net)
        let note = try credit(id, min(gross, left), to: .wallet, isReckoned: true)
        issued.append(note)
        return gross <= left ? net : note.subtotal
    }
}
